#!/bin/bash
# Adds kinds of its own to the control plane: widgets (in namespaces, two versions, a
# short name, columns of every sort), racks (of the whole cluster, without columns of
# their own), and some of each in the namespace "kinds". `kinds.sh N` makes N widgets
# more in "kinds-many". Running it again changes nothing.
set -euo pipefail

export KUBECONFIG=${QUARTERDECK_LAB_KUBECONFIG:-${K8S_LAB:-${TMPDIR:-/tmp}/quarterdeck-kubernetes}/kubeconfig}
version() { # NAME STORED COLUMNS
  cat <<YAML
    - name: $1
      served: true
      storage: $2
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
            status: {type: object, x-kubernetes-preserve-unknown-fields: true}
$3
YAML
}
columns='      additionalPrinterColumns:
        - {name: Size, type: integer, jsonPath: .spec.size, description: How large it is.}
        - {name: Ready, type: string, jsonPath: ".status.conditions[?(@.type==\"Ready\")].status"}
        - {name: Owner, type: string, jsonPath: .spec.owner, priority: 1}
        - {name: Renewed, type: date, jsonPath: .status.renewedAt}
        - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}'
widget() { # NAME NAMESPACE SIZE READY
  cat <<YAML
---
apiVersion: lab.example/v1
kind: Widget
metadata: {name: $1, namespace: $2, labels: {lab: kinds}}
spec: {size: $3, owner: team-00, endpoint: "https://user:hunter2@store.example/x", apiToken: hunter2}
status: {renewedAt: "2026-01-02T03:04:05Z", conditions: [{type: Ready, status: "$4", reason: Lab, message: as the lab says, lastTransitionTime: "2026-01-02T03:04:05Z"}]}
YAML
}
{
  cat <<YAML
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.lab.example}
spec:
  group: lab.example
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd], categories: [all]}
  versions:
$(version v1 true "$columns")
$(version v1beta1 false "")
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: racks.lab.example}
spec:
  group: lab.example
  scope: Cluster
  names: {plural: racks, singular: rack, kind: Rack}
  versions:
$(version v1 true "")
---
{apiVersion: v1, kind: Namespace, metadata: {name: kinds}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: kinds-many}}
---
{apiVersion: v1, kind: Secret, metadata: {name: canary, namespace: kinds}, stringData: {password: hunter2-canary}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: canary, namespace: kinds}, data: {key: hunter2-canary}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: front, namespace: kinds}, spec: {rules: [{host: front.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: front, port: {number: 80}}}}]}}]}}
YAML
} | kubectl apply -f - >/dev/null
kubectl wait --for=condition=Established --timeout=20s crd/widgets.lab.example crd/racks.lab.example >/dev/null
# Status is a resource of its own: objects are made first, and told how they are then.
{
  widget first kinds 3 True
  widget second kinds 12 False
  widget third team-00 7 Unknown
  cat <<YAML
---
{apiVersion: lab.example/v1, kind: Rack, metadata: {name: a1}, spec: {units: 42}}
---
{apiVersion: v1, kind: Event, metadata: {name: second.lab, namespace: kinds}, involvedObject: {apiVersion: lab.example/v1, kind: Widget, name: second, namespace: kinds}, type: Warning, reason: TooSmall, message: it does not fit, count: 3, firstTimestamp: "2026-01-02T03:04:05Z", lastTimestamp: "2026-01-02T03:14:05Z", source: {component: lab}}
YAML
} >"${TMPDIR:-/tmp}/quarterdeck-kinds.$$"
trap 'rm -f "${TMPDIR:-/tmp}/quarterdeck-kinds.$$"' EXIT
kubectl apply -f "${TMPDIR:-/tmp}/quarterdeck-kinds.$$" >/dev/null
kubectl apply --server-side --subresource=status --force-conflicts -f - >/dev/null <<YAML
$(widget first kinds 3 True)
$(widget second kinds 12 False)
$(widget third team-00 7 Unknown)
YAML
for ((from = 0; from < ${1:-0}; from += 500)); do
  for ((n = from; n < from + 500 && n < $1; n++)); do widget "many-$n" kinds-many $((n % 100)) True; done |
    kubectl apply --server-side --force-conflicts -f - >/dev/null
done
echo "widgets and racks: $(kubectl get widgets -A -o name | wc -l) and $(kubectl get racks -o name | wc -l)"
