"""The reader of policies that the rules use, under the name that tests know."""

from compliance.policies import (
    Statement,
    all_statements,
    denies_plain_transport,
    identity_statements,
    policy_of,
    resource_statements,
    statements,
    trust,
)

__all__ = [
    "Statement",
    "all_statements",
    "denies_plain_transport",
    "identity_statements",
    "policy_of",
    "resource_statements",
    "statements",
    "trust",
]
