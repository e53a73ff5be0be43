"""`lz open`."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config import load
from config.naming import static_domain
from operations.configuration import config_option, typed
from operations.errors import CommandError
from operations.output import progress, say, write_json
from operations.rehearsed import ANEW_FIX, kept_directory

if TYPE_CHECKING:
    from rehearsal.door import DoorState


@click.command()
@click.argument("environment")
@click.option("--json", "as_json", is_flag=True, help="Write proxy, authority and addresses as JSON instead.")
@click.option("--print", "only_print", is_flag=True, help="Say how to reach it instead.")
@click.option("--browser", metavar="PROGRAM", help="Start this browser; it must be a relative of Chromium.")
@config_option
def command(
    *, environment: str, as_json: bool, only_print: bool, browser: str | None, config: Path | None
) -> int:
    """Open a rehearsed environment in a browser, under its real name.

    The browser gets a throw-away profile and goes through a proxy that resolves names from the parent zone on,
    and answers as the environment's load balancer and CDN would. The exit code is 1 if the way there is broken.
    """
    from rehearsal.door import sites  # noqa: PLC0415 -- boto3 and TLS: a wrong option must not wait for them

    stage = load(config).find_stage(environment)
    directory, state = _kept_door()
    urls = {
        "site": f"https://{stage.environment.domain}/",
        "admin": f"https://{stage.environment.domain}/admin/",
        "static": f"https://{static_domain(stage.environment.domain)}/",
    }
    if urls["site"] not in state.sites:
        message = f"the rehearsal that is up has no {stage.key}; it has {', '.join(state.sites)}"
        raise CommandError(message, fix=ANEW_FIX, exit_code=1)
    ways = [site for site in sites.sites(state) if site.url in urls.values()]
    broken = [site for site in ways if site.problem]
    if as_json:
        write_json({**_reach(state), "urls": urls, "ways": [asdict(site) for site in ways]})
        return 1 if broken else 0
    for site in broken:
        progress(f"{site.url}: the chain breaks at its {site.step}: {site.problem}", style="red")
    if only_print:
        _tell(state, urls["site"])
    elif not broken:
        other = typed(
            f"open {shlex.quote(environment)} --print", rehearsal=False, profile=None, config=config
        )
        _start(directory, state, browser, urls["site"], other_way=other)
    return 1 if broken else 0


def _kept_door() -> "tuple[Path, DoorState]":
    """Find the door of the rehearsal that is up.

    Raises:
        CommandError: there is none.
    """
    from rehearsal.door import Door, DoorError  # noqa: PLC0415

    found = kept_directory()
    try:
        return found, Door(found / "door").state()
    except DoorError as error:
        raise CommandError(str(error), fix=ANEW_FIX, exit_code=1) from error


def _reach(state: "DoorState") -> dict[str, object]:
    return {"proxy": state.proxy, "ca_file": state.ca_file, "fingerprints": list(state.fingerprints)}


def _tell(state: "DoorState", url: str) -> None:
    from rehearsal.door.browser import arguments  # noqa: PLC0415

    say(f"address    {url}")
    say(f"proxy      {state.proxy}")
    say(f"authority  {state.ca_file}")
    say(f"with curl  curl --proxy {state.proxy} --cacert {shlex.quote(state.ca_file)} {url}")
    profile = Path(state.ca_file).parent / "profile"
    say(f"in Chrome  chromium {shlex.join([*arguments(state, profile), url])}")


def _start(directory: Path, state: "DoorState", program: str | None, url: str, *, other_way: str) -> None:
    from rehearsal.door.browser import BrowserError, Browsers, find_browser, has_display  # noqa: PLC0415

    found = program or find_browser()
    if found is None:
        message = "no Chromium or Chrome was found on PATH"
        fix = f"install one, name it with --browser, or see how to reach the site: {other_way}"
        raise CommandError(message, fix=fix)
    if program is None and not has_display():  # a browser that was named may be one that needs none
        message = f"{found} needs a display to open a window on: neither DISPLAY nor WAYLAND_DISPLAY is set"
        raise CommandError(
            message, fix=f"see how to reach the site from elsewhere, and with what: {other_way}"
        )
    try:
        Browsers(directory).open(found, state, [url])
    except OSError as error:
        message = f"{found} cannot be started: {error.strerror}"
        raise CommandError(message, fix="name another browser with --browser") from error
    except BrowserError as error:
        message = f"{found} ended as soon as it was started: {error}"
        fix = f"see how to reach the site from elsewhere, and with what: {other_way}"
        raise CommandError(message, fix=fix, exit_code=1) from error
    say(f"opened {url} in {found}; its profile goes when the rehearsal is taken down")
