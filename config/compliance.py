"""What the configuration says about compliance: which packs judge what, and what is meant to be public."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.config import JsonDict

from config.formats import Format
from config.sizes import Model

OptionalPack = Literal["nist-800-53-r5", "hipaa-security", "pci-dss-321"]
"""The packs that are a choice; AWS Solutions and our own rules judge everything."""

PublicName = Annotated[
    str,
    Format(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*(/[A-Za-z0-9._:-]+)*$",
        problem="neither a host name nor a construct path",
        allowed="a host name that leads to it, or the construct path of a resource without one",
        fix='write the name that people type, such as "api.acme.example"',
        example="api.acme.example",
        longest=255,
    ),
]

_UNIQUE: JsonDict = {"uniqueItems": True}


class Compliance(Model):
    """What holds for tooling and shared services, and for environments that say nothing else."""

    packs: tuple[OptionalPack, ...] = Field(
        default=(), description="Packs of rules besides AWS Solutions and our own.", json_schema_extra=_UNIQUE
    )
    public: tuple[PublicName, ...] = Field(
        default=(),
        description="What the internet may reach in tooling and shared services, by host name or construct path.",
        json_schema_extra=_UNIQUE,
    )


class EnvironmentCompliance(Model):
    """What holds for one environment."""

    packs: tuple[OptionalPack, ...] | None = Field(
        default=None,
        description="Packs of rules besides AWS Solutions and our own; the organization's if left out.",
        json_schema_extra=_UNIQUE,
    )
    public: tuple[PublicName, ...] | None = Field(
        default=None,
        description="What the internet may reach; the site and its static files if left out.",
        json_schema_extra=_UNIQUE,
    )
