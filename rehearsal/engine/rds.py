"""MiniStack's RDS: clusters with a server from the moment that they exist.

As `rehearsal/emulator/internals.py`, this is the only place that knows these names of MiniStack.
"""

import threading
from collections.abc import Mapping
from typing import Any

from rehearsal.emulator import internals
from rehearsal.emulator.resources import Attributes, Properties, extend
from rehearsal.engine.containers import NETWORK, Container
from rehearsal.engine.ministack import ECS, RDS, get, put

# Account, region and cluster -> why its server did not start: MiniStack keeps that to its own log.
failures: dict[tuple[str, str, str], str] = {}


def cluster_parameters(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Return the parameters that a cluster's group sets; none for a default group.

    Args:
        labels: of its container: `account_id`, `region` and `cluster_id`.
    """
    account, region = labels["account_id"], labels["region"]
    cluster = get(RDS, "_clusters").get_scoped(account, region, labels["cluster_id"]) or {}
    group = get(RDS, "_db_cluster_param_groups").get_scoped(
        account, region, cluster.get("DBClusterParameterGroup", "")
    )
    found: dict[str, str] = {}
    for name, parameter in ((group or {}).get("Parameters") or {}).items():
        value = parameter.get("ParameterValue") if isinstance(parameter, Mapping) else parameter
        if value not in (None, ""):
            found[name] = str(value)
    return found


def export_log(container: Container, offset: int) -> None:
    """Send a server's log to CloudWatch Logs, until the server stops, if its cluster exports it.

    Args:
        container: the server; its labels name account, region and cluster.
        offset: byte of its log to begin at.
    """
    account, region, name = (container.labels[label] for label in ("account_id", "region", "cluster_id"))
    cluster = get(RDS, "_clusters").get_scoped(account, region, name) or {}
    if "postgresql" not in (cluster.get("EnabledCloudwatchLogsExports") or []):
        return
    group = {"group": f"/aws/rds/cluster/{name}/postgresql", "stream": name, "create_group": True}

    def forward() -> None:
        with internals.scope(account, region):
            if not get(ECS, "_ensure_awslogs_stream")(group):
                return
            for lines in container.lines(follow=True, offset=offset):
                for line in lines.decode(errors="replace").splitlines():
                    get(ECS, "_emit_awslogs_event")(group, line)

    threading.Thread(target=forward, daemon=True, name=f"log-{name}").start()


def install(engine: Any) -> None:
    """Let RDS use the engine.

    Args:
        engine: the Docker client.
    """
    put(RDS, "_get_docker", lambda: engine)
    # On this network an endpoint is the container's address: a name would resolve nowhere.
    put(RDS, "_ministack_network", NETWORK)
    extend("AWS::RDS::DBCluster", _served)


def _served(physical_id: str, properties: Properties, _known: Attributes) -> Attributes:
    """Start a new cluster's server, and give its address as the endpoint.

    MiniStack starts it with the first instance only, when the stack has handed on an endpoint already.
    """
    cluster = get(RDS, "_clusters").get(physical_id)
    cluster["EnabledCloudwatchLogsExports"] = list(properties.get("EnableCloudwatchLogsExports") or [])
    with get(RDS, "_shared_container_lock"):
        if not cluster.get("_shared_container_id"):
            started = get(RDS, "_start_cluster_shared_container")(physical_id, cluster)
            if not started["started"]:
                reason = failures.get(
                    (internals.account(), internals.region(), physical_id), "no reason known"
                )
                raise RuntimeError(f"the server of cluster {physical_id} did not start: {reason}")
            cluster["_shared_container_ready"] = True
            cluster["_shared_storage_initialized"] = True
            get(RDS, "_sync_cluster_endpoints")(cluster)
    return {
        "Endpoint.Address": cluster["Endpoint"],
        "Endpoint.Port": str(cluster["Port"]),
        "ReadEndpoint.Address": cluster["ReaderEndpoint"],
    }
