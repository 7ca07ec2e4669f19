package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// requestHead is the head of a request frame.
type requestHead struct {
	RequestID string      `json:"request_id"`
	Method    string      `json:"method"`
	Target    string      `json:"target"`
	Headers   [][2]string `json:"headers"`

	// -1 without Content-Length.
	contentLength int64
	// A Transfer-Encoding line: a body of unknown length comes.
	chunked bool
	upgrade bool
}

func decodeRequest(text []byte) (*requestHead, error) {
	head := &requestHead{contentLength: -1}
	if !scanRequest(text, head) {
		*head = requestHead{contentLength: -1}
		if err := json.Unmarshal(text, head); err != nil {
			return nil, err
		}
	}
	for _, line := range head.Headers {
		switch name := line[0]; len(name) {
		case 7:
			head.upgrade = head.upgrade || strings.EqualFold(name, "upgrade")
		case 14:
			if strings.EqualFold(name, "content-length") {
				length, err := strconv.ParseInt(line[1], 10, 64)
				if err != nil || length < 0 {
					return nil, fmt.Errorf("its Content-Length is %q", line[1])
				}
				head.contentLength = length
			}
		case 17:
			head.chunked = head.chunked || strings.EqualFold(name, "transfer-encoding")
		}
	}
	return head, nil
}

// isSafe: to send it twice does no harm (RFC 9110 9.2.2, without PUT and DELETE: their answers may differ).
func (r *requestHead) isSafe() bool {
	return r.Method == "GET" || r.Method == "HEAD" || r.Method == "OPTIONS"
}

// appendHTTP writes the head as it goes to the web server. Nothing is added to what the invoker sent but the framing.
func (r *requestHead) appendHTTP(to []byte, chunked bool) []byte {
	to = appendText(to, r.Method)
	to = append(to, ' ')
	to = appendText(to, r.Target)
	to = append(to, " HTTP/1.1\r\n"...)
	for _, line := range r.Headers {
		if len(line[0]) == 17 && strings.EqualFold(line[0], "transfer-encoding") {
			continue
		}
		to = appendText(to, line[0])
		to = append(to, ": "...)
		to = appendText(to, line[1])
		to = append(to, "\r\n"...)
	}
	if chunked {
		to = append(to, "Transfer-Encoding: chunked\r\n"...)
	}
	return append(to, "\r\n"...)
}

// appendText writes header text, whose characters are bytes (Latin-1). A line end in it would be a line of its own.
func appendText(to []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		if letter := text[i]; letter < ' ' && letter != '\t' || letter >= 0x80 {
			return appendUnusual(to, text)
		}
	}
	return append(to, text...)
}

func appendUnusual(to []byte, text string) []byte {
	for _, letter := range text {
		switch {
		case letter < ' ' && letter != '\t':
			to = append(to, ' ')
		case letter <= 0xff:
			to = append(to, byte(letter))
		default:
			to = append(to, string(letter)...)
		}
	}
	return to
}
