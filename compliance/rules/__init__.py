"""Rules of our own, one file per theme: they look at the synthesized templates, and cost synthesis nothing."""

from compliance.rules import (
    data,
    identity,
    images,
    isolation,
    logs,
    network,
    placement,
    public,
    secrets,
    transport,
)
from compliance.rules.rule import Finding, Organization, Rule

RULES: tuple[Rule, ...] = (
    network.nothing_is_open_but_the_load_balancer,
    network.only_the_load_balancer_reaches_tasks,
    network.only_tasks_reach_the_database,
    isolation.no_environment_reaches_another,
    public.the_public_is_declared,
    identity.trust_is_for_somebody,
    identity.trust_across_accounts_comes_from_tooling,
    identity.no_role_may_do_everything,
    identity.resources_answer_to_somebody,
    secrets.secrets_are_references,
    secrets.nothing_looks_like_a_secret,
    transport.everything_refuses_plain_transport,
    logs.every_log_has_a_retention,
    data.data_is_kept,
    images.images_come_by_digest_from_tooling,
    placement.stacks_are_where_they_belong,
    placement.no_strange_account_is_named,
    placement.everything_says_whose_it_is,
)
"""Every rule, in the order of the reports."""

__all__ = ["RULES", "Finding", "Organization", "Rule"]
