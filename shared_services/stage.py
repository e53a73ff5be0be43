"""Everything that all environments share, as one stage of the pipeline."""

import aws_cdk as cdk
from constructs import Construct

from config.models import Configuration
from config.naming import SHARED_SERVICES_STAGE
from shared_services.dns import DnsStack
from shared_services.network import NetworkStack


class SharedServicesStage(cdk.Stage):
    """The hub network and the parent zone.

    Args:
        scope: the app.
        configuration: the organization.
    """

    def __init__(self, scope: Construct, *, configuration: Configuration) -> None:
        super().__init__(scope, SHARED_SERVICES_STAGE)
        account = configuration.accounts.shared_services
        # With an existing transit gateway, or none at all, its owner keeps the hub: there is nothing to make here.
        self.network = (
            NetworkStack(self, "Network", configuration=configuration, account=account)
            if configuration.network.transit_gateway == "create"
            else None
        )
        self.dns = DnsStack(self, "Dns", configuration=configuration, account=account)
