"""The emulator's process: MiniStack with the gaps of the rehearsal closed. `Emulator.start` runs it."""

from collections.abc import Callable
from pathlib import Path

from rehearsal.background import end_with_parent
from rehearsal.emulator import (
    conditions,
    containers,
    custom_resources,
    database,
    dns,
    environment_files,
    foreign,
    identity,
    internals,
    internals_services,
    internals_threads,
    network,
    operations,
    outputs,
    passing,
    principals,
    recorded,
    secret_store,
    sharing,
    transit_permissions,
    transit_resources,
)
from rehearsal.emulator.ec2_protocol import serve
from rehearsal.emulator.resources import THREADED, add, extend, refuse
from rehearsal.engine import launch
from rehearsal.models import session
from rehearsal.pipeline import launch as pipeline_launch


def install() -> Callable[[], None]:
    """Add and wrap what MiniStack lacks.

    Returns:
        What ends the processes of tasks and databases.

    Raises:
        RuntimeError: the installed MiniStack is not the one that this was written for.
        NetworkError: this system has no addresses for tasks.
    """
    absent = internals.missing()
    if absent:
        raise RuntimeError(f"MiniStack has moved what the emulator needs: {', '.join(absent)}")
    internals_threads.keep_stores_steady()
    internals.share_session(session)
    for module in (network, transit_resources, containers, database, dns, identity, secret_store, recorded):
        add(*module.RESOURCES)
    add(sharing.ResourceShare())
    recorded.record_expression_alarms()
    extend("AWS::EC2::VPC", network.vpc_attributes)
    extend("AWS::Route53::HostedZone", dns.zone_attributes)
    refuse("AWS::EC2::Route", transit_resources.refuse_unattached_route)
    actions = internals_services.ec2_actions()
    for operation, action in transit_permissions.ACTIONS.items():
        actions[operation] = serve(operation, action)
    conditions.install()
    host, building = launch.install(Path.cwd())
    pipeline_launch.install(Path.cwd(), host, building)
    environment_files.install()
    custom_resources.install()
    internals_services.keep_database_names()
    internals_services.name_callers_of_buckets()
    internals_services.name_servers(dns.own_name_servers)
    foreign.install()
    passing.install()
    principals.install()
    outputs.install()
    operations.install()
    internals.run_in_thread(frozenset(THREADED))
    return host.close


if __name__ == "__main__":
    end_with_parent()
    close = install()
    try:
        internals.serve()
    finally:
        close()
