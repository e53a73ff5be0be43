// Compares templates with the CDK's own library: what `cdk diff` shows to people, as data.
//
// Reads {stateful: [type], pairs: [{name, before, after}]} as JSON on standard input; before or after may be null.
// Writes [{name, resources, iam, network, others}] to standard output; see differences.py for what each means.
import { readFileSync } from "node:fs";
import { loadAwsServiceSpecSync } from "@aws-cdk/aws-service-spec";
import { fullDiff } from "@aws-cdk/cloudformation-diff";

const { stateful: more, pairs } = JSON.parse(readFileSync(0, "utf8"));
const listed = loadAwsServiceSpecSync().all("resource").filter((resource) => resource.isStateful);
const stateful = new Set([...listed.map((resource) => resource.cloudFormationType), ...more]);

function resource(id, difference) {
  const type = difference.newResourceType ?? difference.oldResourceType;
  const side = difference.newValue ?? difference.oldValue;
  return {
    id,
    path: side?.Metadata?.["aws:cdk:path"] ?? "",
    type,
    impact: difference.changeImpact,
    type_changed: difference.isUpdate && difference.resourceTypeChanged,
    stateful: stateful.has(type) || stateful.has(difference.oldResourceType),
    properties: Object.entries(difference.propertyUpdates ?? {}).map(([name, change]) => ({
      name,
      impact: change.changeImpact ?? "WILL_UPDATE",
      before: change.oldValue ?? null,
      after: change.newValue ?? null,
    })),
    attributes: Object.entries(difference.otherChanges ?? {})
      .filter(([name]) => name !== "Type")
      .map(([name, change]) => ({
        name,
        impact: "WILL_UPDATE",
        before: change.oldValue ?? null,
        after: change.newValue ?? null,
      })),
  };
}

// A statement grants more if it allows and is new, or denies and is gone.
const statement = (added) => (found) => ({
  added,
  broadens: added !== found.isNegativeStatement,
  ...found.render(),
});

function iam(changes) {
  const policy = (added) => (found) => ({
    added,
    broadens: added,
    resource: found.identityArn,
    effect: "Allow",
    action: "managed policy",
    principal: found.managedPolicyArn,
    condition: "",
  });
  return [
    ...changes.statements.additions.map(statement(true)),
    ...changes.statements.removals.map(statement(false)),
    ...changes.managedPolicies.additions.map(policy(true)),
    ...changes.managedPolicies.removals.map(policy(false)),
  ];
}

function network(changes) {
  const rule = (added, direction) => (found) => ({
    added,
    broadens: added,
    subject: found.groupId,
    direction,
    protocol: found.describeProtocol(),
    peer: found.describePeer(),
  });
  return [
    ...changes.ingress.additions.map(rule(true, "in")),
    ...changes.egress.additions.map(rule(true, "out")),
    ...changes.ingress.removals.map(rule(false, "in")),
    ...changes.egress.removals.map(rule(false, "out")),
  ];
}

const others = ["outputs", "parameters", "mappings", "conditions", "unknown"];

const results = pairs.map(({ name, before, after }) => {
  const difference = fullDiff(before ?? {}, after ?? {});
  const resources = [];
  difference.resources.forEachDifference((id, change) => resources.push(resource(id, change)));
  return {
    name,
    resources,
    iam: iam(difference.iamChanges),
    network: network(difference.securityGroupChanges),
    others: others.flatMap((section) => difference[section].logicalIds.map((id) => `${section}: ${id}`)),
  };
});
process.stdout.write(JSON.stringify(results));
