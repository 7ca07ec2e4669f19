package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// Kinds of frames; ../README.md says who sends them and what they hold.
const (
	kindHello      = 1
	kindInit       = 2
	kindReady      = 3
	kindInitFailed = 4
	kindInvoke     = 5
	kindResult     = 6
	kindError      = 7
	kindRequest    = 8
	kindData       = 9
	kindEnd        = 10
	kindResponse   = 11
	kindWindow     = 12
	kindAbort      = 13
)

const (
	preambleBytes = 13
	maxHeadBytes  = 1 << 20
	maxBodyBytes  = 8 << 20
	// Most bytes of one data frame.
	maxDataBytes = 64 << 10
	// Bytes of data that each side may send before the first window frame.
	windowBytes = 256 << 10
)

var noHead = []byte("{}")

// appendFrame puts a whole frame at the end of to.
func appendFrame(to []byte, kind byte, stream uint32, head, body []byte) []byte {
	to = appendPreamble(to, kind, stream, len(head), len(body))
	to = append(to, head...)
	return append(to, body...)
}

func appendPreamble(to []byte, kind byte, stream uint32, headBytes, bodyBytes int) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(preambleBytes-4+headBytes+bodyBytes))
	to = append(to, kind)
	to = binary.BigEndian.AppendUint32(to, stream)
	return binary.BigEndian.AppendUint32(to, uint32(headBytes))
}

// encodeHead is for heads that are made of our own types: those always have a JSON text.
func encodeHead(value interface{}) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

type frame struct {
	kind   byte
	stream uint32
	// Only until the next frame is read.
	head []byte
	// The receiver's own; a data frame's is given back by releasePiece.
	body []byte
}

type frameReader struct {
	from *bufio.Reader
	head []byte
}

func newFrameReader(from io.Reader) *frameReader {
	return &frameReader{from: bufio.NewReaderSize(from, 32<<10)}
}

func (r *frameReader) next() (frame, error) {
	preamble, err := r.from.Peek(preambleBytes)
	if err != nil {
		return frame{}, err
	}
	rest := int(binary.BigEndian.Uint32(preamble)) - (preambleBytes - 4)
	headBytes := int(binary.BigEndian.Uint32(preamble[9:]))
	bodyBytes := rest - headBytes
	if headBytes > maxHeadBytes || bodyBytes < 0 || bodyBytes > maxBodyBytes {
		return frame{}, fmt.Errorf("not a frame: %d bytes of head, %d of body", headBytes, bodyBytes)
	}
	read := frame{kind: preamble[4], stream: binary.BigEndian.Uint32(preamble[5:])}
	if _, err = r.from.Discard(preambleBytes); err != nil {
		return frame{}, err
	}
	if cap(r.head) < headBytes {
		r.head = make([]byte, headBytes)
	}
	read.head = r.head[:headBytes]
	if _, err = io.ReadFull(r.from, read.head); err != nil {
		return frame{}, err
	}
	if bodyBytes > 0 {
		read.body = newPiece(bodyBytes)
		_, err = io.ReadFull(r.from, read.body)
	}
	return read, err
}
