package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
)

// Ports of one pod.
type ports struct {
	pod     *pod
	cluster *cluster
}

// PortForward carries one connection to a port of the pod until either side ends it.
func (p *ports) PortForward(ctx context.Context, name, uid string, port int32, stream io.ReadWriteCloser) error {
	address, ok := p.pod.listens(port)
	if !ok {
		return fmt.Errorf("failed to connect to localhost:%d inside namespace %q, IPv4: dial tcp4 127.0.0.1:%d: connect: connection refused", port, uid, port)
	}
	if address != "" {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		return carry(stream, connection)
	}
	return p.serve(port, stream)
}

// carry passes bytes both ways; the end of one way is the end of that way only.
func carry(stream io.ReadWriteCloser, connection net.Conn) error {
	defer connection.Close()
	sent := make(chan struct{})
	go func() {
		_, _ = io.Copy(connection, stream)
		_ = connection.(*net.TCPConn).CloseWrite()
		close(sent)
	}()
	_, err := io.Copy(stream, connection)
	return err
}

// serve answers HTTP as the pod: /bytes/N gives so many, a POST is echoed, the rest says who answers.
func (p *ports) serve(port int32, stream io.ReadWriteCloser) error {
	from, to := bufio.NewReader(stream), bufio.NewWriter(stream)
	for {
		request, err := http.ReadRequest(from)
		if err != nil {
			return nil // the end of what was asked
		}
		answer := p.answer(port, request)
		if err := answer.Write(to); err != nil {
			return nil
		}
		if err := to.Flush(); err != nil || request.Close {
			return nil
		}
		_, _ = io.Copy(io.Discard, request.Body)
	}
}

func (p *ports) answer(port int32, request *http.Request) *http.Response {
	body, size := io.Reader(nil), int64(-1)
	var number int64
	if _, err := fmt.Sscanf(request.URL.Path, "/bytes/%d", &number); err == nil {
		body, size = io.LimitReader(&pattern{}, number), number
	} else if request.Method == http.MethodPost {
		body, size = request.Body, request.ContentLength
	} else {
		text := fmt.Sprintf("pod %s/%s port %d\n", p.pod.Metadata.Namespace, p.pod.Metadata.Name, port)
		reader, writer := io.Pipe()
		go func() {
			_, _ = io.WriteString(writer, text)
			writer.Close()
		}()
		body, size = reader, int64(len(text))
	}
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: request,
		Header: http.Header{"X-Pod": {p.pod.Metadata.Name}, "X-Port": {strconv.Itoa(int(port))}},
		Body:   io.NopCloser(body), ContentLength: size, Close: request.Close,
	}
}

// A pattern without an end: the same bytes at the same place, whoever asks.
type pattern struct{ at int }

func (p *pattern) Read(into []byte) (int, error) {
	for n := range into {
		into[n] = byte((p.at + n) * 131 >> 3)
	}
	p.at += len(into)
	return len(into), nil
}
