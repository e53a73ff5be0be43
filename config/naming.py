"""Names that another account, a pipeline step or a person must know in advance.

Across accounts nothing is looked up: both sides build the same name here, from the configuration alone. A resource
that nobody outside its stage must find gets no physical name, so that CloudFormation can replace it.
"""

from dataclasses import dataclass
from datetime import datetime

from config.models import Configuration

TRANSIT_GATEWAY_OUTPUT = "TransitGatewayId"
NAME_SERVERS_OUTPUT = "ParentNameServers"
SHARED_SERVICES_STAGE = "SharedServices"
REGISTRY_STACK = "Registry"
PIPELINE_STACK = "Pipeline"
ONE_OFF_PREFIX = "one-off/"  # of the objects through which secret values reach one-off commands
RECORDS_STACK = "Records"
PACKETS = "packets/"  # of the approval packets in the records bucket
RECORDED_TEMPLATES = "templates.json.gz"
RECORDED_RESULT = "compliance.json.gz"
CDN_REGION = "us-east-1"  # CloudFront takes certificates from this region alone


def parameter_name(stage_name: str, name: str) -> str:
    """Return the SSM parameter's name: `/<StageName>/<Name>`, the convention of every run-time tool."""
    return f"/{stage_name}/{name}"


def record_prefix(stage_name: str) -> str:
    """Return where the release records of a stage are, within `Names.records_bucket`."""
    return f"{stage_name}/"


def record_key(stage_name: str, time: datetime, execution_id: str) -> str:
    """Return the key of one release record; keys sort by time.

    Args:
        stage_name: the stage.
        time: when it was recorded, in UTC.
        execution_id: of the pipeline.
    """
    return f"{record_prefix(stage_name)}{time:%Y-%m-%dT%H-%M-%SZ}-{execution_id}.json"


def current_record_key(stage_name: str) -> str:
    """Return the key of the copy of a stage's newest release record."""
    return f"{record_prefix(stage_name)}current.json"


def templates_key(stage_name: str) -> str:
    """Return the key of the templates that a stage's last successful release deployed, beside its records."""
    return f"{record_prefix(stage_name)}{RECORDED_TEMPLATES}"


def judged_key(stage_name: str) -> str:
    """Return the key of what the gate found at a stage's last successful release, beside its records."""
    return f"{record_prefix(stage_name)}{RECORDED_RESULT}"


def packet_prefix(stage_name: str) -> str:
    """Return where the approval packets of a stage are, in the same bucket as its records and apart from them."""
    return f"{PACKETS}{stage_name}/"


def packet_key(stage_name: str, execution_id: str, name: str) -> str:
    """Return the key of one file of the packet that one execution of the pipeline made.

    Args:
        stage_name: the stage.
        execution_id: of the pipeline.
        name: such as `packet.html`.
    """
    return f"{packet_prefix(stage_name)}{execution_id}/{name}"


def static_domain(domain: str) -> str:
    """Return the CDN's own name under an environment's domain."""
    return f"static.{domain}"


def resource_name(text: str) -> str:
    """Return text as the last part of an IAM role name: an environment's key `shop/staging` is `shop-staging`."""
    return text.replace("/", "-")


@dataclass(frozen=True)
class Names:
    """Cross-account names of one organization.

    Args:
        configuration: the validated configuration.
    """

    configuration: Configuration

    @property
    def _organization(self) -> str:
        return self.configuration.organization.name

    def role_arn(self, account: str, role_name: str) -> str:
        """Return the ARN of a role by its account and name."""
        return f"arn:{self.partition}:iam::{account}:role/{role_name}"

    def account_arn(self, account: str) -> str:
        """Return the ARN that stands for everybody in an account whom the account itself lets."""
        return f"arn:{self.partition}:iam::{account}:root"

    @property
    def partition(self) -> str:
        """The AWS partition of the home region."""
        region = self.configuration.organization.region
        return (
            "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
        )

    def bootstrap_role_arn(self, account: str, kind: str, region: str | None = None) -> str:
        """Return the ARN of a role that `cdk bootstrap` makes.

        Args:
            account: account id.
            kind: deploy-role, cfn-exec-role, file-publishing-role, image-publishing-role or lookup-role.
            region: the bootstrapped region; the home region if left out.
        """
        organization = self.configuration.organization
        return self.role_arn(
            account, f"cdk-{organization.qualifier}-{kind}-{account}-{region or organization.region}"
        )

    def any_bootstrap_role_arn(self, kind: str) -> str:
        """Return the pattern of a bootstrap role's ARN in any account and region.

        Args:
            kind: as for `bootstrap_role_arn`.
        """
        return self.role_arn("*", f"cdk-{self.configuration.organization.qualifier}-{kind}-*")

    def delegation_role(self, environment_key: str) -> str:
        """Role in shared services that may write one environment's NS record in the parent zone."""
        return f"{self._organization}-dns-delegation-{resource_name(environment_key)}"

    @property
    def network_reader_role(self) -> str:
        """Role in shared services that reads the transit gateway's id from the network stack's output."""
        return f"{self._organization}-network-outputs-reader"

    @property
    def dns_reader_role(self) -> str:
        """Role in shared services with which the pipeline reads the parent zone's name servers."""
        return f"{self._organization}-dns-outputs-reader"

    @property
    def dns_step_role(self) -> str:
        """Role in tooling of the pipeline's DNS preflight."""
        return f"{self._organization}-dns-preflight-step"

    def release_step_role(self, environment_key: str) -> str:
        """Role in tooling of one environment's release step."""
        return f"{self._organization}-release-step-{resource_name(environment_key)}"

    def release_runner_role(self, environment_key: str) -> str:
        """Role in a workload account that may start its release task, trusted for the release step alone."""
        return f"{self._organization}-release-runner-{resource_name(environment_key)}"

    def record_step_role(self, environment_key: str) -> str:
        """Role in tooling of the step that records one environment's release."""
        return f"{self._organization}-record-step-{resource_name(environment_key)}"

    def packet_step_role(self, environment_key: str) -> str:
        """Role in tooling of the step that makes one environment's approval packet."""
        return f"{self._organization}-packet-step-{resource_name(environment_key)}"

    def serving_reader_role(self, environment_key: str) -> str:
        """Role in a workload account that sees which image an environment's services run, for the record step."""
        return f"{self._organization}-serving-reader-{resource_name(environment_key)}"

    def rollback_role(self, environment_key: str) -> str:
        """Role in a workload account with which its people return an environment to an earlier image."""
        return f"{self._organization}-rollback-{resource_name(environment_key)}"

    @property
    def trust_step_role(self) -> str:
        """Role in tooling of the pipeline's look at every account's bootstrap and trust."""
        return f"{self._organization}-trust-preflight-step"

    @property
    def records_bucket(self) -> str:
        """Bucket in tooling with the release records of every environment."""
        configuration = self.configuration
        return f"{self._organization}-releases-{configuration.accounts.tooling}-{configuration.organization.region}"

    def object_in_console(self, bucket: str, key: str) -> str:
        """Return the address at which the console shows an object of the home region.

        Args:
            bucket: name of the bucket.
            key: key of the object.
        """
        region = self.configuration.organization.region
        console = {
            "aws": "console.aws.amazon.com",
            "aws-cn": "console.amazonaws.cn",
            "aws-us-gov": "console.amazonaws-us-gov.com",
        }[self.partition]
        return f"https://{region}.{console}/s3/object/{bucket}?region={region}&prefix={key}"

    def operator_role(self, environment_key: str) -> str:
        """Role in a workload account with which its people run one-off commands in an environment."""
        return f"{self._organization}-operator-{resource_name(environment_key)}"

    def repository(self, workload_name: str) -> str:
        """ECR repository in tooling that holds one workload's images."""
        return f"{self._organization}/{workload_name}"

    def repository_arn(self, workload_name: str) -> str:
        """ARN of a workload's image repository."""
        configuration = self.configuration
        return (
            f"arn:{self.partition}:ecr:{configuration.organization.region}:{configuration.accounts.tooling}"
            f":repository/{self.repository(workload_name)}"
        )

    def stack_name(self, stage_name: str, construct_id: str) -> str:
        """Return the name that the CDK gives to a stack inside a stage."""
        return f"{stage_name}-{construct_id}"

    @property
    def network_stack(self) -> str:
        """Stack of the shared network, whose output carries the transit gateway's id."""
        return self.stack_name(SHARED_SERVICES_STAGE, "Network")

    @property
    def dns_stack(self) -> str:
        """Stack of the parent zone."""
        return self.stack_name(SHARED_SERVICES_STAGE, "Dns")
