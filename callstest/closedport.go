package callstest

import "net"

// closedPort is an address of the loopback interface that refuses connections
// for as long as it is held: its port belongs to the client's end of a
// connection, so that nobody can listen on it.
type closedPort struct{ client, server net.Conn }

func newClosedPort() (*closedPort, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, err
	}
	server, err := l.Accept()
	if err != nil {
		_ = client.Close()
		return nil, err
	}
	return &closedPort{client: client, server: server}, nil
}

func (p *closedPort) addr() string { return p.client.LocalAddr().String() }

func (p *closedPort) release() {
	_ = p.client.Close()
	_ = p.server.Close()
}
