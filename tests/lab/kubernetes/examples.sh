#!/bin/bash
# Makes the namespace "demo": one workload for every state that a simulated pod
# can be in, a disruption budget that blocks, a slow rollout, jobs, services, and
# the rights of the three lesser users. Running it again changes nothing.
set -euo pipefail

export KUBECONFIG=${K8S_LAB:-${TMPDIR:-/tmp}/quarterdeck-kubernetes}/kubeconfig
deployment() { # NAME REPLICAS STATE [MORE-ANNOTATIONS]
  cat <<YAML
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1, namespace: demo, labels: {app: $1}}
spec:
  replicas: $2
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}, annotations: {fake.k/state: "$3"${4:+, $4}}}
    spec: {containers: [{name: main, image: "registry.example/$1:1"}, {name: sidecar, image: "registry.example/proxy:2"}]}
YAML
}
{
  # Starting with a brace, it would be taken for JSON.
  cat <<YAML
---
{apiVersion: v1, kind: Namespace, metadata: {name: demo}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: team-00}}
YAML
  deployment web 6 running
  deployment slow 4 running 'fake.k/ready-after: "8", fake.k/stop-after: "4"'
  deployment crash 2 crashloop
  deployment nopull 1 imagepull
  deployment oom 1 oom
  deployment notready 2 notready
  deployment stuck 1 pending
  cat <<YAML
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web, namespace: demo}, spec: {minAvailable: 6, selector: {matchLabels: {app: web}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: demo}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: notready, namespace: demo}, spec: {selector: {app: notready}, ports: [{port: 80, targetPort: 8080}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: front, namespace: demo}, spec: {tls: [{hosts: [news.example]}], rules: [{host: news.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: okjob, namespace: demo}
spec: {completions: 3, parallelism: 1, template: {metadata: {annotations: {fake.k/state: succeed, fake.k/run-for: "3"}}, spec: {restartPolicy: Never, containers: [{name: j, image: j}]}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: badjob, namespace: demo}
spec: {backoffLimit: 1, template: {metadata: {annotations: {fake.k/state: fail}}, spec: {restartPolicy: Never, containers: [{name: j, image: j}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick, namespace: demo}
spec: {schedule: "*/5 * * * *", jobTemplate: {spec: {template: {metadata: {annotations: {fake.k/state: succeed}}, spec: {restartPolicy: Never, containers: [{name: j, image: j}]}}}}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: lab-viewers}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}, subjects: [{kind: Group, name: viewers, apiGroup: rbac.authorization.k8s.io}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: devs, namespace: team-00}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}, subjects: [{kind: Group, name: devs, apiGroup: rbac.authorization.k8s.io}]}
YAML
} | kubectl apply -f -
