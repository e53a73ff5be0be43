"""The rehearsal that was left up, for commands that can work on it instead of AWS."""

import json
import os
from pathlib import Path
from typing import Any

from operations.errors import CommandError

ROOT = Path(__file__).parents[1]
KEEP_FIX = "start one and leave it up: ./lz rehearse --keep"
ANEW_FIX = "take it down and start anew: ./lz rehearse --down, then ./lz rehearse --keep"


def kept_directory(*, running: bool = True) -> Path:
    """Return the folder of the rehearsal that is up; of the newest, if there are several.

    Args:
        running: also of one that another terminal still brings up: good to look at it, and to answer its approvals.

    Raises:
        CommandError: there is none.
    """
    from rehearsal.kept import kept  # noqa: PLC0415 -- loads boto3 and TLS: most commands do without

    found = max(kept(ROOT, running=running), key=lambda directory: directory.stat().st_mtime, default=None)
    if found is None and not running and any(kept(ROOT, running=True)):
        message = "the rehearsal that is up is still being brought up in another terminal, which follows its pipeline"
        fix = "wait for its end; it stays up if it was started with ./lz rehearse --keep"
        raise CommandError(message, fix=fix, exit_code=1)
    if found is None:
        message = "no rehearsal is up"
        raise CommandError(message, fix=KEEP_FIX, exit_code=1)
    return found


def use_kept_rehearsal(account: str, *, profile: str | None = None) -> None:
    """Let every AWS client of this process work on the rehearsal, as an account's root.

    Args:
        account: account id.
        profile: the AWS profile that was asked for, which makes no sense here.

    Raises:
        CommandError: no rehearsal is up, or a profile is asked for.
    """
    if profile is not None:
        message = "--rehearsal takes no --profile: it uses no credentials of yours"
        raise CommandError(message, fix="leave one of them out")
    from rehearsal.kept import STATE  # noqa: PLC0415

    state: dict[str, Any] = json.loads((kept_directory() / STATE).read_text(encoding="utf-8"))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # a profile or a token of the user's must not mix with it
    os.environ.update(state["environment"])
    os.environ["AWS_ACCESS_KEY_ID"] = account
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    # Its endpoint is on this machine, whatever proxy the user has.
    before = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(filter(None, (before, "127.0.0.1")))
