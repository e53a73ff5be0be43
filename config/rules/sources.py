"""Sources: where code comes from, over which connection, and who is asked before production."""

from collections.abc import Iterator

from config.problems import Finding, Place, dotted
from config.rules.view import View


def check(view: View) -> Iterator[Finding]:
    """Apply the rules about the pipeline and the sources of workloads."""
    yield from _connection(view, ("pipeline", "connection_arn"))
    yield from _approvals(view)
    for name, workload in view.workloads():
        if isinstance(workload.get("source"), dict):
            place = ("workloads", name, "source")
            yield from _one_source(view, place)
            yield from _folder(view, place)
            yield from _connection(view, (*place, "connection_arn"))
    yield from _repositories(view)


def _connection(view: View, place: Place) -> Iterator[Finding]:
    arn = view.get(*place)
    if arn is None:
        return
    _, partition, _, region, account, _ = arn.split(":", maxsplit=5)
    home, tooling = view.get("organization", "region"), view.get("accounts", "tooling")
    if partition != "aws":
        yield Finding(place, f"in another AWS partition: {partition}", "arn:aws:...", "copy the ARN again")
    elif home is not None and region != home:
        yield Finding(
            place,
            f"in the region {region}, while the pipeline runs in {home}",
            f"a connection in {home} (organization.region)",
            f"create the connection in {home}, in the tooling account",
        )
    if tooling is not None and account != tooling:
        yield Finding(
            place,
            f"in the account {account}, while the pipeline runs in tooling",
            f"a connection in {tooling} (accounts.tooling)",
            "create the connection in the tooling account and copy its ARN",
        )


def _approvals(view: View) -> Iterator[Finding]:
    approvals = view.get("pipeline", "approvals")
    if approvals is None or None in approvals:
        return
    if "production" not in approvals and any(item.is_production for item in view.environments()):
        yield Finding(
            ("pipeline", "approvals"),
            "production needs approval",
            'a list with "production" as soon as one environment is of that class',
            'add "production"',
        )
    if len(set(approvals)) < len(approvals):
        yield Finding(
            ("pipeline", "approvals"), "a class twice", "each class once", "remove one of the two entries"
        )


def _one_source(view: View, place: Place) -> Iterator[Finding]:
    # What is written counts, also where its value was refused: one mistake shall not look like two.
    path, repository, branch, connection = (
        view.is_written(*place, key) for key in ("path", "repository", "branch", "connection_arn")
    )
    allowed = "either path, or repository and branch"
    if path and repository:
        yield Finding(
            place, "both a path and a repository", allowed, "remove path, or repository and its other keys"
        )
    elif not path and not repository:
        yield Finding(place, "neither a path nor a repository", allowed, 'add "path": "workloads/django/app"')
    elif repository and not branch:
        yield Finding(place, "a repository without a branch", allowed, 'add "branch": "main"')
    for key, is_written in (("branch", branch), ("connection_arn", connection)):
        if is_written and not repository:
            yield Finding(
                (*place, key),
                "without a repository, this says nothing",
                allowed,
                "remove it, or add repository",
            )


def _folder(view: View, place: Place) -> Iterator[Finding]:
    path, root = view.get(*place, "path"), view.project_root
    if path is None or root is None:
        return
    folder = (root / path).resolve()
    allowed = "a folder of this project that holds a Dockerfile"
    if not folder.is_relative_to(root.resolve()):
        yield Finding((*place, "path"), "a link leads out of the project", allowed, "move the folder inside")
    elif not folder.is_dir():
        what = "not a folder" if folder.exists() else "no such folder"
        yield Finding((*place, "path"), what, allowed, "correct the path, or commit the folder")
    elif not (folder / "Dockerfile").is_file():
        yield Finding((*place, "path"), "no Dockerfile in this folder", allowed, "add a Dockerfile to it")


def _repositories(view: View) -> Iterator[Finding]:
    """A repository is one action of the pipeline: it has one branch and one connection, whoever builds from it."""
    pipeline = view.get("pipeline") or {}
    home = pipeline.get("repository")
    earlier: dict[str, tuple[Place, tuple[str | None, str | None]]] = {}
    for name, workload in view.workloads():
        place: Place = ("workloads", name, "source")
        source = workload.get("source")
        source = source if isinstance(source, dict) else {}
        repository, branch, connection = (
            source.get(key) for key in ("repository", "branch", "connection_arn")
        )
        if repository is None or branch is None:
            continue
        if connection is None and view.is_written(*place, "connection_arn"):
            continue  # it is written and was refused: nobody knows yet what it will be
        if repository == home:
            yield Finding(
                (*place, "repository"),
                "the repository of the landing zone itself",
                "a path in this repository, or another repository",
                'write "path" with the folder of the workload, without repository and branch',
            )
            continue
        followed = (branch, connection or pipeline.get("connection_arn"))
        other, theirs = earlier.setdefault(repository, (place, followed))
        if theirs != followed:
            yield Finding(
                place,
                f"another branch or connection than {dotted(other)} has for the same repository",
                "one branch and one connection for a repository",
                f"write the same in both, or give {name} a repository of its own",
            )
