#!/bin/bash
# A real Docker Swarm of several nodes on one machine: one dockerd per network
# namespace, joined by a bridge in a namespace of its own. The host's interfaces,
# packet filter and Docker paths are not touched.
#
#   swarm.sh check                   say why no swarm can run here, if so (exit 1)
#   swarm.sh up MANAGERS WORKERS     bring it up (again), print its sockets
#   swarm.sh running                 succeed if any of it runs
#   swarm.sh sockets                 NAME SOCKET ADDRESS, one node a line
#   swarm.sh kill NODE               crash a node: SIGKILL, its containers too
#   swarm.sh start NODE              start a crashed node again
#   swarm.sh cut NODE | heal NODE    unplug its network, plug it in again
#   swarm.sh sicken SERVICE [all]    new (or all) tasks of SERVICE fail /health ...
#   swarm.sh cure SERVICE            ... until now
#   swarm.sh tests SERVICE [P F C]   /test answers P passed, F failed, C coverage
#   swarm.sh doors <LINES            for each line "PORT NODE-PORT", 127.0.0.1:PORT
#                                    leads to NODE-PORT of whichever node has it open
#   swarm.sh tls NODE PORT           serve NODE's API on 127.0.0.1:PORT over TLS, for
#                                    client certificates only; print URL FOLDER
#   swarm.sh publish NAME:TAG ARG... push the image under another name; ARG as for
#                                    docker import, such as -c 'ENV VERSION=3.0'
#   swarm.sh in NODE|hub CMD...      run CMD in a node's network namespace
#   swarm.sh down                    remove everything
#
# LAB_ID names the namespaces and cgroups, LAB_DIR holds everything else. Several
# labs may run side by side: each has a hub of its own, so addresses may repeat.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
id=${LAB_ID:-qd}
dir=${LAB_DIR:-${TMPDIR:-/tmp}/quarterdeck-lab-$id}
docker=${DOCKER:-docker}
subnet=10.77.0
registry=$subnet.1:5000
# Seconds that a node may take until its API answers.
patience=${NODE_WAIT:-60}
first=m1

die() {
  echo "swarm.sh: $*" >&2
  exit 1
}
[[ $id =~ ^[a-z0-9]{1,8}$ ]] || die "LAB_ID must be at most 8 letters and digits"
# A Unix socket's path holds 107 bytes, and containerd adds about 45 of its own.
((${#dir} <= 60)) || die "LAB_DIR must be at most 60 characters long: $dir"

on() { # NODE DOCKER-ARGUMENTS...
  local node=$1
  shift
  "$docker" -H "unix://$dir/$node/docker.sock" "$@"
}
nodes() { if [ -f "$dir/nodes" ]; then awk '{print $1}' "$dir/nodes"; fi; }
address() { awk -v node="$1" '$1 == node {print $2}' "$dir/nodes"; }
index() { awk -v node="$1" '$1 == node {print NR}' "$dir/nodes"; }
known() { nodes | grep -qx -- "${1:-}" || die "no such node: ${1:-}"; }
in_namespace() { # NODE|hub COMMAND...
  local name=$1
  shift
  # Not `ip netns exec`: that remounts /sys, and dockerd needs /sys/fs/cgroup.
  nsenter --net="/run/netns/$id-$name" "$@"
}

# Everything we start carries $dir in its arguments; containers are the shims'
# children. Nothing else is ever matched. Prints process ids.
ours() { # [PATTERN-AFTER-THE-FOLDER]
  local file command pattern=$dir/${1:-}
  for file in $(grep -laF -- "$pattern" /proc/[0-9]*/cmdline 2>/dev/null || true); do
    command=$({ tr '\0' ' ' <"$file"; } 2>/dev/null) || continue
    case $command in
      "dockerd "*"$pattern"* | "containerd "*"$pattern"* | *"/containerd-shim"*"$pattern"* | \
        *"docker-registry serve $pattern"* | "busybox httpd "*"$pattern"* | \
        *"haproxy "*"$pattern"* | *"redis-server "*"$pattern"*)
        file=${file%/cmdline}
        echo "${file#/proc/}"
        ;;
    esac
  done
}
children() {
  local child list
  read -r -a list 2>/dev/null <"/proc/$1/task/$1/children" || true
  for child in "${list[@]}"; do
    echo "$child"
    children "$child"
  done
}
slay() { # [PATTERN-AFTER-THE-FOLDER]: until none of them is left
  local try all process file sockets=()
  # A killed shim leaves its socket in /run/containerd/s; its address is on disk.
  for file in "$dir"/*/exec/containerd/daemon/io.containerd.runtime.v2.task/moby/*/address; do
    case $file in "$dir/${1:-}"*) [ ! -f "$file" ] || sockets+=("$(sed 's,^unix://,,' "$file")") ;; esac
  done
  for ((try = 0; try < 100; try++)); do
    all=$(ours "${1:-}")
    if [ -z "$all" ]; then
      rm -f "${sockets[@]}"
      return
    fi
    for process in $all; do
      # shellcheck disable=SC2046  # a list of process ids
      kill -KILL $(children "$process") "$process" 2>/dev/null || true
    done
    sleep 0.05
  done
  die "these processes would not die: ${all//$'\n'/ }"
}
unmount() { # PATTERN-AFTER-THE-FOLDER
  local try mounts mount
  for ((try = 0; try < 5; try++)); do
    mounts=$(awk -v prefix="$dir/${1:-}" 'index($5, prefix) == 1 {print $5}' /proc/self/mountinfo | tac)
    [ -n "$mounts" ] || return 0
    for mount in $mounts; do umount -l "$mount" 2>/dev/null || true; done
  done
}
remove_cgroups() { # NAME
  local group
  for group in /sys/fs/cgroup/"$1" /sys/fs/cgroup/*/"$1"; do
    [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
}

check() {
  local program
  [ "$(id -u)" = 0 ] || die "a swarm lab needs root"
  for program in ip iptables nsenter unshare dockerd "$docker" docker-registry busybox curl; do
    command -v "$program" >/dev/null || die "$program is not installed"
  done
  ip netns add "$id-try" 2>/dev/null || die "this machine allows no network namespaces (NET_ADMIN and SYS_ADMIN are needed)"
  local works=no
  # dockerd's own networks need bridges, veth pairs and address translation.
  if ip -n "$id-try" link add br0 type bridge 2>/dev/null &&
    ip -n "$id-try" link add name lab0 type veth peer name lab1 2>/dev/null &&
    nsenter --net="/run/netns/$id-try" iptables -t nat -L >/dev/null 2>&1; then works=yes; fi
  ip netns del "$id-try"
  [ $works = yes ] || die "this machine allows no bridges, veth pairs or address translation in a network namespace"
  [ -w /sys/fs/cgroup ] || die "/sys/fs/cgroup is read-only here"
}

plug_in() { # NODE
  local namespace=$id-$1 number
  number=$(index "$1")
  [ -e "/run/netns/$namespace" ] || ip netns add "$namespace"
  ip -n "$namespace" link set lo up
  ! ip -n "$namespace" link show eth0 >/dev/null 2>&1 || return 0
  ip link add eth0 netns "$namespace" type veth peer name "v$number" netns "$id-hub"
  ip -n "$id-hub" link set "v$number" master br0 up
  ip -n "$namespace" addr add "$(address "$1")/24" dev eth0
  ip -n "$namespace" link set eth0 up
  ip -n "$namespace" route add default via "$subnet.1"
}

spawn() { # NODE: start its daemon, do not wait for it
  local node=$1 home=$dir/$1
  if [ -z "$(ours "faults/$node")" ]; then
    # Where containers ask for their faults: see image/fault.
    ln -sfn "$dir/faults/all" "$dir/faults/$node"
    in_namespace "$node" setsid busybox httpd -f -p 9999 -h "$dir/faults/$node" </dev/null >/dev/null 2>&1 &
  fi
  [ -z "$(ours "$node/data")" ] || return 0
  mkdir -p "$home"
  rm -f "$home/pid" "$home/docker.sock"
  # Old daemons keep a key under /etc/docker otherwise; new ones know no such option.
  case $(dockerd --version) in
    "Docker version 20."*) echo "{\"deprecated-key-path\": \"$home/key.json\"}" ;;
    *) echo '{}' ;;
  esac >"$home/daemon.json"
  # A namespace for the host name too: otherwise every node has the same one.
  # shellcheck disable=SC2016  # for the inner shell to expand
  setsid nsenter --net="/run/netns/$id-$node" unshare --uts \
    sh -c 'hostname "$0"; exec "$@"' "$node" \
    dockerd --config-file "$home/daemon.json" --data-root "$home/data" --exec-root "$home/exec" -p "$home/pid" -H "unix://$home/docker.sock" \
    --cgroup-parent "/$id-$node" --userland-proxy=false --shutdown-timeout 2 \
    --insecure-registry "$registry" --log-opt max-size=4m \
    --default-address-pool "base=10.$((100 + $(index "$node"))).0.0/16,size=24" \
    </dev/null >>"$home/log" 2>&1 &
}
await() { # NODE: until its API answers
  local try
  for ((try = 0; try < patience * 20; try++)); do
    ! curl -sf -m 5 --unix-socket "$dir/$1/docker.sock" http://docker/_ping >/dev/null 2>&1 || return 0
    # On a busy machine a daemon gives up waiting for its containerd.
    ((try % 200 < 199)) || spawn "$1"
    sleep 0.05
  done
  die "$1 did not start; see $dir/$1/log"
}

publish() { # NAME:TAG IMPORT-ARGUMENTS...
  local image=$registry/$1
  shift
  on "$first" import -c 'CMD ["/bin/app"]' -c 'ENV PORT=8080' "$@" "$dir/rootfs.tar" "$image" >/dev/null
  on "$first" push -q "$image" >/dev/null
}
images() {
  local root=$dir/rootfs applet
  local healthy='HEALTHCHECK --interval=1s --timeout=2s --retries=2 --start-period=1s CMD ["/bin/healthy"]'
  [ ! -f "$dir/images.done" ] || return 0
  mkdir -p "$root"/{bin,etc,tmp}
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in $("$root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
  done
  install -m 755 "$here"/image/* "$root/bin/"
  echo 'root:x:0:0::/:/bin/sh' >"$root/etc/passwd"
  tar -C "$root" -cf "$dir/rootfs.tar" .
  publish lab/app:1.0 -c 'ENV VERSION=1.0' -c "$healthy"
  publish lab/app:2.0 -c 'ENV VERSION=2.0' -c "$healthy"
  publish lab/app:crash -c 'ENV VERSION=2.1' -c 'ENV MODE=crash'
  publish lab/app:sick -c 'ENV VERSION=2.2' -c 'ENV MODE=sick' -c "$healthy"
  publish lab/app:slow -c 'ENV VERSION=2.3' -c 'ENV MODE=slow' -c "${healthy/retries=2/retries=30}"
  touch "$dir/images.done"
}

sockets() { awk -v dir="$dir" '{print $1, dir "/" $1 "/docker.sock", $2}' "$dir/nodes"; }

up() {
  local managers=$1 workers=$2 i node role ready
  ((managers >= 1 && managers + workers <= 90)) || die "a swarm has 1 to 90 nodes, and a manager among them"
  check
  mkdir -p "$dir/faults/all"
  for ((i = 1; i <= managers + workers; i++)); do
    if ((i <= managers)); then node=m$i; else node=w$((i - managers)); fi
    echo "$node $subnet.$((10 + i))"
  done >"$dir/nodes.wanted"
  [ -f "$dir/nodes" ] || mv "$dir/nodes.wanted" "$dir/nodes"
  [ ! -f "$dir/nodes.wanted" ] || cmp -s "$dir/nodes" "$dir/nodes.wanted" ||
    die "there is a lab of another shape in $dir; take it down first"
  rm -f "$dir/nodes.wanted"

  if [ ! -e "/run/netns/$id-hub" ]; then
    ip netns add "$id-hub"
    ip -n "$id-hub" link set lo up
    ip -n "$id-hub" link add br0 type bridge
    ip -n "$id-hub" addr add "$subnet.1/24" dev br0
    ip -n "$id-hub" link set br0 up
  fi
  for node in $(nodes); do plug_in "$node"; done
  if [ -z "$(ours registry.yml)" ]; then
    cat >"$dir/registry.yml" <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $dir/registry}, delete: {enabled: true}}
http: {addr: "$registry", secret: lab}
YAML
    in_namespace hub setsid docker-registry serve "$dir/registry.yml" </dev/null >>"$dir/registry.log" 2>&1 &
  fi
  for node in $(nodes); do spawn "$node"; done
  for node in $(nodes); do await "$node"; done

  if [ "$(on "$first" info -f '{{.Swarm.LocalNodeState}}')" = inactive ]; then
    on "$first" swarm init --advertise-addr "$(address "$first")" >/dev/null
    # With the default of 5 s a dead node takes 15 s to be seen.
    on "$first" swarm update --dispatcher-heartbeat 1s >/dev/null
  fi
  for node in $(nodes); do
    [ "$(on "$node" info -f '{{.Swarm.LocalNodeState}}')" = inactive ] || continue
    case $node in m*) role=manager ;; *) role=worker ;; esac
    on "$node" swarm join --token "$(on "$first" swarm join-token -q $role)" "$(address "$first"):2377" >/dev/null
  done
  images
  for ((i = 0; i < 600; i++)); do
    ready=$(on "$first" node ls --format '{{.Status}}' 2>/dev/null | grep -c Ready || true)
    ((ready < managers + workers)) || break
    sleep 0.1
  done
  ((ready == managers + workers)) || die "only $ready of $((managers + workers)) nodes became ready"
  sockets
}

# A door is a port on the host's loopback: the lab's addresses are seen in its own
# namespaces only. It tries every node, so it finds a task wherever it runs.
doors() { # on standard input: PORT NODE-PORT, one door a line; replaces those that are
  local node port target
  {
    printf 'global\n  maxconn 500\n'
    printf 'defaults\n  mode tcp\n  retries %d\n  option redispatch 1\n' "$(nodes | wc -l)"
    printf '  timeout connect 400ms\n  timeout client 1h\n  timeout server 1h\n'
    while read -r port target; do
      printf 'listen %s\n  bind 127.0.0.1:%s\n' "$port" "$port"
      for node in $(nodes); do
        printf '  server %s %s:%s namespace %s-hub\n' "$node" "$(address "$node")" "$target" "$id"
      done
    done
  } >"$dir/doors.cfg"
  # shellcheck disable=SC2046  # a list of process ids
  [ -z "$(ours doors.cfg)" ] || kill -KILL $(ours doors.cfg)
  ! grep -q '^listen' "$dir/doors.cfg" || setsid haproxy -D -f "$dir/doors.cfg" </dev/null >>"$dir/doors.log" 2>&1 ||
    die "the doors do not open; see $dir/doors.log"
}

# The folder is what DOCKER_CERT_PATH expects: ca.pem, cert.pem, key.pem.
tls() { # NODE PORT
  local folder=$dir/tls name
  local key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
  if [ ! -f "$folder/ca.pem" ]; then
    mkdir -p "$folder"
    openssl req -x509 "${key[@]}" -keyout "$folder/ca-key.pem" -out "$folder/ca.pem" -days 30 -subj /CN=lab-docker-ca 2>/dev/null
    for name in server client; do
      openssl req "${key[@]}" -keyout "$folder/$name-key.pem" -out "$folder/$name.csr" -subj "/CN=lab-$name" 2>/dev/null
      openssl x509 -req -in "$folder/$name.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca-key.pem" -CAcreateserial -days 30 \
        -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=%sAuth\n' $name) \
        -out "$folder/$name.pem" 2>/dev/null
    done
    cat "$folder/server.pem" "$folder/server-key.pem" >"$folder/both.pem"
    mv "$folder/client.pem" "$folder/cert.pem"
    mv "$folder/client-key.pem" "$folder/key.pem"
    chmod 600 "$folder"/*key.pem "$folder/both.pem"
  fi
  cat >"$dir/tls-$1.cfg" <<CFG
defaults
  mode tcp
  timeout connect 2s
  timeout client 1h
  timeout server 1h
listen tls-$1
  bind 127.0.0.1:$2 ssl crt $folder/both.pem ca-file $folder/ca.pem verify required
  server $1 unix@$dir/$1/docker.sock
CFG
  # shellcheck disable=SC2046  # a list of process ids
  [ -z "$(ours "tls-$1.cfg")" ] || kill -KILL $(ours "tls-$1.cfg")
  setsid haproxy -D -f "$dir/tls-$1.cfg" </dev/null >>"$dir/doors.log" 2>&1 || die "no TLS on port $2; see $dir/doors.log"
  echo "tcp://127.0.0.1:$2 $folder"
}

down() {
  local namespace
  slay
  unmount
  for namespace in $(ip netns list | awk -v prefix="$id-" 'index($1, prefix) == 1 {print $1}'); do
    ip netns del "$namespace"
    remove_cgroups "$namespace"
  done
  rm -rf "$dir"
  # The daemons make these, whatever they are told; not ours unless they are empty.
  rmdir /run/docker/plugins /run/docker /run/containerd/s /run/containerd 2>/dev/null || true
}

command=${1:-}
[ $# = 0 ] || shift
case $command in
  check) check ;;
  up) up "${1:-3}" "${2:-2}" ;;
  running) [ -n "$(ours)" ] ;;
  sockets) sockets ;;
  kill)
    known "${1:-}"
    slay "$1/"
    unmount "$1/exec"
    ;;
  start)
    known "${1:-}"
    spawn "$1"
    await "$1"
    ;;
  cut | heal)
    known "${1:-}"
    if [ "$command" = cut ]; then state=down; else state=up; fi
    ip -n "$id-hub" link set "v$(index "$1")" $state
    ;;
  sicken) echo "${2:-new}" >"$dir/faults/all/${1:?SERVICE}" ;;
  cure) rm -f "$dir/faults/all/${1:?SERVICE}" ;;
  tests)
    service=${1:?SERVICE}
    shift
    if [ $# = 3 ]; then echo "$*" >"$dir/faults/all/$service.tests"; else rm -f "$dir/faults/all/$service.tests"; fi
    ;;
  doors) doors ;;
  tls)
    known "${1:-}"
    tls "$1" "${2:?PORT}"
    ;;
  publish) publish "$@" ;;
  in)
    name=${1:?NODE}
    shift
    in_namespace "$name" "$@"
    ;;
  down) down ;;
  *)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
    exit 2
    ;;
esac
