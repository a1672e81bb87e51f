#!/bin/bash
# Builds the Kubernetes control plane the lab runs: etcd, kube-apiserver,
# kube-controller-manager and kube-scheduler, from their Go modules, once.
#
#   build.sh        prints the folder that holds the four programs
#   build.sh path   prints that folder only if everything is there already
#   build.sh streams  prints the folder of what answers exec and port-forward for
#                   the simulated kubelets, which is ours and small
#
# KUBEBUILDER_ASSETS, when set, names a folder with ready programs and is used
# as it is. LAB_BUILD_LIMIT bounds a cold build in seconds; Go keeps what it had
# compiled, so the next attempt goes on from there.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
programs=(etcd kube-apiserver kube-controller-manager kube-scheduler)
version=$(awk '$1 == "k8s.io/kubernetes" && $2 ~ /^v/ {print $2; exit}
  $1 == "require" && $2 == "k8s.io/kubernetes" {print $3; exit}' "$here/control-plane/go.mod")
out=${XDG_CACHE_HOME:-$HOME/.cache}/quarterdeck-lab/kubernetes-$version

complete() { # FOLDER
  local program
  for program in "${programs[@]}"; do [ -x "$1/$program" ] || return 1; done
}

if [ "${1:-}" = streams ]; then
  # Named by its source: another source is another program.
  source=$(cat "$here"/streams/*.go "$here"/streams/go.* | sha256sum | cut -c1-12)
  out=${out%/*}/streams-$source
  if [ ! -x "$out/streams" ]; then
    command -v go >/dev/null || {
      echo "build.sh: no Go compiler to build streams with; install Go 1.26" >&2
      exit 1
    }
    mkdir -p "$out"
    (cd "$here/streams" && CGO_ENABLED=0 timeout --foreground "${LAB_BUILD_LIMIT:-600}" nice -n 10 \
      go build -trimpath -ldflags '-s -w' -o "$out/.streams-$$" . >&2) && mv "$out/.streams-$$" "$out/streams"
  fi
  echo "$out"
  exit
fi
if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  complete "$KUBEBUILDER_ASSETS" || {
    echo "build.sh: KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS lacks one of: ${programs[*]}" >&2
    exit 1
  }
  echo "$KUBEBUILDER_ASSETS"
  exit
fi
if complete "$out"; then
  echo "$out"
  exit
fi
[ "${1:-}" != path ] || exit 1
command -v go >/dev/null || {
  echo "build.sh: no Go compiler; install Go 1.26 or set KUBEBUILDER_ASSETS" >&2
  exit 1
}

mkdir -p "$out"
# One build at a time; whoever waited finds the work done.
exec 9>"$out/.lock"
flock 9
if ! complete "$out"; then
  started=$SECONDS
  echo "building the Kubernetes $version control plane, once (several minutes) ..." >&2
  scratch=$(mktemp -d "$out/.build-XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  stamp=k8s.io/component-base/version
  minor=${version#v1.}
  # The version is stamped in as the official builds do it: clients read it.
  # CGO_ENABLED=0: static programs, and no C compiler needed.
  (cd "$here/control-plane" &&
    CGO_ENABLED=0 timeout --foreground "${LAB_BUILD_LIMIT:-1500}" nice -n 10 \
      go build -trimpath -o "$scratch/" -ldflags "-s -w -X $stamp.gitVersion=$version -X $stamp.gitMajor=1 -X $stamp.gitMinor=${minor%%.*}" \
      go.etcd.io/etcd/server/v3 k8s.io/kubernetes/cmd/kube-apiserver \
      k8s.io/kubernetes/cmd/kube-controller-manager k8s.io/kubernetes/cmd/kube-scheduler 9>&- >&2) || {
    echo "build.sh: the build failed or took longer than ${LAB_BUILD_LIMIT:-1500} s" >&2
    exit 1
  }
  # Go names a program after the last part of its path that is not a version.
  [ ! -f "$scratch/server" ] || mv "$scratch/server" "$scratch/etcd"
  for program in "${programs[@]}"; do mv "$scratch/$program" "$out/$program"; done
  echo "built in $((SECONDS - started)) s" >&2
fi
echo "$out"
