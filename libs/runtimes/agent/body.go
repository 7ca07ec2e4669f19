package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// bodyReader reads a message's body from a connection, up to io.EOF at its end.
type bodyReader struct {
	from *bufio.Reader
	// Bytes left of the body, or of the chunk; negative: until the connection ends.
	left    int64
	chunked bool
	// A chunk's bytes were read, its line end was not.
	inChunk bool
}

func (h *responseHead) body(from *bufio.Reader, method string) bodyReader {
	switch {
	case h.status == 101:
		return bodyReader{from: from, left: -1}
	case h.hasNoBody(method):
		return bodyReader{from: from}
	case h.chunked:
		return bodyReader{from: from, chunked: true}
	}
	return bodyReader{from: from, left: h.contentLength}
}

// untilClose: only the end of the connection ends this body.
func (b *bodyReader) untilClose() bool { return b.left < 0 }

func (b *bodyReader) Read(into []byte) (int, error) {
	if b.chunked && b.left == 0 {
		if err := b.nextChunk(); err != nil {
			return 0, err
		}
	}
	if b.left == 0 {
		return 0, io.EOF
	}
	if b.left > 0 && int64(len(into)) > b.left {
		into = into[:b.left]
	}
	count, err := b.from.Read(into)
	if b.untilClose() {
		return count, err
	}
	b.left -= int64(count)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return count, err
}

// ready: a read will not wait for the connection.
func (b *bodyReader) ready() bool {
	if b.left == 0 && !b.chunked {
		return true
	}
	buffered := b.from.Buffered()
	if !b.chunked || b.left > 0 || buffered == 0 {
		return buffered > 0
	}
	text, _ := b.from.Peek(buffered)
	if b.inChunk {
		_, text = cutLine(text)
	}
	// The size of a chunk is not enough: its bytes may be on their way.
	end := bytes.IndexByte(text, '\n')
	return end >= 0 && end+1 < len(text)
}

// nextChunk leaves left at 0 and chunked off after the last chunk and its trailers, which are dropped.
func (b *bodyReader) nextChunk() error {
	if b.inChunk {
		if line, err := b.line(); err != nil || len(line) > 0 {
			return orMalformed(err, "a chunk does not end where it should")
		}
	}
	line, err := b.line()
	if err != nil {
		return err
	}
	if end := bytes.IndexByte(line, ';'); end >= 0 {
		line = line[:end]
	}
	size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 64)
	if err != nil || size < 0 {
		return malformedError{fmt.Sprintf("the size of a chunk is %q", line[:minimum(len(line), 40)])}
	}
	b.left, b.inChunk = size, true
	if size > 0 {
		return nil
	}
	for {
		if line, err = b.line(); err != nil {
			return err
		}
		if len(line) == 0 {
			b.chunked = false
			return nil
		}
	}
}

func (b *bodyReader) line() ([]byte, error) {
	line, err := b.from.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	line, _ = cutLine(line)
	return line, nil
}

func orMalformed(err error, what string) error {
	if err != nil {
		return err
	}
	return malformedError{what}
}
