"""Routes of transit gateway route tables, as the EC2 API shows them."""

import ipaddress
from collections.abc import Callable, Mapping

from rehearsal.emulator.ec2_protocol import Ec2Error
from rehearsal.emulator.transit_store import (
    Record,
    attachments,
    matching,
    owned_table,
    propagations,
    static_routes,
    tables,
    target,
    visible_attachment,
)


def create_route(request: Record) -> Record:
    """CreateTransitGatewayRoute: to an attachment, or into a black hole."""
    table_id = owned_table(request["TransitGatewayRouteTableId"])["TransitGatewayRouteTableId"]
    destination = str(ipaddress.ip_network(request["DestinationCidrBlock"]))
    if destination in static_routes[table_id]:
        raise Ec2Error("RouteAlreadyExists", f"Route {destination} already exists in {table_id}.")
    route: Record = {"DestinationCidrBlock": destination, "Type": "static"}
    if request.get("Blackhole"):
        route["State"] = "blackhole"
    else:
        attachment = visible_attachment(request.get("TransitGatewayAttachmentId", ""))
        if tables[table_id]["TransitGatewayId"] != attachment["TransitGatewayId"]:
            raise Ec2Error("InvalidParameterValue", f"{table_id} is a route table of another gateway.")
        route.update(State="active", TransitGatewayAttachments=[target(attachment)])
    static_routes[table_id][destination] = route
    return {"Route": route}


def delete_route(request: Record) -> Record:
    """DeleteTransitGatewayRoute."""
    table_id = owned_table(request["TransitGatewayRouteTableId"])["TransitGatewayRouteTableId"]
    route = static_routes[table_id].pop(request["DestinationCidrBlock"], None)
    if route is None:
        raise Ec2Error("InvalidRoute.NotFound", f"{table_id} has no route {request['DestinationCidrBlock']}.")
    return {"Route": {**route, "State": "deleting"}}


def search_routes(request: Record) -> Record:
    """SearchTransitGatewayRoutes: static routes, then what attachments propagate (a static route wins)."""
    table_id = owned_table(request["TransitGatewayRouteTableId"])["TransitGatewayRouteTableId"]
    found = dict(static_routes[table_id])
    for attachment in (attachments[a] for a in propagations[table_id]):
        destination = str(attachment["_cidr"])
        route = {"DestinationCidrBlock": destination, "Type": "propagated", "State": "active"}
        found.setdefault(destination, {**route, "TransitGatewayAttachments": [target(attachment)]})
    fields = {"type": "Type", "state": "State", "route-search.exact-match": "DestinationCidrBlock"}
    routes = matching(found.values(), request, "DestinationCidrBlock", fields)
    return {"Routes": routes, "AdditionalRoutesAvailable": False}


ROUTE_ACTIONS: Mapping[str, Callable[[Record], Record]] = {
    "CreateTransitGatewayRoute": create_route,
    "DeleteTransitGatewayRoute": delete_route,
    "SearchTransitGatewayRoutes": search_routes,
}
