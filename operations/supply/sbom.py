"""Bills of materials in CycloneDX 1.6, the same bytes for the same parts."""

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as BomComponent
from cyclonedx.model.component import ComponentType
from cyclonedx.output.json import JsonV1Dot6
from license_expression import ExpressionError, get_spdx_licensing
from packageurl import PackageURL

from operations.errors import CommandError
from operations.supply.components import Component, Ecosystem, Inventory

SUFFIX = ".cdx.json"
NOTE = "landing-zone:not-included"
_ALGORITHMS = {"sha256": HashAlgorithm.SHA_256, "sha512": HashAlgorithm.SHA_512}
_ECOSYSTEMS: tuple[Ecosystem, ...] = ("pypi", "npm", "deb")


def bill(name: str, version: str, inventories: Sequence[Inventory], *, container: bool = False) -> str:
    """Return the bill of what some inventories hold.

    Args:
        name: of the whole.
        version: of the whole; the digest of an image.
        inventories: its parts.
        container: it is an image, and not a program.
    """
    kind = ComponentType.CONTAINER if container else ComponentType.APPLICATION
    notes = [Property(name=NOTE, value=one.note) for one in inventories if one.note]
    bom = Bom(
        components=_components(part for inventory in inventories for part in inventory.components),
        # A number of its own content: a run that changes nothing makes the same file.
        serial_number=uuid5(
            NAMESPACE_URL, repr((name, version, inventories, [one.components for one in inventories]))
        ),
    )
    bom.metadata.component = BomComponent(
        name=name, version=version, type=kind, bom_ref=name, properties=notes
    )
    with warnings.catch_warnings():
        # A lock says which parts there are; which needs which is not in it, and is not claimed.
        warnings.filterwarnings("ignore", message=".*no defined dependencies")
        made = json.loads(JsonV1Dot6(bom).output_as_string())
    made["metadata"].pop("timestamp", None)
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def release_bill(
    name: str, version: str, inventories: Sequence[Inventory], digests: Mapping[str, str]
) -> str:
    """Return the bill of a whole release: one component per inventory, with its parts inside.

    Args:
        name: of the organization.
        version: commit of this project.
        inventories: everything that was looked at.
        digests: inventory's name -> digest, of those that are images.
    """
    held = [
        json.loads(bill(one.name, digests.get(one.name, version), [one], container=one.name in digests))
        for one in inventories
    ]
    outer = json.loads(bill(name, version, []))
    outer["components"] = [
        {
            **one["metadata"]["component"],
            "components": [
                {**part, "bom-ref": f"{one['metadata']['component']['bom-ref']}/{part['bom-ref']}"}
                for part in one.get("components", [])
            ],
        }
        for one in held
    ]
    outer["serialNumber"] = uuid5(NAMESPACE_URL, "".join(one["serialNumber"] for one in held) + version).urn
    return json.dumps(outer, indent=1, sort_keys=True) + "\n"


def write_bill(text: str, file: Path) -> Path:
    """Write a bill, whole or not at all.

    Args:
        text: the bill.
        file: where it goes; its folder is made if needed.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
    return file


def _components(parts: Iterable[Component]) -> list[BomComponent]:
    licenses, spdx = LicenseFactory(), get_spdx_licensing()
    found = {}
    for part in parts:
        url = purl(part)
        found[str(url)] = BomComponent(
            name=part.name,
            version=part.version,
            purl=url,
            bom_ref=str(url),
            type=ComponentType.LIBRARY,
            licenses=[_license(part.license, licenses, spdx)] if part.license else (),
            hashes=[
                HashType(alg=_ALGORITHMS[algorithm], content=digits)
                for algorithm, digits in part.hashes
                if algorithm in _ALGORITHMS
            ],
        )
    return list(found.values())


def _license(text: str, factory: LicenseFactory, spdx: Any) -> Any:
    """Return an SPDX expression or identifier where it is one, else its words as a name."""
    try:
        spdx.parse(text, validate=True)
    except ExpressionError:
        return factory.make_with_name(text)
    return factory.make_from_string(text)


def purl(part: Component) -> PackageURL:
    """Return the package URL of a part."""
    if part.ecosystem == "npm" and part.name.startswith("@"):
        namespace, _, name = part.name.partition("/")
        return PackageURL("npm", namespace, name, part.version)
    if part.ecosystem == "deb":
        vendor = part.distribution.partition("-")[0] or None
        return PackageURL("deb", vendor, part.name, part.version, {"distro": part.distribution})
    return PackageURL(part.ecosystem, None, part.name, part.version)


def read_bill(file: Path, *, name: str, title: str) -> Inventory:
    """Read a bill that this project wrote.

    Args:
        file: the bill.
        name: of the inventory.
        title: of the inventory.

    Raises:
        CommandError: it is no CycloneDX in JSON.
    """
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        parts = tuple(_part(one) for one in read.get("components", ()))
        notes = [
            one["value"] for one in read["metadata"]["component"].get("properties", ()) if one["name"] == NOTE
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{file} is no bill of materials of this project: {error}"
        raise CommandError(message, fix="delete it and run ./lz image again", exit_code=1) from error
    return Inventory(name, title, file.name, parts, "; ".join(notes))


def _part(read: dict[str, Any]) -> Component:
    url = PackageURL.from_string(read["purl"])
    ecosystem = next(one for one in _ECOSYSTEMS if one == url.type)
    choices = read.get("licenses", ())
    told = [
        one.get("expression") or one["license"].get("id") or one["license"].get("name") for one in choices
    ]
    distribution = url.qualifiers.get("distro", "") if isinstance(url.qualifiers, dict) else ""
    return Component(ecosystem, read["name"], read["version"], " AND ".join(told), distribution=distribution)
