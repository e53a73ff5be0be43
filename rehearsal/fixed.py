"""What is fixed when a rehearsal starts: the accounts of its local AWS, and the names that its door leads to."""

from collections.abc import Collection, Sequence

from config import Configuration, StageRef
from config.naming import static_domain
from operations.errors import CommandError
from operations.rehearsed import ANEW_FIX


def accounts_of(configuration: Configuration, stages: Sequence[StageRef]) -> tuple[str, ...]:
    """List the ids of the accounts that environments need, each once.

    Args:
        configuration: the organization.
        stages: the environments.
    """
    accounts = configuration.accounts
    needed = [accounts.tooling, accounts.shared_services, *(stage.account_id for stage in stages)]
    return tuple(dict.fromkeys(needed))


def sites_of(stages: Sequence[StageRef]) -> tuple[str, ...]:
    """List the addresses of environments.

    Args:
        stages: the environments.
    """
    return tuple(
        f"https://{name}/"
        for stage in stages
        for name in (stage.environment.domain, static_domain(stage.environment.domain))
    )


def refuse_what_is_new(
    configuration: Configuration, *, accounts: Collection[str], sites: Collection[str]
) -> None:
    """Refuse an organization that has grown beyond the rehearsal that is up.

    Its pipeline would release for minutes, and then fail: nobody has bootstrapped a new account, and no request
    reaches a new name.

    Args:
        configuration: the organization.
        accounts: ids of the accounts that the rehearsal has.
        sites: the addresses that its door leads to.

    Raises:
        CommandError: an account or the domain of an environment is new; all of them are named.
    """
    stages = configuration.stages()
    names = {number: name for name, number in configuration.account_ids().items()}
    missing = [number for number in accounts_of(configuration, stages) if number not in accounts]
    new = [f"account {number} ({names[number]})" for number in missing]
    new += [
        f"{stage.environment.domain} ({stage.key})"
        for stage in stages
        if not set(sites_of([stage])) <= set(sites)
    ]
    if new:
        message = f"the rehearsal that is up was started without {', '.join(new)}"
        raise CommandError(f"{message}: accounts and domains are fixed at its start", fix=ANEW_FIX)
