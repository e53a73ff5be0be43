"""The templates of a small site: zone, certificates, load balancer and distribution, as the stacks make them."""

import uuid
from collections.abc import Mapping
from typing import Any

DOMAIN = "door.example"
HOST, STATIC = f"staging.{DOMAIN}", f"static.staging.{DOMAIN}"
PORT = 8000


def zone() -> Mapping[str, Any]:
    return {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": HOST}}


def join(resource: str, attribute: str) -> Mapping[str, Any]:
    return {"Fn::Join": [",", {"Fn::GetAtt": [resource, attribute]}]}


def certificate(name: str, zone_id: str) -> Mapping[str, Any]:
    option = {"DomainName": name, "HostedZoneId": zone_id}
    properties = {"DomainName": name, "ValidationMethod": "DNS", "DomainValidationOptions": [option]}
    return {"Type": "AWS::CertificateManager::Certificate", "Properties": properties}


def site(zone_id: str, edge_certificate: str) -> Mapping[str, Any]:
    world = [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "0.0.0.0/0"} for port in (80, 443)
    ]
    redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    alias = {"Fn::Join": ["", ["dualstack.", {"Fn::GetAtt": ["Balancer", "DNSName"]}]]}
    return {
        "SecurityGroup": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "balancer", "SecurityGroupIngress": world},
        },
        "Certificate": certificate(HOST, zone_id),
        "Balancer": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {
                "Scheme": "internet-facing",
                "Subnets": ["subnet-1", "subnet-2"],
                "SecurityGroups": [{"Fn::GetAtt": ["SecurityGroup", "GroupId"]}],
                "LoadBalancerAttributes": [
                    {"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"},
                    {"Key": "idle_timeout.timeout_seconds", "Value": "2"},
                ],
            },
        },
        "Group": {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {"Port": PORT, "Protocol": "HTTP", "TargetType": "ip", "VpcId": "vpc-1"},
        },
        "Http": _listener(80, "HTTP", {"Type": "redirect", "RedirectConfig": redirect}),
        "Https": _listener(443, "HTTPS", {"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}),
        "Alias": _alias(zone_id, HOST, alias, "Z32O12XQLNTSW2"),
        **_static(zone_id, edge_certificate),
    }


def _listener(port: int, protocol: str, action: Mapping[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "LoadBalancerArn": {"Ref": "Balancer"},
        "Port": port,
        "Protocol": protocol,
        "DefaultActions": [action],
    }
    if protocol == "HTTPS":
        properties["Certificates"] = [{"CertificateArn": {"Ref": "Certificate"}}]
    return {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": properties}


def _alias(zone_id: str, name: str, target: Any, target_zone: str) -> Mapping[str, Any]:
    properties = {
        "HostedZoneId": zone_id,
        "Name": name,
        "Type": "A",
        "AliasTarget": {"DNSName": target, "HostedZoneId": target_zone},
    }
    return {"Type": "AWS::Route53::RecordSet", "Properties": properties}


def _static(zone_id: str, edge_certificate: str) -> Mapping[str, Any]:
    objects = {"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/*"]]}
    arn = {"Fn::Sub": "arn:aws:cloudfront::${AWS::AccountId}:distribution/${Distribution}"}
    read = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": objects,
        "Condition": {"StringEquals": {"AWS:SourceArn": arn}},
    }
    origin = {
        "Id": "bucket",
        "DomainName": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]},
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": {"Fn::GetAtt": ["Control", "Id"]},
    }
    control = {
        "Name": f"control-{uuid.uuid4().hex[:8]}",
        "OriginAccessControlOriginType": "s3",
        "SigningBehavior": "always",
        "SigningProtocol": "sigv4",
    }
    cors = {
        "AccessControlAllowCredentials": False,
        "AccessControlAllowHeaders": {"Items": ["*"]},
        "AccessControlAllowMethods": {"Items": ["GET"]},
        "AccessControlAllowOrigins": {"Items": [f"https://{HOST}"]},
        "OriginOverride": True,
    }
    headers = {"ResponseHeadersPolicyConfig": {"Name": f"headers-{uuid.uuid4().hex[:8]}", "CorsConfig": cors}}
    behavior = {
        "TargetOriginId": "bucket",
        "ViewerProtocolPolicy": "redirect-to-https",
        "ResponseHeadersPolicyId": {"Ref": "Headers"},
    }
    config = {
        "Enabled": True,
        "Aliases": [STATIC],
        "Origins": [origin],
        "DefaultCacheBehavior": behavior,
        "ViewerCertificate": {"AcmCertificateArn": edge_certificate, "SslSupportMethod": "sni-only"},
    }
    return {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [read]},
            },
        },
        "Control": {
            "Type": "AWS::CloudFront::OriginAccessControl",
            "Properties": {"OriginAccessControlConfig": control},
        },
        "Headers": {"Type": "AWS::CloudFront::ResponseHeadersPolicy", "Properties": headers},
        "Distribution": {
            "Type": "AWS::CloudFront::Distribution",
            "Properties": {"DistributionConfig": config},
        },
        "StaticAlias": _alias(
            zone_id, STATIC, {"Fn::GetAtt": ["Distribution", "DomainName"]}, "Z2FDTNDATAQYW2"
        ),
    }
