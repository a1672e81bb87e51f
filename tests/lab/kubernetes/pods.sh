#!/bin/bash
# Fills the lab's cluster with pods, quickly: Deployments of 25 over 20 namespaces,
# one in fifty of them in trouble. Returns when all that can run are running.
#
#   pods.sh COUNT      the cluster has that many of these pods afterwards
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
exec "${PYTHON:-python3}" "$here/pods.py" --state "${K8S_LAB:-${TMPDIR:-/tmp}/quarterdeck-kubernetes}" --count "${1:?COUNT}"
