package callstest

import (
	"net"
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
	users     int  // 0: it is idle
	isNew     bool // on its way to its first user, who is counted already
	concealed bool // it breaks, or is broken, and the client must not notice yet

	broken     chan struct{} // closed when a Read has failed
	noticed    chan struct{} // closed when a Write has failed, and by Close
	breakOnce  sync.Once
	noticeOnce sync.Once
}

func newClientConn(c net.Conn, onClose func(*clientConn)) *clientConn {
	return &clientConn{
		Conn:    c,
		onClose: onClose,
		users:   1,
		isNew:   true,
		broken:  make(chan struct{}),
		noticed: make(chan struct{}),
	}
}

func (c *clientConn) use() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isNew {
		c.isNew = false
		return
	}
	c.users++
}

func (c *clientConn) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users--
}

func (c *clientConn) isIdle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.users == 0
}

// conceal prepares an idle connection for being broken. It reports false for one
// that is in use.
func (c *clientConn) conceal() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users > 0 {
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
