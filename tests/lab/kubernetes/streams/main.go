// Command streams stands before the simulated kubelets and answers what they cannot: exec, attach and port-forward, with
// the kubelet's own streaming library. Whatever else is asked goes on to kubelets.py.
//
// An exec runs a real process of this machine, in a pty where one is asked for, marked by its pod in its environment and
// prompt. A port-forward leads to a small HTTP server that says which pod it is, or to a real port of the loopback.
// Annotations of a pod say what it has:
//
//	fake.k/programs  the only programs it has, as in "sh,cat"; "none" is an image without a shell
//	fake.k/ports     ports that lead elsewhere, as in "5432=127.0.0.1:15432"
//
// Every pod listens on 8080 and on the ports its containers declare, and on no others.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// As the kubelet has them.
const (
	streamIdle     = 4 * time.Hour
	streamCreation = 30 * time.Second
)

// Everything served is a server of this machine's loopback, for whoever holds the API server's certificate.
func main() {
	state := flag.String("state", "", "the folder that holds the lab's state")
	port := flag.Int("port", 10250, "where the API server finds the kubelets")
	server := flag.String("server", "https://127.0.0.1:16443", "the API server")
	flag.Parse()
	// A shell that starts this in its background has these ignored, and so would every process in a container.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGQUIT)
	cluster, err := newCluster(*server, filepath.Join(*state, "pki"))
	if err != nil {
		log.Fatal(err)
	}
	work := filepath.Join(*state, "containers")
	if err := os.MkdirAll(work, 0o700); err != nil {
		log.Fatal(err)
	}
	kubelet := &kubelet{cluster: cluster, work: work}
	mux := http.NewServeMux()
	for _, path := range []string{"{container}", "{uid}/{container}"} {
		mux.HandleFunc("/exec/{namespace}/{pod}/"+path, kubelet.exec)
		mux.HandleFunc("/attach/{namespace}/{pod}/"+path, kubelet.attach)
	}
	mux.HandleFunc("/portForward/{namespace}/{pod}", kubelet.forward)
	mux.HandleFunc("/portForward/{namespace}/{pod}/{uid}", kubelet.forward)
	mux.Handle("/", others(filepath.Join(*state, "kubelets.sock")))
	listening := &http.Server{
		Addr:      fmt.Sprintf("127.0.0.1:%d", *port),
		Handler:   mux,
		TLSConfig: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: cluster.authority, MinVersion: tls.VersionTLS12},
		// SPDY and WebSockets take over a connection, which HTTP/2 cannot give.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	pki := filepath.Join(*state, "pki")
	log.Fatal(listening.ListenAndServeTLS(filepath.Join(pki, "kubelet-serving.crt"), filepath.Join(pki, "kubelet-serving.key")))
}

// others hands a request on to kubelets.py, and its answer back as it comes: logs are followed.
func others(socket string) http.Handler {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.Out.URL.Scheme, request.Out.URL.Host = "http", "kubelets"
		},
		Transport:     &http.Transport{DialContext: dial},
		FlushInterval: -1,
	}
}

// A cluster is asked what a pod is.
type cluster struct {
	server    string
	client    *http.Client
	authority *x509.CertPool
}

func newCluster(server, pki string) (*cluster, error) {
	authority, err := os.ReadFile(filepath.Join(pki, "ca.crt"))
	if err != nil {
		return nil, err
	}
	own, err := tls.LoadX509KeyPair(filepath.Join(pki, "admin.crt"), filepath.Join(pki, "admin.key"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	trust := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust}, Timeout: 10 * time.Second}
	return &cluster{server: server, client: client, authority: pool}, nil
}

type pod struct {
	Metadata struct {
		Namespace, Name, UID string
		Annotations          map[string]string
	}
	Spec struct {
		Containers []struct {
			Name  string
			Ports []struct{ ContainerPort int32 }
		}
	}
	Status struct {
		Phase             string
		ContainerStatuses []struct {
			Name  string
			State map[string]any
		}
	}
}

func (c *cluster) pod(namespace, name string) (*pod, error) {
	answer, err := c.client.Get(fmt.Sprintf("%s/api/v1/namespaces/%s/pods/%s", c.server, namespace, name))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("pod does not exist")
	}
	found := &pod{}
	return found, json.NewDecoder(answer.Body).Decode(found)
}

// runs says whether a container of it can be gone into.
func (p *pod) runs(container string) bool {
	for _, status := range p.Status.ContainerStatuses {
		if status.Name == container {
			return status.State["running"] != nil
		}
	}
	return false
}

// has says whether the pod's image has a program.
func (p *pod) has(program string) bool {
	only := p.Metadata.Annotations["fake.k/programs"]
	return only == "" || slices.Contains(strings.Split(only, ","), program)
}

// listens says whether something listens on a port of the pod, and where that is; "" for the server in here.
func (p *pod) listens(port int32) (string, bool) {
	for pair := range strings.SplitSeq(p.Metadata.Annotations["fake.k/ports"], ",") {
		if number, address, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && number == strconv.Itoa(int(port)) {
			return address, true
		}
	}
	for _, container := range p.Spec.Containers {
		for _, declared := range container.Ports {
			if declared.ContainerPort == port {
				return "", true
			}
		}
	}
	return "", port == 8080
}

// A kubelet answers for the pods of every node.
type kubelet struct {
	cluster *cluster
	work    string
}

func (k *kubelet) running(w http.ResponseWriter, r *http.Request) (*pod, bool) {
	found, err := k.cluster.pod(r.PathValue("namespace"), r.PathValue("pod"))
	if uid := r.PathValue("uid"); err != nil || uid != "" && uid != found.Metadata.UID {
		http.Error(w, "pod does not exist", http.StatusNotFound)
		return nil, false
	}
	if container := r.PathValue("container"); container != "" && !found.runs(container) {
		http.Error(w, fmt.Sprintf("container not found (%q)", container), http.StatusInternalServerError)
		return nil, false
	}
	return found, true
}

func (k *kubelet) exec(w http.ResponseWriter, r *http.Request) {
	found, ok := k.running(w, r)
	if !ok {
		return
	}
	options, err := remotecommand.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	runner := &runner{pod: found, work: k.work}
	name, uid, container := found.Metadata.Name, found.Metadata.UID, r.PathValue("container")
	command := r.URL.Query()["command"]
	remotecommand.ServeExec(w, r, runner, name, uid, container, command, options, streamIdle, streamCreation, remotecommand.SupportedStreamingProtocols)
}

func (k *kubelet) attach(w http.ResponseWriter, r *http.Request) {
	found, ok := k.running(w, r)
	if !ok {
		return
	}
	options, err := remotecommand.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	runner := &runner{pod: found, work: k.work}
	name, uid, container := found.Metadata.Name, found.Metadata.UID, r.PathValue("container")
	remotecommand.ServeAttach(w, r, runner, name, uid, container, options, streamIdle, streamCreation, remotecommand.SupportedStreamingProtocols)
}

func (k *kubelet) forward(w http.ResponseWriter, r *http.Request) {
	found, ok := k.running(w, r)
	if !ok {
		return
	}
	options, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name, uid := found.Metadata.Name, found.Metadata.UID
	portforward.ServePortForward(w, r, &ports{pod: found, cluster: k.cluster}, name, uid, options, streamIdle, streamCreation, portforward.SupportedProtocols)
}
