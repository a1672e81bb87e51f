#!/bin/bash
# A spare API server with an etcd of its own, which tests may stop, empty and
# start again while others use the lab. It has no controllers, no scheduler and no
# nodes: what is made there stays as it is. The lab must have been up once, for
# its certificates.
#
#   spare.sh up        starts it, if need be, and prints host and port
#   spare.sh kill      ends it without a word to anybody, and empties it
#
# K8S_LAB names the folder for the lab's state. SPARE_PORT is the first of three
# ports on the loopback (16543).
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
lab=${K8S_LAB:-${TMPDIR:-/tmp}/quarterdeck-kubernetes}
pki=$lab/pki
port=${SPARE_PORT:-16543}
folder=$lab/spare-$port
etcd=http://127.0.0.1:$((port + 1)) peer=http://127.0.0.1:$((port + 2))

alive() { # NAME
  local process
  [ -f "$folder/$1.pid" ] || return 1
  process=$(<"$folder/$1.pid")
  # The number may belong to another program by now.
  tr '\0' ' ' 2>/dev/null <"/proc/$process/cmdline" | grep -qF -- "$2"
}
start() { # NAME MARK COMMAND...
  local name=$1 mark=$2
  shift 2
  ! alive "$name" "$mark" || return 0
  setsid "$@" </dev/null >"$folder/$name.log" 2>&1 &
  echo $! >"$folder/$name.pid"
}

case ${1:-} in
  up)
    programs=$("$here/build.sh" path) || {
      echo "spare.sh: there is no control plane to start; see build.sh" >&2
      exit 1
    }
    mkdir -p "$folder"
    start etcd "$folder" "$programs/etcd" --data-dir "$folder/etcd" --unsafe-no-fsync --log-level warn \
      --listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
      --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer"
    # Without the controllers no service account is ever made, and pods would wait for theirs.
    start kube-apiserver "$etcd" "$programs/kube-apiserver" --etcd-servers="$etcd" \
      --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port="$port" --endpoint-reconciler-type=none \
      --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
      --client-ca-file="$pki/ca.crt" --authorization-mode=RBAC --disable-admission-plugins=ServiceAccount \
      --service-account-issuer=https://kubernetes.default.svc \
      --service-account-key-file="$pki/service-accounts.pub" --service-account-signing-key-file="$pki/service-accounts.key" \
      --service-cluster-ip-range=10.97.0.0/16 --shutdown-delay-duration=0s
    for ((try = 0; try < 600; try++)); do
      if curl -sf -m 5 --cacert "$pki/ca.crt" --cert "$pki/admin.crt" --key "$pki/admin.key" \
        "https://127.0.0.1:$port/readyz" >/dev/null; then
        echo "127.0.0.1:$port"
        exit
      fi
      alive kube-apiserver "$etcd" || break
      sleep 0.1
    done
    echo "spare.sh: it does not become ready: $(tail -3 "$folder/kube-apiserver.log")" >&2
    exit 1
    ;;
  kill)
    ! alive kube-apiserver "$etcd" || kill -9 "$(<"$folder/kube-apiserver.pid")"
    ! alive etcd "$folder" || kill -9 "$(<"$folder/etcd.pid")"
    for ((try = 0; try < 100; try++)); do
      if ! alive kube-apiserver "$etcd" && ! alive etcd "$folder"; then break; fi
      sleep 0.05
    done
    rm -rf "$folder"
    ;;
  *)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
    exit 2
    ;;
esac
