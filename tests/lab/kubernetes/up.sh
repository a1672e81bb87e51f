#!/bin/bash
# Starts a real Kubernetes control plane on the loopback, with simulated nodes,
# and prints the path of its kubeconfig. What runs already is left running.
#
#   up.sh [NODES]      30 by default
#   up.sh running      only succeed if it is up
#
# K8S_LAB names the folder for its state, PYTHON an interpreter that has aiohttp.
# K8S_LAB_PORTS is added to every port, so that labs run side by side.
# The programs come from build.sh.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
folder=${K8S_LAB:-${TMPDIR:-/tmp}/quarterdeck-kubernetes}
nodes=${1:-30}
pki=$folder/pki
added=${K8S_LAB_PORTS:-0}
server=https://127.0.0.1:$((16443 + added)) etcd=http://127.0.0.1:$((12379 + added)) peers=http://127.0.0.1:$((12380 + added))
kubelet=$((10250 + added)) usage=$((10260 + added))
started=$SECONDS

alive() { # NAME
  local process
  [ -f "$folder/run/$1.pid" ] || return 1
  process=$(<"$folder/run/$1.pid")
  # The number may belong to another program by now.
  tr '\0' ' ' 2>/dev/null <"/proc/$process/cmdline" | grep -qF -- "$folder"
}
if [ "$nodes" = running ]; then
  alive kube-apiserver
  exit
fi

die() {
  echo "up.sh: $*" >&2
  exit 1
}
for program in curl openssl; do command -v $program >/dev/null || die "$program is not installed"; done
python=${PYTHON:-python3}
"$python" -c 'import aiohttp' 2>/dev/null || die "$python has no aiohttp; PYTHON names another interpreter"
programs=$("$here/build.sh")
streams=$("$here/build.sh" streams)
mkdir -p "$folder"/{logs,run}
"$here/certificates.sh" "$folder"

ask() { # PATH: of the API server, as an administrator
  curl -sf -m 5 --cacert "$pki/ca.crt" --cert "$pki/admin.crt" --key "$pki/admin.key" "$server$1"
}
start() { # NAME COMMAND...
  local name=$1
  shift
  ! alive "$name" || return 0
  setsid "$@" </dev/null >"$folder/logs/$name.log" 2>&1 &
  echo $! >"$folder/run/$name.pid"
  # For a moment it is still this script, which `alive` would not know.
  for ((try = 0; try < 40; try++)); do
    ! alive "$name" || return 0
    sleep 0.05
  done
}

start etcd "$programs/etcd" --data-dir "$folder/etcd" --unsafe-no-fsync --log-level warn \
  --listen-client-urls $etcd --advertise-client-urls $etcd \
  --listen-peer-urls $peers --initial-advertise-peer-urls $peers \
  --initial-cluster default=$peers
start kube-apiserver "$programs/kube-apiserver" --etcd-servers=$etcd \
  --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port=$((16443 + added)) --endpoint-reconciler-type=none \
  --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
  --client-ca-file="$pki/ca.crt" --token-auth-file="$pki/tokens.csv" --authorization-mode=Node,RBAC \
  --service-account-issuer=https://kubernetes.default.svc \
  --service-account-key-file="$pki/service-accounts.pub" --service-account-signing-key-file="$pki/service-accounts.key" \
  --service-cluster-ip-range=10.96.0.0/16 --allow-privileged=true \
  --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
  --kubelet-client-certificate="$pki/kubelet-client.crt" --kubelet-client-key="$pki/kubelet-client.key" \
  --requestheader-client-ca-file="$pki/ca.crt" --requestheader-allowed-names=front-proxy-client \
  --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
  --requestheader-extra-headers-prefix=X-Remote-Extra- \
  --proxy-client-cert-file="$pki/front-proxy-client.crt" --proxy-client-key-file="$pki/front-proxy-client.key" \
  --event-ttl=1h --shutdown-delay-duration=0s --shutdown-watch-termination-grace-period=2s
for ((try = 0; try < 600; try++)); do
  ! ask /readyz >/dev/null || break
  alive etcd || die "etcd ended: $(tail -3 "$folder/logs/etcd.log")"
  alive kube-apiserver || die "the API server ended: $(tail -3 "$folder/logs/kube-apiserver.log")"
  sleep 0.1
done
start kube-controller-manager "$programs/kube-controller-manager" --kubeconfig="$pki/controller-manager.kubeconfig" \
  --authentication-kubeconfig="$pki/controller-manager.kubeconfig" --authorization-kubeconfig="$pki/controller-manager.kubeconfig" \
  --bind-address=127.0.0.1 --secure-port=$((10257 + added)) --leader-elect=false --use-service-account-credentials=true \
  --service-account-private-key-file="$pki/service-accounts.key" --root-ca-file="$pki/ca.crt" \
  --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" \
  --allocate-node-cidrs=true --cluster-cidr=10.200.0.0/16 --node-cidr-mask-size=24 \
  --kube-api-qps=300 --kube-api-burst=600 --concurrent-deployment-syncs=10 --concurrent-replicaset-syncs=10
start kube-scheduler "$programs/kube-scheduler" --kubeconfig="$pki/scheduler.kubeconfig" \
  --authentication-kubeconfig="$pki/scheduler.kubeconfig" --authorization-kubeconfig="$pki/scheduler.kubeconfig" \
  --bind-address=127.0.0.1 --secure-port=$((10259 + added)) --leader-elect=false --kube-api-qps=500 --kube-api-burst=1000
start streams "$streams/streams" --state "$folder" --server "$server" --port "$kubelet"
start kubelets "$python" "$here/kubelets.py" --state "$folder" --nodes "$nodes" --own "${OWN:-42}" --api "$server" --port "$kubelet"
start usage "$python" "$here/usage.py" --state "$folder" --api "$server" --port "$usage"

# Tests that empty nodes have 42 of their own.
nodes=$((nodes + ${OWN:-42})) ready=0
for ((try = 0; try < 300; try++)); do
  ready=$(ask /api/v1/nodes | grep -o '"reason": *"KubeletReady"' | wc -l || true)
  ((ready < nodes)) || break
  alive kubelets || die "the simulated nodes ended: $(tail -3 "$folder/logs/kubelets.log")"
  sleep 0.1
done
((ready >= nodes)) || die "only $ready of $nodes nodes became ready; see $folder/logs"
echo "$ready nodes ready after $((SECONDS - started)) s" >&2
echo "$folder/kubeconfig"
