package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// SCF's limit of all header lines of a response (scf-api, Web function).
const maxResponseHeaderBytes = 4 << 10

var errHeadersTooLarge = fmt.Errorf("the header lines of the response are over %d bytes", maxResponseHeaderBytes)

type malformedError struct{ what string }

func (e malformedError) Error() string { return "the answer is not HTTP/1.1: " + e.what }

// responseHead is what the body depends on. The header lines are in lines, as slices of the connection's buffer.
type responseHead struct {
	status        int
	lines         []headerLine
	contentLength int64 // -1 without it
	chunked       bool
	keepAlive     bool
}

type headerLine struct{ name, value []byte }

// readHead reads the next head that is not an interim one, into head. Its lines are valid until the connection is read again:
// done discards them.
func (c *appConn) readHead(head *responseHead) (done int, err error) {
	for {
		end, err := c.awaitHead()
		if err != nil {
			return 0, err
		}
		text, _ := c.from.Peek(end)
		if err = head.parse(text); err != nil {
			return 0, err
		}
		if head.status >= 200 || head.status == 101 {
			return end, nil
		}
		if _, err = c.from.Discard(end); err != nil {
			return 0, err
		}
	}
}

// awaitHead returns the length of the head that the buffer begins with.
func (c *appConn) awaitHead() (int, error) {
	for wanted := 1; ; {
		if _, err := c.from.Peek(wanted); err != nil {
			if errors.Is(err, bufio.ErrBufferFull) {
				return 0, errHeadersTooLarge
			}
			return 0, err
		}
		text, _ := c.from.Peek(c.from.Buffered())
		if end := headEnd(text); end > 0 {
			return end, nil
		}
		if len(text) >= 5 && !bytes.HasPrefix(text, []byte("HTTP/")) {
			return 0, malformedError{fmt.Sprintf("it begins with %q", text[:minimum(len(text), 40)])}
		}
		wanted = len(text) + 1
	}
}

// headEnd is where the empty line ends; 0 while there is none.
func headEnd(text []byte) int {
	for at := 0; ; {
		next := bytes.IndexByte(text[at:], '\n')
		if next < 0 {
			return 0
		}
		at += next + 1
		if at < len(text) && text[at] == '\n' {
			return at + 1
		}
		if at+1 < len(text) && text[at] == '\r' && text[at+1] == '\n' {
			return at + 2
		}
	}
}

func (h *responseHead) parse(text []byte) error {
	*h = responseHead{lines: h.lines[:0], contentLength: -1}
	line, rest := cutLine(text)
	// "HTTP/1.1 200 OK"; the reason may be absent.
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[8] != ' ' {
		return malformedError{fmt.Sprintf("it begins with %q", line[:minimum(len(line), 40)])}
	}
	h.keepAlive = line[7] != '0'
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil || status < 100 {
		return malformedError{fmt.Sprintf("its status is %q", line[9:12])}
	}
	h.status = status
	bytesOfLines := 0
	for line, rest = cutLine(rest); len(line) > 0; line, rest = cutLine(rest) {
		bytesOfLines += len(line) + 2
		if err := h.addLine(line); err != nil {
			return err
		}
	}
	if bytesOfLines > maxResponseHeaderBytes {
		return errHeadersTooLarge
	}
	return nil
}

func (h *responseHead) addLine(line []byte) error {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || line[0] == ' ' || line[0] == '\t' {
		return malformedError{fmt.Sprintf("a header line is %q", line[:minimum(len(line), 80)])}
	}
	name, value := line[:colon], bytes.Trim(line[colon+1:], " \t")
	h.lines = append(h.lines, headerLine{name, value})
	switch {
	case is(name, "content-length"):
		length, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil || length < 0 {
			return malformedError{fmt.Sprintf("its Content-Length is %q", value)}
		}
		h.contentLength = length
	case is(name, "transfer-encoding"):
		h.chunked = h.chunked || hasToken(value, "chunked")
	case is(name, "connection"):
		if hasToken(value, "close") {
			h.keepAlive = false
		} else if hasToken(value, "keep-alive") {
			h.keepAlive = true
		}
	}
	return nil
}

// isPassedOn: the line belongs to the response, not to the connection.
func (h *responseHead) isPassedOn(name []byte) bool {
	switch len(name) {
	case 2:
		return !is(name, "te")
	case 7:
		return h.status == 101 || !is(name, "upgrade") && !is(name, "trailer")
	case 10:
		return h.status == 101 && is(name, "connection") || !is(name, "connection") && !is(name, "keep-alive")
	case 14:
		// RFC 9112 6.3: chunked overrides a length.
		return !(h.chunked && is(name, "content-length"))
	case 16:
		return !is(name, "proxy-connection")
	case 17:
		return !is(name, "transfer-encoding")
	}
	return true
}

// hasNoBody for this method and status (RFC 9112 6.3).
func (h *responseHead) hasNoBody(method string) bool {
	return method == "HEAD" || h.status == 204 || h.status == 304
}

func cutLine(text []byte) (line, rest []byte) {
	end := bytes.IndexByte(text, '\n')
	if end < 0 {
		return text, nil
	}
	line, rest = text[:end], text[end+1:]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	return line, rest
}

func is(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i := range name {
		letter := name[i]
		if 'A' <= letter && letter <= 'Z' {
			letter += 'a' - 'A'
		}
		if letter != lower[i] {
			return false
		}
	}
	return true
}

func hasToken(value []byte, lower string) bool {
	for _, token := range bytes.Split(value, []byte(",")) {
		if is(bytes.TrimSpace(token), lower) {
			return true
		}
	}
	return false
}

func minimum(a, b int) int {
	if a < b {
		return a
	}
	return b
}
