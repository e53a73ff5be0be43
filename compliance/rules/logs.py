"""Logs end one day."""

from collections.abc import Iterator

from compliance.rules.rule import Finding, Organization, judged, rule

GROUP = "AWS::Logs::LogGroup"


@rule(
    "LZ-LOG-1",
    text="Every log group has a retention, and every function writes into a group of these templates.",
    fix="Make the group with `log_group()` of the stack's base class; for the CDK's own functions call "
    "`log_custom_resources()`.",
)
def every_log_has_a_retention(organization: Organization) -> Iterator[Finding]:
    """Look at every log group, and every function: without a group it makes one that is kept for ever."""
    groups = organization.assembly.resources(GROUP)
    for group in groups:
        yield Finding(group, "" if group.get("RetentionInDays") else "it has no retention")
    made = {group.reference for group in groups}
    names = {group.text("LogGroupName") for group in groups if group.get("LogGroupName")}
    for function in organization.assembly.resources("AWS::Lambda::Function"):
        own = function.text("LoggingConfig", "LogGroup")
        known = own in made or own in names or f"/aws/lambda/{function.reference}" in names
        yield from judged(function, [] if known else ["it logs into a group of its own making"])
