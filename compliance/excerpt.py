"""The part of a result that one environment stands on: what its approver answers for."""

from compliance.results import ComplianceResult


def excerpt(result: ComplianceResult, environment: str) -> ComplianceResult:
    """Leave out the stacks of other environments, and whatever is about them.

    Tooling and shared services stay, for every environment stands on them. So do the packs, their rules and the whole
    ledger: an entry of it is about all environments at once. Judgements of the environment's own stacks come first.

    Args:
        result: what the gate found.
        environment: key of the environment, such as `my-django-app/production`.
    """
    stacks = tuple(stack for stack in result.stacks if stack.environment in {"", environment})
    kept = {stack.name for stack in stacks}
    own = {stack.name for stack in stacks if stack.environment == environment}
    accounts = {stack.account for stack in stacks}
    others = {stack.name for stack in result.stacks} - kept
    return result.model_copy(
        update={
            "accounts": tuple(account for account in result.accounts if account.id in accounts),
            "stacks": stacks,
            "rows": tuple(
                sorted(
                    (row for row in result.rows if row.stack in kept), key=lambda row: row.stack not in own
                )
            ),
            "coverage": tuple(cell for cell in result.coverage if cell.stack in kept),
            # The roles of `cdk bootstrap` are in no stack of the assembly; they count for every account that is kept.
            "trust": tuple(
                trust for trust in result.trust if trust.stack not in others and trust.account in accounts
            ),
            "exposures": tuple(
                exposure for exposure in result.exposures if exposure.stack in kept or not exposure.stack
            ),
        }
    )
