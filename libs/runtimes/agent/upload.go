package main

import (
	"errors"
	"net"
	"strconv"
	"syscall"
)

// sendGathered writes the request with the whole of its body, which stays for a second attempt.
func (x *exchange) sendGathered(conn *appConn, chunked bool) error {
	x.mutex.Lock()
	pieces := x.pieces
	x.mutex.Unlock()
	request := x.head.appendHTTP(make([]byte, 0, 1024), chunked)
	if len(pieces) == 0 && !chunked {
		_, err := conn.Write(request)
		return err
	}
	buffers := net.Buffers{request}
	for _, piece := range pieces {
		buffers = appendChunk(buffers, piece, chunked)
	}
	if chunked {
		buffers = append(buffers, lastChunk)
	}
	_, err := buffers.WriteTo(conn)
	return err
}

var lastChunk = []byte("0\r\n\r\n")
var lineEnd = []byte("\r\n")

func appendChunk(buffers net.Buffers, piece []byte, chunked bool) net.Buffers {
	if !chunked {
		return append(buffers, piece)
	}
	if len(piece) == 0 {
		return buffers
	}
	size := strconv.AppendInt(make([]byte, 0, 10), int64(len(piece)), 16)
	return append(buffers, append(size, '\r', '\n'), piece, lineEnd)
}

// upload writes the request and then its body as it comes. The server may answer before it has taken all of it.
func (x *exchange) upload(conn *appConn, chunked bool) error {
	if _, err := conn.Write(x.head.appendHTTP(make([]byte, 0, 1024), chunked)); err != nil {
		return err
	}
	if err := x.pump(conn, chunked); err != nil {
		return err
	}
	if chunked {
		_, err := conn.Write(lastChunk)
		return err
	}
	return nil
}

// pipe is the client's side of a tunnel.
func (x *exchange) pipe(conn *appConn) error {
	if err := x.pump(conn, false); err != nil {
		return err
	}
	return conn.CloseWrite()
}

// pump writes pieces until the invoker has ended them.
func (x *exchange) pump(conn *appConn, chunked bool) error {
	for {
		pieces, err := x.nextPieces()
		if err != nil || pieces == nil {
			return err
		}
		buffers := make(net.Buffers, 0, 3*len(pieces))
		size := 0
		for _, piece := range pieces {
			size += len(piece)
			buffers = appendChunk(buffers, piece, chunked)
		}
		_, err = buffers.WriteTo(conn)
		for _, piece := range pieces {
			releasePiece(piece)
		}
		if err != nil {
			return err
		}
		x.giveBack(size)
	}
}

// nextPieces waits for data; nil at its end.
func (x *exchange) nextPieces() ([][]byte, error) {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	for len(x.pieces) == 0 && !x.ended && !x.over {
		x.changed.Wait()
	}
	if x.over {
		return nil, errAborted
	}
	pieces := x.pieces
	x.pieces = nil
	return pieces, nil
}

// giveBack lets the invoker send as much again as the server has taken.
func (x *exchange) giveBack(size int) {
	x.mutex.Lock()
	x.taken += size
	given := x.taken
	due := given >= windowStepBytes && !x.ended && !x.over
	if due {
		x.taken = 0
	}
	x.mutex.Unlock()
	if due {
		head := append(strconv.AppendInt(append(make([]byte, 0, 24), `{"bytes":`...), int64(given), 10), '}')
		x.server.channel.send(kindWindow, x.stream, head, nil)
	}
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
