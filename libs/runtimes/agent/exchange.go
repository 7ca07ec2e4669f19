package main

import (
	"errors"
	"io"
	"sync"
	"time"
)

// Bodies up to this are gathered before the request is sent: they can be sent again, and leave in one write.
const gatheredBytes = 64 << 10

// Given back to the invoker in steps of this, as the web server takes them.
const windowStepBytes = windowBytes / 4

// How long the end of the program may come after the end of its connection.
const exitDelay = 200 * time.Millisecond

var errAborted = errors.New("aborted")

// exchange is one request and its response, or the tunnel that it becomes.
//
//  1. Frames from the invoker are put in by receive, which never waits; run and upload take them out.
//  2. Nothing is sent to the invoker after `over`: it is set when the response has ended, or by an abort of either side.
//  3. The connection goes back to the pool only when all of the request was written and all of the response was read.
type exchange struct {
	server *webServer
	head   *requestHead
	stream uint32

	mutex   sync.Mutex
	changed sync.Cond
	pieces  [][]byte
	// Bytes of pieces that were received in all.
	received int64
	ended    bool
	over     bool
	// Bytes of data that the invoker takes.
	credit int
	// Taken by the web server, and not yet given back to the invoker.
	taken     int
	responded bool
	conn      *appConn
}

func newExchange(server *webServer, stream uint32, head *requestHead) *exchange {
	x := &exchange{server: server, stream: stream, head: head, credit: windowBytes}
	x.changed.L = &x.mutex
	return x
}

func (x *exchange) receive(f frame) {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	switch f.kind {
	case kindData:
		x.received += int64(len(f.body))
		x.pieces = append(x.pieces, f.body)
	case kindEnd:
		x.ended = true
	case kindWindow:
		x.credit += windowOf(f.head)
	case kindAbort:
		x.over = true
		if x.conn != nil {
			_ = x.conn.Close()
		}
	}
	x.changed.Broadcast()
}

func (x *exchange) run() {
	defer x.server.forget(x)
	chunked, gathered, ok := x.gather()
	if !ok {
		return
	}
	err := x.attempt(chunked, gathered, false)
	if err == errRetry {
		err = x.attempt(chunked, gathered, true)
	}
	if err != nil {
		x.fail(err)
	}
}

// gather waits until it is known how the body goes on: all of it when it is small, otherwise its beginning.
func (x *exchange) gather() (chunked, gathered, ok bool) {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	for {
		switch {
		case x.over:
			return false, false, false
		case x.ended:
			chunked = x.head.contentLength < 0 && (x.head.chunked || len(x.pieces) > 0)
			return chunked, x.received <= gatheredBytes, true
		case x.head.upgrade && x.head.contentLength <= 0:
			return false, true, true
		case x.head.contentLength > gatheredBytes:
			return false, false, true
		case x.head.contentLength < 0 && (x.head.chunked || len(x.pieces) > 0):
			return true, false, true
		case x.head.contentLength >= 0 && x.received >= x.head.contentLength:
			return false, true, true
		}
		x.changed.Wait()
	}
}

var errRetry = errors.New("the connection was closed before the request was read")

func (x *exchange) attempt(chunked, gathered, again bool) error {
	conn, err := x.connect(gathered && !again)
	if err != nil {
		return err
	}
	uploaded := make(chan error, 1)
	if gathered {
		err = x.sendGathered(conn, chunked)
		uploaded <- nil
	} else {
		go func() { uploaded <- x.upload(conn, chunked) }()
	}
	head := responseHead{lines: make([]headerLine, 0, 16)}
	headBytes := 0
	if err == nil {
		answered := x.server.pool.letThrough(conn)
		headBytes, err = conn.readHead(&head)
		answered()
	}
	if err != nil {
		_ = conn.Close()
		if gathered && conn.reused && !x.isOver() && conn.from.Buffered() == 0 && x.mayRepeat(conn, err) {
			return errRetry
		}
		return err
	}
	return x.respond(conn, &head, headBytes, uploaded)
}

func (x *exchange) mayRepeat(conn *appConn, err error) bool {
	return conn.wasUnread(err) || x.head.isSafe() && errors.Is(err, io.EOF)
}

// connect: a body that cannot be sent again gets a connection that the server has not had time to close.
func (x *exchange) connect(pooled bool) (*appConn, error) {
	take := x.server.pool.dial
	if pooled {
		take = x.server.pool.take
	} else if x.server.isAlone() {
		x.server.pool.closeIdle()
	}
	conn, err := take()
	if err != nil {
		return nil, err
	}
	x.mutex.Lock()
	defer x.mutex.Unlock()
	if x.over {
		_ = conn.Close()
		return nil, errAborted
	}
	x.conn = conn
	return conn, nil
}

// fail tells the invoker, unless the exchange is over.
func (x *exchange) fail(err error) {
	x.mutex.Lock()
	responded, over := x.responded, x.over
	x.mutex.Unlock()
	failed, lost := x.describe(err)
	if over {
		return
	}
	if lost && x.server.awaitExit(exitDelay) {
		failed = x.server.ended()
	}
	x.give(responded, failed)
}

// describe also tells whether the connection was lost: the program may have ended.
func (x *exchange) describe(err error) (failed *failure, lost bool) {
	var malformed malformedError
	switch {
	case errors.Is(err, errHeadersTooLarge):
		return fail("response-headers-too-large", err.Error()), false
	case errors.As(err, &malformed):
		return fail("bad-response", x.server.name()+": "+err.Error()), false
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isReset(err):
		return fail("bad-response", x.server.name()+" closed the connection before its response was complete"), true
	}
	return fail("bad-response", x.server.name()+" cannot be reached: "+err.Error()), true
}

// give ends the exchange with a failure: an error instead of a response, an abort in the middle of one.
func (x *exchange) give(responded bool, failed *failure) {
	x.mutex.Lock()
	if x.over {
		x.mutex.Unlock()
		return
	}
	x.over = true
	if x.conn != nil {
		_ = x.conn.Close()
	}
	x.changed.Broadcast()
	x.mutex.Unlock()
	if responded {
		x.server.channel.send(kindAbort, x.stream, encodeHead(map[string]string{"reason": failed.Message}), nil)
	} else {
		x.server.channel.send(kindError, x.stream, encodeHead(failed), nil)
	}
}

func (x *exchange) isOver() bool {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	return x.over
}
