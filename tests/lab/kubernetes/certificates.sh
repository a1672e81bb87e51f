#!/bin/bash
# Makes the lab's certificate authority, certificates, keys, tokens and
# kubeconfigs under FOLDER/pki and FOLDER/kubeconfig. What is there stays.
#
#   certificates.sh FOLDER
set -euo pipefail

folder=$1
server=https://127.0.0.1:$((16443 + ${K8S_LAB_PORTS:-0}))
mkdir -p "$folder/pki"
chmod 700 "$folder" "$folder/pki"
cd "$folder/pki"
umask 077

elliptic=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
[ -f ca.crt ] || openssl req -x509 "${elliptic[@]}" -keyout ca.key -out ca.crt -days 3650 -subj /CN=lab-ca 2>/dev/null

certificate() { # NAME SUBJECT ALTERNATIVE-NAMES USAGE
  [ ! -f "$1.crt" ] || return 0
  openssl req "${elliptic[@]}" -keyout "$1.key" -out "$1.csr" -subj "$2" 2>/dev/null
  printf 'subjectAltName=%s\nextendedKeyUsage=%s\nkeyUsage=digitalSignature\n' "$3" "$4" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -out "$1.crt" -days 3650 -extfile "$1.ext" 2>/dev/null
}
certificate apiserver /CN=kube-apiserver \
  "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1" serverAuth
certificate kubelet-serving /CN=simulated-kubelet "DNS:localhost,IP:127.0.0.1" serverAuth
certificate metrics-server /CN=metrics-server DNS:metrics-server.kube-system.svc serverAuth
certificate admin /O=system:masters/CN=admin DNS:admin clientAuth
certificate controller-manager /CN=system:kube-controller-manager DNS:controller-manager clientAuth
certificate scheduler /CN=system:kube-scheduler DNS:scheduler clientAuth
certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client DNS:kubelet-client clientAuth
certificate front-proxy-client /CN=front-proxy-client DNS:front-proxy-client clientAuth
if [ ! -f service-accounts.key ]; then
  openssl genrsa -out service-accounts.key 2048 2>/dev/null
  openssl rsa -in service-accounts.key -pubout -out service-accounts.pub 2>/dev/null
fi
cat >tokens.csv <<CSV
viewer-token,viewer,viewer,"viewers"
nsdev-token,nsdev,nsdev,"devs"
nobody-token,nobody,nobody,"nobodies"
CSV

authority=$(base64 -w0 ca.crt)
kubeconfig() { # CERTIFICATE: for one program
  cat <<YAML
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: "$server", certificate-authority-data: $authority}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
contexts: [{name: lab, context: {cluster: lab, user: $1, namespace: default}}]
current-context: lab
YAML
}
kubeconfig controller-manager >controller-manager.kubeconfig
kubeconfig scheduler >scheduler.kubeconfig
# For people and tests: an administrator and three lesser users.
cat >"$folder/kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters:
- {name: lab, cluster: {server: "$server", certificate-authority-data: $authority}}
users:
- {name: admin, user: {client-certificate-data: $(base64 -w0 admin.crt), client-key-data: $(base64 -w0 admin.key)}}
- {name: viewer, user: {token: viewer-token}}
- {name: nsdev, user: {token: nsdev-token}}
- {name: nobody, user: {token: nobody-token}}
contexts:
- {name: lab, context: {cluster: lab, user: admin, namespace: default}}
- {name: lab-viewer, context: {cluster: lab, user: viewer, namespace: default}}
- {name: lab-nsdev, context: {cluster: lab, user: nsdev, namespace: team-00}}
- {name: lab-nobody, context: {cluster: lab, user: nobody, namespace: default}}
current-context: lab
YAML
