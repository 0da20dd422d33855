//go:build linux

package harness

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
)

// openLine listens for the requests of an instance to the platform. What goes over the
// line is not changed: the double loses what it loses on the connection itself.
func (r *run) openLine(place int) (net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go r.carry(place, conn)
		}
	}()
	return listener, nil
}

// carry carries one request and its response: the double closes each connection after
// that.
func (r *run) carry(place int, near net.Conn) {
	defer near.Close()
	i := r.instanceAt(place)
	r.reach(i, onDial)
	request, response := onListing, afterListed
	head := make([]byte, 64<<10)
	n, err := near.Read(head)
	if head = head[:n]; bytes.HasPrefix(head, []byte("POST ")) {
		request, response = onCreate, onCreated
	}
	if err != nil {
		return
	}
	r.reach(i, request)
	far, err := net.Dial("tcp", strings.TrimPrefix(r.desk.double.URL(), "http://"))
	if err != nil {
		return
	}
	defer far.Close()
	var there sync.WaitGroup
	there.Go(func() {
		if _, err := far.Write(head); err == nil {
			_, _ = io.Copy(far, near)
		}
		_ = far.(*net.TCPConn).CloseWrite()
	})
	first := make([]byte, 1)
	n, _ = far.Read(first)
	r.reach(i, response)
	if _, err := near.Write(first[:n]); err == nil {
		_, _ = io.Copy(near, far)
	}
	_ = near.Close()
	there.Wait()
}
