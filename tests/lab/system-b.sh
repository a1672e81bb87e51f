#!/bin/bash
# Newswatch on the lab's swarm: its production stack, its monitoring stack, the
# test stack of build 1234, and the discovery store that hands out join tokens.
#
#   system-b.sh up          deploy all of it and wait until it runs; print addresses
#   system-b.sh down        remove all of it, the swarm stays
#   system-b.sh test-stack  (again) only the test stack
#   system-b.sh addresses   NAME URL of everything that answers on the loopback
#
# The swarm must be up. LAB_ID and LAB_DIR as for swarm.sh. HEALTH_EVERY is the
# interval of the health checks, DOORS the first of the loopback ports in use.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
lab=$here/swarm.sh
dir=${LAB_DIR:-${TMPDIR:-/tmp}/quarterdeck-lab-${LAB_ID:-qd}}
# Each check costs a process in its container: seldom enough to leave the cores alone.
export HEALTH_EVERY=${HEALTH_EVERY:-5s}
doors=${DOORS:-15000}
export REGISTRY=10.77.0.1:5000 SECRETS=$dir/secrets
# name, port on the nodes, offset from the first door
published="webservice 5000 0
public_api 5001 1
cp_api 5002 2
ml 5003 3
auth 5005 5
newswatcher 5011 11
registry 5050 50
traefik 80 80
traefik-api 8080 88
test-webservice 5100 100
test-ml 5103 103
test-auth 5105 105
couchdb 5984 984
discovery 6379 379"

networks="proxy auth services"
docker=("${DOCKER:-docker}" -H "unix://$dir/m1/docker.sock")
on_swarm() { "${docker[@]}" "$@"; }

images() {
  local name
  [ ! -f "$dir/system-b.done" ] || return 0
  for name in webservice public_api auth newswatcher ml cp_api cp_api_tickle; do
    "$lab" publish "newswatch/$name:41" -c 'ENV VERSION=41'
    "$lab" publish "newswatch/$name:42" -c 'ENV VERSION=42'
  done
  "$lab" publish newswatch/agent:7 -c 'ENV VERSION=7'
  "$lab" publish traefik:2.11 -c 'ENV VERSION=2.11'
  "$lab" publish registry:2 -c 'ENV VERSION=2'
  "$lab" publish redis:7 -c 'ENV VERSION=7'
  "$lab" publish couchdb:3.3 -c 'ENV VERSION=3.3'
  touch "$dir/system-b.done"
}

# The same every time: a stack is not deployed again over changed secrets.
secrets() {
  mkdir -p "$SECRETS"
  echo 'lab-session-key' >"$SECRETS/session_key"
  echo 'lab-couchdb-password' >"$SECRETS/couchdb_password"
  printf 'qa:newswatch' >"$SECRETS/test_login"
}

# Where nodes run: three zones, managers on demand, workers on spot.
label() {
  local node zones=(a b c) i=0 lifecycle
  for node in $("$lab" sockets | awk '{print $1}'); do
    case $node in m*) lifecycle=on-demand ;; *) lifecycle=spot ;; esac
    on_swarm node update --label-add "zone=${zones[i++ % 3]}" --label-add "lifecycle=$lifecycle" "$node" >/dev/null
  done
}

# A password-protected Redis on the first manager holds the join tokens.
discovery() {
  local ask=(redis-cli -s "$dir/discovery.sock" --no-auth-warning -a discovery) role node try
  command -v redis-server >/dev/null || {
    echo "system-b.sh: redis-server is not installed: no discovery store" >&2
    return
  }
  if [ "$("${ask[@]}" ping 2>/dev/null)" != PONG ]; then
    cat >"$dir/discovery.conf" <<CONF
port 6379
bind 0.0.0.0
unixsocket $dir/discovery.sock
requirepass discovery
save ""
appendonly no
dir $dir
proc-title-template "{title} {config-file}"
CONF
    "$lab" in m1 setsid redis-server "$dir/discovery.conf" </dev/null >"$dir/discovery.log" 2>&1 &
    for ((try = 0; try < 100; try++)); do
      [ "$("${ask[@]}" ping 2>/dev/null)" != PONG ] || break
      sleep 0.05
    done
  fi
  for role in manager worker; do
    "${ask[@]}" set "swarm:token:$role" "$(on_swarm swarm join-token -q $role)" >/dev/null
  done
  for node in $("$lab" sockets | awk '{print $1}'); do
    "${ask[@]}" hsetnx swarm:joined "$node" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >/dev/null
  done
}

deploy() { # FILE STACK
  on_swarm stack deploy --detach=true -c "$here/system-b/$1.yml" "$2" >/dev/null
}

settled() { # until every service has as many running tasks as it wants
  local try behind
  for ((try = 0; try < 300; try++)); do
    behind=$(on_swarm service ls --format '{{.Name}} {{.Replicas}}' |
      awk '/^(newswatch|monitoring)/ {split($2, n, "/"); if (n[1] != n[2]) print $1 " " $2}')
    [ -n "$behind" ] || return 0
    sleep 0.2
  done
  echo "system-b.sh: not running after a minute: ${behind//$'\n'/, }" >&2
  return 1
}

addresses() {
  local name port offset
  while read -r name port offset; do
    case $name in
      discovery) echo "$name redis://:discovery@127.0.0.1:$((doors + offset))" ;;
      *) echo "$name http://127.0.0.1:$((doors + offset))" ;;
    esac
  done <<<"$published"
}

up() {
  local network offset port
  images
  secrets
  label
  discovery
  for network in $networks; do
    on_swarm network inspect "$network" >/dev/null 2>&1 || on_swarm network create -d overlay --attachable "$network" >/dev/null
  done
  # The agent first, because it brings each node into one network after another: a
  # node that enters two at once may lose a reply and wait 30 s for it.
  deploy monitoring monitoring
  settled
  deploy newswatch newswatch
  deploy test-stack newswatch-test-1234
  while read -r _ port offset; do echo "$((doors + offset)) $port"; done <<<"$published" | "$lab" doors
  settled
  addresses
}

down() {
  local stack network try
  for stack in newswatch-test-1234 monitoring newswatch; do on_swarm stack rm "$stack" >/dev/null 2>&1 || true; done
  : | "$lab" doors
  # A network stays in use until the last container has stopped.
  for network in $networks; do
    for ((try = 0; try < 100; try++)); do
      on_swarm network inspect "$network" >/dev/null 2>&1 || break
      on_swarm network rm "$network" >/dev/null 2>&1 || sleep 0.1
    done
  done
  redis-cli -s "$dir/discovery.sock" --no-auth-warning -a discovery shutdown nosave >/dev/null 2>&1 || true
}

case ${1:-} in
  up) up ;;
  down) down ;;
  test-stack)
    deploy test-stack newswatch-test-1234
    settled
    ;;
  addresses) addresses ;;
  *)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
    exit 2
    ;;
esac
