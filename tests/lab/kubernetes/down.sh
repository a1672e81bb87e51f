#!/bin/bash
# Stops everything that up.sh started and waits until it is gone. With --wipe it
# also removes the state: pods, certificates, logs.
#
#   down.sh [--wipe]
set -euo pipefail

folder=${K8S_LAB:-${TMPDIR:-/tmp}/quarterdeck-kubernetes}

running() { # PROCESS: one of ours, and not a corpse nobody has collected
  tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -- "$folder"
}
for name in usage kubelets streams kube-scheduler kube-controller-manager kube-apiserver etcd; do
  [ -f "$folder/run/$name.pid" ] || continue
  process=$(<"$folder/run/$name.pid")
  ! running "$process" || kill "$process" 2>/dev/null || true
  for ((try = 0; try < 150; try++)); do
    running "$process" || break
    sleep 0.1
  done
  ! running "$process" || kill -KILL "$process"
  rm -f "$folder/run/$name.pid"
done
[ "${1:-}" != --wipe ] || rm -rf "$folder"
