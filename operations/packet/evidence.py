"""Gathers what would be released: from the pipeline's artifacts, or from a person's checkout."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from config.assembly import read_assembly
from config.images import PLACEHOLDER_DIGEST
from config.models import Configuration
from config.stages import StageRef
from operations.checkout import Checkout, read_checkout
from operations.errors import CommandError
from operations.packet.make import Candidate
from operations.releases.migrations import FILE, Migrations, read_migrations
from operations.releases.record import ReleaseRecord
from operations.releases.recording import deployed_digest, judged_now
from operations.supply.image_scans import read_scans
from operations.synthesis import drafted


def built(
    configuration: Configuration,
    stage: StageRef,
    *,
    assembly: Path,
    images: Path,
    scan: Path | None,
    commit: str | None,
    execution_id: str | None,
) -> Candidate:
    """Read what the pipeline's steps handed over.

    Args:
        configuration: the organization.
        stage: the environment.
        assembly: the assembly that would be deployed.
        images: folder with `<workload>/image.json` and `<workload>/migrations.json`.
        scan: what `./lz image-scan --output` wrote; None if the registry was not asked.
        commit: of this repository, if it is known.
        execution_id: of the pipeline.

    Raises:
        CommandError: a part is missing, or parts are of different builds.
    """
    digest, folder = deployed_digest(assembly, stage.stage_name), images / stage.workload_name
    try:
        image = json.loads((folder / "image.json").read_text(encoding="utf-8"))
        handed_over, revision = image["digest"], image.get("revision")
    except (OSError, ValueError, KeyError) as error:
        message = f"{folder / 'image.json'} is not what ./lz image writes: {type(error).__name__}"
        raise CommandError(message, fix="release the change again from its start") from error
    migrations = read_migrations(folder / FILE)
    if {handed_over, migrations.digest} != {digest}:
        message = (
            f"the assembly deploys {digest}, but the build handed over {handed_over} with the migrations of "
            f"{migrations.digest}"
        )
        raise CommandError(message, fix="release the change again from its start", exit_code=1)
    return Candidate(
        stacks=read_assembly(assembly),
        digest=digest,
        revision=revision,
        migrations=migrations,
        judged=judged_now(assembly, configuration),
        scans=None if scan is None else read_scans(scan, digest),
        commit=commit,
        execution_id=execution_id,
    )


@contextmanager
def from_checkout(
    configuration: Configuration,
    stage: StageRef,
    record: ReleaseRecord | None,
    *,
    running: str | None,
    config: Path | None,
) -> Iterator[Candidate]:
    """Synthesize this checkout with the image that runs: what the infrastructure alone would change.

    Args:
        configuration: the organization.
        stage: the environment.
        record: of its last release.
        running: digest that the deployed templates name; a placeholder stands for one that is not known.
        config: another configuration than the project's.
    """
    workload = stage.workload_name
    # Another configuration is of no commit that anybody knows.
    checkout = read_checkout() if config is None else Checkout(None, uncommitted=False)
    digest = running or (record.images.get(workload) if record else None) or PLACEHOLDER_DIGEST
    with TemporaryDirectory(prefix="lz-packet-") as directory:
        images = Path(directory) / "images"
        (images / workload).mkdir(parents=True)
        (images / workload / "image.json").write_text(json.dumps({"digest": digest}), encoding="utf-8")
        with drafted(config=config, images=images) as assembly:
            yield Candidate(
                stacks=read_assembly(assembly),
                digest=digest,
                revision=record.revisions.get(workload) if record else None,
                # The same image: there is nothing in it that the database has not.
                migrations=Migrations(workload=workload, digest=digest, inspected=True),
                judged=judged_now(assembly, configuration),
                commit=checkout.commit,
                uncommitted=checkout.uncommitted,
            )
