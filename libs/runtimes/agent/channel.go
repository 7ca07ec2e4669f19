package main

import (
	"net"
	"sync"
)

// A sender waits while so much has not been taken by the invoker.
const maxUnsentBytes = 1 << 20

// Buffers over this are not kept for the next frames.
const keptBufferBytes = 128 << 10

// channel sends frames to the invoker. Frames that come while others are being written leave together in the next write.
type channel struct {
	conn net.Conn
	// Called when the channel is lost, perhaps more than once.
	onLost func()

	mutex   sync.Mutex
	room    sync.Cond
	unsent  []byte
	spare   []byte
	writing bool
	closed  bool
}

func newChannel(conn net.Conn, onLost func()) *channel {
	c := &channel{conn: conn, onLost: onLost}
	c.room.L = &c.mutex
	return c
}

func (c *channel) send(kind byte, stream uint32, head, body []byte) {
	if head == nil {
		head = noHead
	}
	c.write(appendFrame(make([]byte, 0, preambleBytes+len(head)+len(body)), kind, stream, head, body))
}

// write sends whole frames. The caller that finds nobody writing writes for all until nothing is left.
func (c *channel) write(frames []byte) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for c.writing && len(c.unsent) > maxUnsentBytes && !c.closed {
		c.room.Wait()
	}
	c.unsent = append(c.unsent, frames...)
	if c.writing || c.closed {
		return
	}
	c.writing = true
	for len(c.unsent) > 0 && !c.closed {
		c.writeUnsent()
	}
	c.writing = false
}

func (c *channel) writeUnsent() {
	sending := c.unsent
	c.unsent = c.spare[:0]
	c.spare = nil
	c.mutex.Unlock()
	_, err := c.conn.Write(sending)
	c.mutex.Lock()
	if cap(sending) <= keptBufferBytes {
		c.spare = sending[:0]
	}
	if err != nil {
		c.closed = true
		go c.onLost()
	}
	c.room.Broadcast()
}

// flushed returns when all that was sent before has left the process.
func (c *channel) flushed() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for c.writing && !c.closed {
		c.room.Wait()
	}
}
