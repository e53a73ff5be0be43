"""One emulator for all tests that need one, and small stacks in it."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.door import Door, DoorState
from rehearsal.emulator import Emulator
from rehearsal.engine.network import Network, claim
from tests.rehearsal.site_template import DOMAIN, HOST, STATIC

if TYPE_CHECKING:
    from rehearsal.checks import Deployed
    from tests.kept import Kept
    from tests.rehearsal.sites import Site, Target
    from tests.rehearsal.workload import Workload

REGION = "eu-west-1"
TOOLING, SHARED, STAGING, PRODUCTION = "111111111111", "222222222222", "333333333333", "444444444444"


@dataclass(frozen=True)
class Stack:
    """A stack after an operation."""

    name: str
    status: str
    outputs: Mapping[str, str]
    failures: Mapping[str, str]  # logical id -> reason
    ids: Mapping[str, str]  # logical id -> physical id


@dataclass(frozen=True)
class Cloud:
    """The emulator, and short ways to work with it."""

    emulator: Emulator

    def client(self, service: str, account: str = STAGING, **options: Any) -> Any:
        return self.emulator.client(service, account, **options)

    def deploy(
        self,
        resources: Mapping[str, Any],
        *,
        account: str = STAGING,
        region: str = REGION,
        name: str | None = None,
        outputs: Mapping[str, Any] | None = None,
        role: str | None = None,
    ) -> Stack:
        """Create a stack, or update it if a name is given that exists."""
        cloudformation = self.client("cloudformation", account, region=region)
        template = {
            "Resources": resources,
            "Outputs": {key: {"Value": value} for key, value in (outputs or {}).items()},
        }
        stack_name = name or f"t{uuid.uuid4().hex[:12]}"
        request: dict[str, Any] = {
            "StackName": stack_name,
            "TemplateBody": json.dumps(template),
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
        }
        if role:
            request["RoleARN"] = role
        known = {stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]}
        operate = cloudformation.update_stack if stack_name in known else cloudformation.create_stack
        operate(**request)
        return self.stack(stack_name, account=account, region=region)

    def stack(self, name: str, *, account: str = STAGING, region: str = REGION) -> Stack:
        cloudformation = self.client("cloudformation", account, region=region)
        described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        resources = cloudformation.list_stack_resources(StackName=name)["StackResourceSummaries"]
        return Stack(
            name=name,
            status=described["StackStatus"],
            outputs={item["OutputKey"]: item["OutputValue"] for item in described.get("Outputs", [])},
            failures={
                event["LogicalResourceId"]: event.get("ResourceStatusReason", "")
                for event in events
                if event["ResourceStatus"].endswith("_FAILED")
            },
            ids={item["LogicalResourceId"]: item.get("PhysicalResourceId", "") for item in resources},
        )

    def delete(self, stack: Stack, *, account: str = STAGING, region: str = REGION) -> None:
        self.client("cloudformation", account, region=region).delete_stack(StackName=stack.name)

    def role(self, *, account: str = STAGING, trust: Any = None, allow: Any = ()) -> str:
        """Make a role that its own account trusts, unless told otherwise, and that may do the actions given."""
        iam = self.client("iam", account)
        name = f"r{uuid.uuid4().hex[:12]}"
        principal = trust or {"AWS": f"arn:aws:iam::{account}:root"}
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=policy(principal, "sts:AssumeRole", resource=None)
        )
        if allow:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(None, allow))
        return f"arn:aws:iam::{account}:role/{name}"

    def session(self, role_arn: str, *, account: str | None = None) -> Mapping[str, str]:
        """Assume a role as the root of an account, its own if left out."""
        sts = self.client("sts", account or role_arn.split(":")[4])
        credentials: Mapping[str, str] = sts.assume_role(RoleArn=role_arn, RoleSessionName="test")[
            "Credentials"
        ]
        return credentials


def policy(principal: Any, action: Any, resource: Any = "*") -> str:
    """A policy of one statement."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action}
    if principal is not None:
        statement["Principal"] = principal
    if resource is not None:
        statement["Resource"] = resource
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A running emulator with four accounts."""
    directory: Path = tmp_path_factory.mktemp("emulator")
    with Emulator(
        directory=directory, region=REGION, accounts=[TOOLING, SHARED, STAGING, PRODUCTION]
    ) as emulator:
        yield Cloud(emulator)


@pytest.fixture(scope="session")
def site(cloud: Cloud) -> Iterator["Site"]:
    """A site, for the door to lead to; a test that breaks it mends it again."""
    from tests.rehearsal.sites import Site  # noqa: PLC0415 -- it needs what is defined above

    made = Site(cloud)
    yield made
    made.remove()


@pytest.fixture(scope="session")
def state(cloud: Cloud, site: "Site", tmp_path_factory: pytest.TempPathFactory) -> Iterator[DoorState]:
    """An open door."""
    from tests.rehearsal.sites import FRESH_SECONDS  # noqa: PLC0415

    door = Door(tmp_path_factory.mktemp("door"))
    yield door.start(
        cloud.emulator,
        domain=DOMAIN,
        parent_account=SHARED,
        parent_zone=None,
        sites=[f"https://{HOST}/", f"https://{STATIC}/"],
        fresh_seconds=FRESH_SECONDS,
    )
    door.stop()


@pytest.fixture(scope="session")
def addresses() -> Iterator[Network]:
    """Addresses that no other process has, whatever runs beside this one."""
    made = claim()
    yield made
    made.agent.close()


@pytest.fixture
def targets(site: "Site", state: DoorState, addresses: Network) -> Iterator[list["Target"]]:
    """Two tasks in service."""
    from tests.rehearsal.sites import Target, ask, eventually  # noqa: PLC0415

    made = [Target(addresses.address(f"target {number}")) for number in (1, 2)]
    site.register(*made)
    eventually(lambda: ask(state, f"https://{HOST}/"), lambda found: found.status == 200)
    yield made
    site.deregister(*made)
    for target in made:
        target.stop()
    eventually(lambda: ask(state, f"https://{HOST}/"), lambda found: found.status == 503)


@pytest.fixture(scope="session")
def workload(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> "Workload":
    """A small workload whose image is in the registry."""
    from tests.rehearsal.workload import Workload, write_source  # noqa: PLC0415 (it needs this module)

    return Workload(cloud, write_source(tmp_path_factory.mktemp("source")))


@pytest.fixture(scope="session")
def deployed(kept: "Kept") -> "Deployed":
    """The whole organization, as the checks of a rehearsal look at it."""
    return kept.deployed()
