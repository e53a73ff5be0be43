"""All security groups of a workload and every rule between them, in one place, so that no two stacks form a cycle."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

DATABASE_PORT = 5432
HTTPS = ec2.Port.tcp(443)


class SecurityGroups(Construct):
    """Who may talk to whom: the world to the ALB, the ALB to the web tasks, tasks to the database and the endpoints.

    Args:
        scope: the network stack.
        construct_id: id within it.
        vpc: the VPC.
        web_port: port on which the web container listens.
        has_workers: whether there are Celery workers; without them their group is let in nowhere.

    Attributes:
        alb: the load balancer.
        web: web tasks.
        workers: Celery workers and beat.
        release: release and one-off tasks.
        database: the database.
        endpoints: interface endpoints.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, web_port: int, has_workers: bool
    ) -> None:
        super().__init__(scope, construct_id)
        self._vpc = vpc
        self.alb = self._group("Alb", "Load balancer", outbound=False)
        self.web = self._group("Web", "Web tasks", outbound=True)
        self.workers = self._group("Workers", "Celery workers and beat", outbound=True)
        self.release = self._group("Release", "Release and one-off tasks", outbound=True)
        self.database = self._group("Database", "Database", outbound=False)
        self.endpoints = self._group("Endpoints", "Interface endpoints", outbound=False)

        for port in (80, 443):
            self.alb.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "the world")
        self.alb.add_egress_rule(self.web, ec2.Port.tcp(web_port), "to the web tasks")
        self.web.add_ingress_rule(self.alb, ec2.Port.tcp(web_port), "from the load balancer")
        admitted = {"web": self.web, "workers": self.workers, "release": self.release}
        for name, tasks in admitted.items():
            if name == "workers" and not has_workers:
                continue
            self.database.add_ingress_rule(tasks, ec2.Port.tcp(DATABASE_PORT), f"from {name}")
            self.endpoints.add_ingress_rule(tasks, HTTPS, f"from {name}")

    def _group(self, construct_id: str, who: str, *, outbound: bool) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self, construct_id, vpc=self._vpc, description=who, allow_all_outbound=outbound
        )

    def ids(self) -> dict[str, str]:
        """Return the id of each group that a run-time tool may need, by its name."""
        groups = {
            "Alb": self.alb,
            "Web": self.web,
            "Workers": self.workers,
            "Release": self.release,
            "Database": self.database,
        }
        return {name: group.security_group_id for name, group in groups.items()}
