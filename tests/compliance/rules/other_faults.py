"""Secrets, logs, data, images, places and tags as nobody wants them, and what is public without being meant to."""

from functools import partial

from tests.assembly import Assembly, Json
from tests.compliance.rules.fault import LIVE, STAGE, STRANGER, Fault, add

_WEB = f"{STAGE}-Web"
_DEFINITION = f"{STAGE}/Web/Web/Definition/Resource"
SECRETS = {
    "an AWS access key id": "AKIAIOSFODNN7EXAMPLE",
    "an AWS secret key": "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "a private key": "-----BEGIN RSA PRIVATE KEY-----",
    "a JSON Web Token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0.c2lnbmF0dXJlLW9mLW5vYm9keQ",
    "a token of a code host": "ghp_" + "a1B2" * 9,
    "a token of a service": "xoxb-" + "1234567890-abcdef",
    "a URL with a password": "postgres://django:hunter2@db.example/django",
}


def _container(assembly: Assembly) -> Json:
    definition = assembly[_WEB].resource("AWS::ECS::TaskDefinition")
    container: Json = definition.get("ContainerDefinitions", 0)
    return container


def _written_secret(assembly: Assembly) -> None:
    secret = assembly[f"{STAGE}-Parameters"].resource("AWS::SecretsManager::Secret", "DjangoSecretKey")
    secret.properties["SecretString"] = "hunter2"


def _variable(assembly: Assembly) -> None:
    _container(assembly)["Environment"].append({"Name": "DATABASE_PASSWORD", "Value": "hunter2"})


def _copy(assembly: Assembly) -> None:
    _container(assembly)["Secrets"][0]["ValueFrom"] = "hunter2"


def _foreign_secret(assembly: Assembly) -> None:
    secret = assembly[f"{LIVE}-Parameters"].resource("AWS::SecretsManager::Secret", "DjangoSecretKey")
    _container(assembly)["Secrets"][0]["ValueFrom"] = secret.reference


def _literal(text: str, assembly: Assembly) -> None:
    _container(assembly)["Environment"].append({"Name": "FEATURES", "Value": text})


def _drop_policy(resource_type: str, stack: str, assembly: Assembly) -> None:
    policy = assembly[stack].resources(resource_type)[0]
    del assembly[stack].template["Resources"][policy.logical_id]


def _topic(assembly: Assembly) -> None:
    add(assembly[f"{STAGE}-Queues"], "Odd", "AWS::SNS::Topic")


def _no_retention(assembly: Assembly) -> None:
    assembly[_WEB].resource("AWS::Logs::LogGroup").properties.pop("RetentionInDays")


def _own_group(assembly: Assembly) -> None:
    function = assembly[f"{STAGE}-Dns"].resources("AWS::Lambda::Function")[0]
    function.properties.pop("LoggingConfig")


def _lose(key: str, assembly: Assembly) -> None:
    assembly[f"{LIVE}-Media"].resource("AWS::S3::Bucket").body[key] = "Delete"


def _lose_images(assembly: Assembly) -> None:
    assembly["Registry"].resource("AWS::ECR::Repository").body.pop("DeletionPolicy")


def _unprotected(assembly: Assembly) -> None:
    assembly[f"{LIVE}-Database"].resource("AWS::RDS::DBCluster").properties.pop("DeletionProtection")


def _image(image: str, assembly: Assembly) -> None:
    _container(assembly)["Image"] = image


def _sidecar(assembly: Assembly) -> None:
    definition = assembly[_WEB].resource("AWS::ECS::TaskDefinition")
    definition.get("ContainerDefinitions").append({"Name": "proxy", "Image": "docker.io/library/nginx"})


def _function_image(assembly: Assembly) -> None:
    code = {"ImageUri": "docker.io/library/nginx:1"}
    add(assembly[_WEB], "Odd", "AWS::Lambda::Function", Code=code)


def _place(attribute: str, value: str, assembly: Assembly) -> None:
    setattr(assembly[_WEB], attribute, value)


def _strange_account(assembly: Assembly) -> None:
    topic = f"arn:aws:sns:eu-west-1:{STRANGER}:alarms"
    add(assembly[_WEB], "Odd", "AWS::CloudWatch::Alarm", AlarmActions=[topic])


def _untagged(assembly: Assembly) -> None:
    assembly[_WEB].tags = {"organization": "acme", "managed-by": "cdk", "workload": "shop"}


def _second_balancer(assembly: Assembly) -> None:
    add(assembly[_WEB], "Odd", "AWS::ElasticLoadBalancingV2::LoadBalancer")


def _public(resource_type: str, assembly: Assembly, **properties: object) -> None:
    add(assembly[_WEB], "Odd", resource_type, **properties)


def _no_site(assembly: Assembly) -> None:
    record = assembly[_WEB].resource("AWS::Route53::RecordSet")
    del assembly[_WEB].template["Resources"][record.logical_id]


_ODD = f"{STAGE}/Web/Odd"
_TAG = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/acme/my-django-app:latest"
_ELSEWHERE = f"{STRANGER}.dkr.ecr.eu-west-1.amazonaws.com/acme/my-django-app@sha256:" + "0" * 64

FAULTS = (
    Fault(
        "LZ-SEC-1",
        "a written value",
        _written_secret,
        f"{STAGE}/Parameters/DjangoSecretKey/Resource",
        "SecretString",
    ),
    Fault("LZ-SEC-1", "a variable", _variable, _DEFINITION, "it shows DATABASE_PASSWORD"),
    Fault("LZ-SEC-1", "a copy", _copy, _DEFINITION, "something else than a secret"),
    Fault("LZ-SEC-1", "another environment's", _foreign_secret, _DEFINITION, "something else than a secret"),
    *(
        Fault("LZ-SEC-2", what, partial(_literal, text), _DEFINITION, f"it holds {what}")
        for what, text in SECRETS.items()
    ),
    Fault(
        "LZ-TLS-1",
        "a bucket",
        partial(_drop_policy, "AWS::S3::BucketPolicy", f"{STAGE}-Media"),
        f"{STAGE}/Media/Bucket/Resource",
        "plain transport",
    ),
    Fault(
        "LZ-TLS-1",
        "a queue",
        partial(_drop_policy, "AWS::SQS::QueuePolicy", f"{STAGE}-Queues"),
        f"{STAGE}/Queues/DeadLetters/Resource",
        "plain transport",
    ),
    Fault("LZ-TLS-1", "a topic", _topic, f"{STAGE}/Queues/Odd", "plain transport"),
    Fault("LZ-LOG-1", "no retention", _no_retention, f"{STAGE}/Web/WebLogs/Resource", "no retention"),
    Fault(
        "LZ-LOG-1",
        "a group of its own",
        _own_group,
        f"{STAGE}/Dns/Custom::CrossAccountZoneDelegationCustomResourceProvider/Handler",
        "own making",
    ),
    *(
        Fault("LZ-DAT-1", key, partial(_lose, key), f"{LIVE}/Media/Bucket/Resource", f"its {key} is Delete")
        for key in ("DeletionPolicy", "UpdateReplacePolicy")
    ),
    Fault("LZ-DAT-1", "images", _lose_images, "Registry/MyDjangoApp/Resource", "is Delete"),
    Fault("LZ-DAT-1", "protection", _unprotected, f"{LIVE}/Database/Cluster/Resource", "deleted by one call"),
    Fault("LZ-IMG-1", "a tag", partial(_image, _TAG), _DEFINITION, "named by a tag"),
    Fault("LZ-IMG-1", "another registry", partial(_image, _ELSEWHERE), _DEFINITION, "is not from"),
    Fault("LZ-IMG-1", "a sidecar", _sidecar, _DEFINITION, "nginx"),
    Fault("LZ-IMG-1", "a function", _function_image, _ODD, "nginx"),
    Fault(
        "LZ-ORG-1",
        "another account",
        partial(_place, "account", "444444444444"),
        f"{STAGE}/Web",
        "not in 333333333333",
    ),
    Fault(
        "LZ-ORG-1",
        "another region",
        partial(_place, "region", "eu-north-1"),
        f"{STAGE}/Web",
        "it is in eu-north-1",
    ),
    Fault(
        "LZ-ORG-1",
        "no stage",
        partial(_place, "stage", "Preview"),
        f"{STAGE}/Web",
        "no stage of the configuration",
    ),
    Fault("LZ-ORG-2", "an ARN", _strange_account, f"{STAGE}/Web", f"it names account {STRANGER}"),
    Fault("LZ-TAG-1", "another workload", _untagged, f"{STAGE}/Web", "its tag workload is shop"),
    Fault("LZ-PUB-1", "a second load balancer", _second_balancer, _ODD, "this load balancer"),
    Fault(
        "LZ-PUB-1",
        "a function URL",
        partial(_public, "AWS::Lambda::Url"),
        _ODD,
        "this function URL",
    ),
    Fault(
        "LZ-PUB-1",
        "a task",
        partial(
            _public,
            "AWS::ECS::Service",
            NetworkConfiguration={"AwsvpcConfiguration": {"AssignPublicIp": "ENABLED"}},
        ),
        _ODD,
        "tasks with a public address",
    ),
    Fault("LZ-PUB-1", "an API", partial(_public, "AWS::ApiGateway::RestApi"), _ODD, "this API"),
    Fault("LZ-PUB-1", "an address", partial(_public, "AWS::EC2::EIP"), _ODD, "this address"),
    Fault(
        "LZ-PUB-1",
        "an instance",
        partial(_public, "AWS::EC2::Instance", NetworkInterfaces=[{"AssociatePublicIpAddress": True}]),
        _ODD,
        "this instance",
    ),
    Fault("LZ-PUB-1", "a bucket", partial(_public, "AWS::S3::Bucket"), _ODD, "this bucket"),
    Fault("LZ-PUB-1", "no site", _no_site, f"{STAGE}/Network", "staging.acme.example is declared public"),
)
