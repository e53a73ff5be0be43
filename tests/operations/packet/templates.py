"""Small templates, in pairs."""

from typing import Any

from operations.packet.differences import Difference, Pair, differences
from operations.releases.templates import StackTemplate

STAGE = "ShopProduction"


def template(**resources: dict[str, Any]) -> dict[str, Any]:
    """Return a template; each resource gets the construct path that the CDK would note."""
    return {
        "Resources": {
            name: {"Metadata": {"aws:cdk:path": f"{STAGE}/Media/{name}/Resource"}, **body}
            for name, body in resources.items()
        }
    }


def resource(kind: str, properties: dict[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    """Return a resource of a type such as `S3::Bucket`."""
    return {"Type": f"AWS::{kind}", "Properties": properties or {}, **attributes}


def stack(
    content: dict[str, Any] | None = None,
    *,
    name: str = "Media",
    stage: str = STAGE,
    account: str = "4" * 12,
) -> StackTemplate:
    """Return a stack."""
    return StackTemplate(
        name=f"{stage}-{name}",
        path=f"{stage}/{name}",
        stage=stage,
        account=account,
        region="eu-west-1",
        template=content if content is not None else template(Bucket=resource("S3::Bucket")),
    )


def difference(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Difference:
    """Compare two templates."""
    (found,) = differences([Pair(name=f"{STAGE}-Media", before=before, after=after)])
    return found
