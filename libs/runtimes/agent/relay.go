package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"sync"
)

// Frames on the way to the channel are gathered in buffers of this size.
const relayBufferBytes = 64 << 10

// An empty head of a data frame is two bytes.
const dataPreambleBytes = preambleBytes + 2

// Less room than this is not worth a data frame of its own.
const leastDataBytes = 4 << 10

var relayBuffers = sync.Pool{New: func() interface{} { return new([relayBufferBytes]byte) }}

// relay gathers the frames of one response and sends them before anything could wait.
type relay struct {
	channel *channel
	stream  uint32
	out     []byte
}

func (r *relay) begin() { r.out = relayBuffers.Get().(*[relayBufferBytes]byte)[:0] }

func (r *relay) finish() {
	r.flush()
	if cap(r.out) == relayBufferBytes {
		relayBuffers.Put((*[relayBufferBytes]byte)(r.out[:relayBufferBytes]))
	}
	r.out = nil
}

func (r *relay) flush() {
	if len(r.out) > 0 {
		r.channel.write(r.out)
		r.out = r.out[:0]
	}
}

func (r *relay) frame(kind byte, head []byte) {
	r.out = appendFrame(r.out, kind, r.stream, head, nil)
}

// response writes the frame without making a value of its head.
func (r *relay) response(head *responseHead) {
	start := len(r.out)
	r.out = appendPreamble(r.out, kindResponse, r.stream, 0, 0)
	r.out = append(r.out, `{"status":`...)
	r.out = strconv.AppendInt(r.out, int64(head.status), 10)
	r.out = append(r.out, `,"headers":[`...)
	separator := `[`
	for _, line := range head.lines {
		if !head.isPassedOn(line.name) {
			continue
		}
		r.out = append(r.out, separator...)
		r.out = appendJSONText(r.out, line.name)
		r.out = append(r.out, ',')
		r.out = appendJSONText(r.out, line.value)
		r.out = append(r.out, ']')
		separator = `,[`
	}
	r.out = append(r.out, `]}`...)
	headBytes := len(r.out) - start - preambleBytes
	binary.BigEndian.PutUint32(r.out[start:], uint32(preambleBytes-4+headBytes))
	binary.BigEndian.PutUint32(r.out[start+9:], uint32(headBytes))
}

// data reads what is there of the body, at most limit bytes, into one frame. It waits only if nothing is there.
func (r *relay) data(body *bodyReader, limit int) (count int, err error) {
	if !body.ready() || cap(r.out)-len(r.out) < dataPreambleBytes+leastDataBytes {
		r.flush()
	}
	start := len(r.out)
	space := r.out[start+dataPreambleBytes : cap(r.out)]
	space = space[:minimum(minimum(len(space), maxDataBytes), limit)]
	for count < len(space) && (count == 0 || body.ready()) {
		var more int
		more, err = body.Read(space[count:])
		count += more
		if err != nil {
			break
		}
	}
	if count > 0 {
		r.out = appendPreamble(r.out, kindData, r.stream, 2, count)
		r.out = append(r.out, noHead...)
		r.out = r.out[:len(r.out)+count]
	}
	return count, err
}

// appendJSONText writes bytes as a JSON string of Latin-1 characters.
func appendJSONText(to, text []byte) []byte {
	const digits = "0123456789abcdef"
	to = append(to, '"')
	for _, letter := range text {
		switch {
		case letter == '"' || letter == '\\':
			to = append(to, '\\', letter)
		case letter < ' ' || letter == 0x7f:
			to = append(to, '\\', 'u', '0', '0', digits[letter>>4], digits[letter&15])
		case letter >= 0x80:
			to = append(to, 0xc0|letter>>6, 0x80|letter&0x3f)
		default:
			to = append(to, letter)
		}
	}
	return append(to, '"')
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) }

// windowOf is the number in the head of a window frame.
func windowOf(text []byte) int {
	var head struct{ Bytes int }
	_ = json.Unmarshal(text, &head)
	return head.Bytes
}
