package callstest

import (
	"net"
	"net/http"
	"sync"
)

// clientConn is a connection of the pool of HTTPClient. It can be broken in
// such a way that the client learns of it when it next writes, and not before:
// a client that reads all the time would else notice it sooner or later,
// depending on the machine.
type clientConn struct {
	net.Conn
	onClose func(*clientConn)

	mu        sync.Mutex
	user      *http.Request // nil: it is idle
	concealed bool          // it breaks, or is broken, and the client must not notice yet

	broken     chan struct{} // closed when a Read has failed
	noticed    chan struct{} // closed when a Write has failed, and by Close
	breakOnce  sync.Once
	noticeOnce sync.Once
}

func newClientConn(c net.Conn, onClose func(*clientConn)) *clientConn {
	return &clientConn{
		Conn:    c,
		onClose: onClose,
		user:    &http.Request{}, // on its way to its first user, so not idle
		broken:  make(chan struct{}),
		noticed: make(chan struct{}),
	}
}

func (c *clientConn) use(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.user = r
}

// release leaves the connection to another user who was faster.
func (c *clientConn) release(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.user == r {
		c.user = nil
	}
}

// conceal prepares an idle connection for being broken. It reports false for one
// that is in use.
func (c *clientConn) conceal() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.user != nil {
		return false
	}
	c.concealed = true
	return true
}

func (c *clientConn) isConcealed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.concealed
}

func (c *clientConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.breakOnce.Do(func() { close(c.broken) })
		if c.isConcealed() {
			<-c.noticed
		}
	}
	return n, err
}

// Write on a concealed connection waits until it is broken, so that it fails.
func (c *clientConn) Write(p []byte) (int, error) {
	if c.isConcealed() {
		<-c.broken
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		c.notice()
	}
	return n, err
}

func (c *clientConn) Close() error {
	c.notice()
	c.onClose(c)
	return c.Conn.Close()
}

func (c *clientConn) notice() { c.noticeOnce.Do(func() { close(c.noticed) }) }
