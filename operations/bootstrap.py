"""What `cdk bootstrap` must be told for each account: where, and whom to trust."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.models import Configuration
from config.naming import CDN_REGION, Names


@dataclass(frozen=True)
class Bootstrap:
    """One call of the CDK CLI, made with credentials of one account's administrator.

    Args:
        account_name: `tooling`, `shared_services`, or the name of a workload account.
        account_id: its id.
        environments: `aws://ID/REGION`, every region in which a stack of this account is deployed.
        arguments: argument list for the CDK CLI, from `bootstrap` on.
    """

    account_name: str
    account_id: str
    environments: tuple[str, ...]
    arguments: tuple[str, ...]


def bootstraps(
    configuration: Configuration,
    *,
    execution_policies: str | None = None,
    termination_protection: bool = True,
) -> tuple[Bootstrap, ...]:
    """List the calls, in the order in which to make them: tooling, shared services, workload accounts.

    All of them come before the pipeline's first deployment: the key of its artifacts names roles that
    bootstrapping makes, and IAM refuses a policy with a principal that does not exist.

    Args:
        configuration: the organization.
        execution_policies: ARNs, separated by commas, of what CloudFormation may do in an account;
            AdministratorAccess if left out. With trust the CLI demands an explicit choice.
        termination_protection: refuse to delete the bootstrap stack.
    """
    names = Names(configuration)
    policies = execution_policies or f"arn:{names.partition}:iam::aws:policy/AdministratorAccess"
    tooling = configuration.accounts.tooling
    calls = []
    for account_name, regions in _regions(configuration).items():
        account_id = configuration.account_ids()[account_name]
        environments = tuple(f"aws://{account_id}/{region}" for region in regions)
        # The pipeline deploys from tooling; an account trusts itself without being told.
        trust = () if account_id == tooling else ("--trust", tooling, "--trust-for-lookup", tooling)
        calls.append(
            Bootstrap(
                account_name=account_name,
                account_id=account_id,
                environments=environments,
                arguments=(
                    "bootstrap",
                    *environments,
                    *trust,
                    "--cloudformation-execution-policies",
                    policies,
                    "--qualifier",
                    configuration.organization.qualifier,
                    *(("--termination-protection",) if termination_protection else ()),
                ),
            )
        )
    return tuple(calls)


def _regions(configuration: Configuration) -> Mapping[str, tuple[str, ...]]:
    """Map each account's name to the regions to bootstrap, home region first.

    A stage with a stack in the CDN's region makes the pipeline keep a copy of its artifacts there, in
    tooling: that support stack needs the region bootstrapped in tooling too. Shared services has no stack
    outside the home region.
    """
    home = configuration.organization.region
    both = tuple(dict.fromkeys((home, CDN_REGION)))
    return {
        "tooling": both,
        "shared_services": (home,),
        **dict.fromkeys(configuration.accounts.workloads, both),
    }
