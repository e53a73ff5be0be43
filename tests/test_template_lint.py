"""cfn-lint finds nothing in any template but what `.cfnlintrc.yaml` allows, with its reason."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import documents
from tests.assembly import Assembly, Json
from tests.conftest import Synthesize

ROOT = Path(__file__).parent.parent
ALLOWED = set(
    re.findall(r"^  - ([EWI]\d+)$", (ROOT / ".cfnlintrc.yaml").read_text(encoding="utf-8"), re.MULTILINE)
)


def _findings(templates: list[Path], folder: Path) -> list[Json]:
    """Run cfn-lint where no configuration of it is found."""
    command = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--format",
        "json",
        "--non-zero-exit-code",
        "none",
    ]
    done = subprocess.run(
        [*command, *map(str, templates)], cwd=folder, capture_output=True, text=True, check=True
    )
    found: list[Json] = json.loads(done.stdout or "[]")
    return found


def _told(finding: Json) -> str:
    return f"{Path(finding['Filename']).name}: {finding['Rule']['Id']} {finding['Message']}"


def test_the_sample_has_no_other_findings_than_those_that_are_allowed(
    organization: Assembly, tmp_path: Path
) -> None:
    templates = [stack.template_file for stack in organization.stacks.values()]
    assert len(templates) == 32
    found = _findings(templates, tmp_path)
    assert not [_told(each) for each in found if each["Rule"]["Id"] not in ALLOWED]
    idle = ALLOWED - {each["Rule"]["Id"] for each in found}
    assert not idle, "nobody says this any more, so it need not be allowed"


def test_variants_have_no_other_findings_either(synthesize: Synthesize, tmp_path: Path) -> None:
    """Not all of it again: the stacks that differ."""
    tuned, bare = synthesize(documents.tuned()), synthesize(documents.bare())
    stacks = [
        tuned[f"{documents.PRODUCTION}-Network"],
        tuned["SharedServices-Network"],
        bare["SharedServices-Dns"],
        bare[f"{documents.STAGING}-Dns"],
    ]
    found = _findings([stack.template_file for stack in stacks], tmp_path)
    assert not [_told(each) for each in found if each["Rule"]["Id"] not in ALLOWED]


@pytest.mark.parametrize("fault", ["unknown property", "wrong value"])
def test_a_fault_in_a_template_is_found(tmp_path: Path, fault: str) -> None:
    properties = (
        {"QueueNmae": "typing-mistake"} if fault == "unknown property" else {"VisibilityTimeout": 50_000}
    )
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": properties}}}
    (tmp_path / "faulty.template.json").write_text(json.dumps(template), encoding="utf-8")
    assert _findings([tmp_path / "faulty.template.json"], tmp_path)
