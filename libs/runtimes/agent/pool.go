package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// A response head has to fit in the buffer: 4 KB of header lines, and room for the status line.
const readBufferBytes = 8 << 10

// Connections that were idle for longer are not used again: servers close theirs after 5 s and more.
const maxIdle = 60 * time.Second

// How long a new connection may be without an answer before idle ones are closed for it.
const stallTime = time.Second

// appConn is a connection to the user's web server.
type appConn struct {
	*net.TCPConn
	raw       syscall.RawConn
	from      *bufio.Reader
	reused    bool
	idleSince time.Time
}

// pool keeps connections to the web server between requests.
type pool struct {
	port int

	mutex sync.Mutex
	// The address that worked; the first dial finds it.
	address *net.TCPAddr
	idle    []*appConn
}

func (p *pool) dial() (*appConn, error) {
	p.mutex.Lock()
	address := p.address
	p.mutex.Unlock()
	if address != nil {
		return connect(address)
	}
	var firstError error
	for _, ip := range []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback} {
		address = &net.TCPAddr{IP: ip, Port: p.port}
		connected, err := connect(address)
		if err == nil {
			p.mutex.Lock()
			p.address = address
			p.mutex.Unlock()
			return connected, nil
		}
		if firstError == nil {
			firstError = err
		}
	}
	return nil, firstError
}

func connect(address *net.TCPAddr) (*appConn, error) {
	conn, err := net.DialTCP("tcp", nil, address)
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &appConn{TCPConn: conn, raw: raw, from: bufio.NewReaderSize(conn, readBufferBytes)}, nil
}

// take returns the connection that was used last and is still open, or a new one.
func (p *pool) take() (*appConn, error) {
	for {
		conn := p.pop()
		if conn == nil {
			return p.dial()
		}
		if time.Since(conn.idleSince) < maxIdle && conn.isQuiet() {
			conn.reused = true
			return conn, nil
		}
		_ = conn.Close()
	}
}

func (p *pool) pop() *appConn {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	conn := p.idle[last]
	p.idle = p.idle[:last]
	return conn
}

// release keeps a connection on which a whole exchange has ended.
func (p *pool) release(conn *appConn) {
	if conn.from.Buffered() > 0 {
		_ = conn.Close()
		return
	}
	conn.idleSince = time.Now()
	p.mutex.Lock()
	p.idle = append(p.idle, conn)
	p.mutex.Unlock()
}

func (p *pool) closeIdle() {
	for conn := p.pop(); conn != nil; conn = p.pop() {
		_ = conn.Close()
	}
}

// letThrough closes connections that are idle while nothing comes on a new one: a server that serves one connection after the
// other may be waiting on them. The result is to be called when something has come.
func (p *pool) letThrough(conn *appConn) (answered func()) {
	if conn.reused {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		stalled := time.NewTicker(stallTime)
		defer stalled.Stop()
		for {
			select {
			case <-stalled.C:
				p.closeIdle()
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

// isQuiet: the server has neither closed the connection nor sent anything that nobody asked for.
func (c *appConn) isQuiet() bool {
	quiet := false
	var one [1]byte
	err := c.raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = err == syscall.EAGAIN
		return true
	})
	return err == nil && quiet
}

// wasUnread tells from the error of a connection that nothing of the request was read: the kernel of the server has answered
// with a reset. After a plain close the socket has no error of its own, and the server may have read the request.
func (c *appConn) wasUnread(err error) bool {
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return true
	}
	pending := 0
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		_ = c.raw.Control(func(fd uintptr) {
			pending, _ = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
		})
	}
	return pending != 0
}
