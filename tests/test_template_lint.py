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
RESOURCES_MATCH_ACTIONS = "I3510"
"""cfn-lint holds the resources of a policy against its actions; a mere advice to it, so it has to be asked for."""
ALLOWED = set(
    re.findall(r"^  - ([EWI]\d+)$", (ROOT / ".cfnlintrc.yaml").read_text(encoding="utf-8"), re.MULTILINE)
)


def _findings(templates: list[Path], folder: Path) -> list[Json]:
    """Run cfn-lint where no configuration of it is found."""
    command = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--format",
        "json",
        "--include-checks",
        RESOURCES_MATCH_ACTIONS,
        "--non-zero-exit-code",
        "none",
        "--",
    ]
    done = subprocess.run(
        [*command, *map(str, templates)], cwd=folder, capture_output=True, text=True, check=True
    )
    found: list[Json] = json.loads(done.stdout or "[]")
    return found


def _is_allowed(finding: Json) -> bool:
    """Tell whether cfn-lint may say this."""
    if finding["Rule"]["Id"] == RESOURCES_MATCH_ACTIONS:
        # The CDK's own grant, of which IAM makes nothing for a connection under today's prefix; pipeline/sources.py
        # adds the one that counts.
        return "'codestar-connections:UseConnection'" in finding["Message"]
    return finding["Rule"]["Id"] in ALLOWED


def _told(finding: Json) -> str:
    return f"{Path(finding['Filename']).name}: {finding['Rule']['Id']} {finding['Message']}"


def test_the_sample_has_no_other_findings_than_those_that_are_allowed(
    organization: Assembly, tmp_path: Path
) -> None:
    templates = [stack.template_file for stack in organization.stacks.values()]
    assert len(templates) == 32
    found = _findings(templates, tmp_path)
    assert not [_told(each) for each in found if not _is_allowed(each)]
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
    assert not [_told(each) for each in found if not _is_allowed(each)]


def _policy(action: str, resource: str) -> Json:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"PolicyName": "Faulty", "Roles": ["somebody"], "PolicyDocument": document}


@pytest.mark.parametrize(
    ("resource_type", "properties", "rule"),
    [
        ("AWS::SQS::Queue", {"QueueNmae": "typing-mistake"}, "E3002"),
        ("AWS::SQS::Queue", {"VisibilityTimeout": 50_000}, "E3034"),
        ("AWS::IAM::Policy", _policy("s3:GetObjct", "*"), "W3037"),
        ("AWS::IAM::Policy", _policy("s3:GetObject", "arn:aws:sqs:eu-west-1:111111111111:x"), "I3510"),
    ],
    ids=["unknown property", "wrong value", "unknown action", "another service's resource"],
)
def test_a_fault_in_a_template_is_found(
    tmp_path: Path, resource_type: str, properties: Json, rule: str
) -> None:
    template = {"Resources": {"Faulty": {"Type": resource_type, "Properties": properties}}}
    (tmp_path / "faulty.template.json").write_text(json.dumps(template), encoding="utf-8")
    found = _findings([tmp_path / "faulty.template.json"], tmp_path)
    assert rule in {each["Rule"]["Id"] for each in found}
