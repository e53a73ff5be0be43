"""What the emulator does not do, for the rehearsal's report. The tests try what is said here."""

from collections.abc import Mapping

_ROUTING = "EC2 knows it and describes it; no packet moves"

# CloudFormation type -> what is not simulated of it.
RECORDED_ONLY: Mapping[str, str] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "services are kept within it; there is no scaling API to ask",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "step scaling follows its alarm; target tracking is recorded alone",
    "AWS::CloudWatch::Alarm": "one on a metric expression drives its step scaling alone; others are evaluated",
    "AWS::CloudWatch::CompositeAlarm": "recorded by its stack; never evaluated",
    "AWS::CodeConnections::Connection": "recorded by its stack; it connects to nothing",
    "AWS::CodeStarConnections::Connection": "recorded by its stack; it connects to nothing",
    "AWS::CodeStarNotifications::NotificationRule": "recorded by its stack; nobody is notified",
    "AWS::EC2::EIP": f"{_ROUTING}, and the address is made up",
    "AWS::EC2::FlowLog": "EC2 knows it and describes it; there is no traffic to log",
    "AWS::EC2::NatGateway": _ROUTING,
    "AWS::EC2::Route": _ROUTING,
    "AWS::EC2::SecurityGroup": "EC2 knows its rules and describes them; no connection is refused",
    "AWS::EC2::SecurityGroupEgress": "EC2 knows the rule and describes it; no connection is refused",
    "AWS::EC2::SecurityGroupIngress": "EC2 knows the rule and describes it; no connection is refused",
    "AWS::EC2::TransitGateway": _ROUTING,
    "AWS::EC2::TransitGatewayRoute": _ROUTING,
    "AWS::EC2::TransitGatewayRouteTable": _ROUTING,
    "AWS::EC2::TransitGatewayRouteTableAssociation": _ROUTING,
    "AWS::EC2::TransitGatewayRouteTablePropagation": _ROUTING,
    "AWS::EC2::TransitGatewayVpcAttachment": _ROUTING,
    "AWS::EC2::VPCEndpoint": "EC2 knows it and describes it; it has no network interfaces and no names",
    "AWS::Logs::QueryDefinition": "recorded by its stack; CloudWatch Logs does not list it",
    "AWS::RAM::ResourceShare": "it decides who may attach to a transit gateway; there is no RAM API to ask about it",
    "AWS::SecretsManager::RotationSchedule": "recorded by its stack; no secret is rotated",
    "AWS::WAFv2::LoggingConfiguration": "recorded by its stack; no request is logged",
    "AWS::WAFv2::WebACLAssociation": "recorded by its stack; no request is filtered",
}

# AWS's rules that a deployment here can break without an error.
NOT_ENFORCED: tuple[str, ...] = (
    "CloudFormation does not ask what a stack's execution role may do, only that it exists and trusts CloudFormation.",
    "iam:PassRole is evaluated for tasks, task definitions and a stack's execution role; not for what a stack makes.",
    "Service control policies do not exist.",
    "S3 does not ask KMS: an object under a key can be read without the right to decrypt with it.",
    "A certificate is issued at once; if it names its hosted zone, that zone must be delegated inside the rehearsal.",
    "The public DNS is not asked: the topmost zone counts as delegated by its registrar.",
    "A resource share with the organization or a unit counts for every account of the rehearsal.",
    "Tasks are processes of this machine: they share its file system, its network and its kind of processor.",
    "A task that leaves its load balancer is told to stop after 3 s; AWS waits for the deregistration delay.",
    "A database cluster is one PostgreSQL, which all its instances are: it is not replicated, and it never pauses.",
    "IAM authentication to a database does not exist.",
    "ECS Exec opens no session.",
    "A build that no pipeline starts runs nothing and succeeds.",
    "A principal of an account outside the rehearsal is not looked up in policies.",
)
