package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func parsed(t *testing.T, text string) *responseHead {
	t.Helper()
	head := &responseHead{}
	if err := head.parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return head
}

func TestHeadsThatAreHTTP(t *testing.T) {
	head := parsed(t, "HTTP/1.1 200\r\ncontent-LENGTH:5 \r\nX: \r\n\r\n")
	if head.status != 200 || head.contentLength != 5 || !head.keepAlive || len(head.lines) != 2 {
		t.Errorf("%+v", head)
	}
	head = parsed(t, "HTTP/1.0 404 Not Found\nTransfer-Encoding: gzip, Chunked\n\n")
	if head.status != 404 || head.contentLength != -1 || !head.chunked || head.keepAlive {
		t.Errorf("%+v", head)
	}
	if head = parsed(t, "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n"); !head.keepAlive {
		t.Errorf("%+v", head)
	}
	if head = parsed(t, "HTTP/1.1 200 OK\r\nConnection: foo, close\r\n\r\n"); head.keepAlive {
		t.Errorf("%+v", head)
	}
}

func TestHeadsThatAreNot(t *testing.T) {
	for _, text := range []string{
		"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", "GARBAGE\r\n\r\n",
	} {
		head := &responseHead{}
		var malformed malformedError
		if err := head.parse([]byte(text)); !errors.As(err, &malformed) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestLimitOfHeaderLines(t *testing.T) {
	with := func(size int) error {
		line := "X: " + strings.Repeat("x", size-len("X: \r\n"))
		return (&responseHead{}).parse([]byte("HTTP/1.1 200 OK\r\n" + line + "\r\n\r\n"))
	}
	if err := with(maxResponseHeaderBytes); err != nil {
		t.Error(err)
	}
	if err := with(maxResponseHeaderBytes + 1); err != errHeadersTooLarge {
		t.Error(err)
	}
}

// Whatever the pieces are in which it comes.
func TestBodies(t *testing.T) {
	chunked := "5\r\nhello\r\n1;ext=1\r\n \r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nnext"
	cases := []struct {
		text string
		body bodyReader
		want string
		rest string
	}{
		{chunked, bodyReader{chunked: true}, "hello 0123456789", "next"},
		{"0\r\n\r\n", bodyReader{chunked: true}, "", ""},
		{"hellonext", bodyReader{left: 5}, "hello", "next"},
		{"", bodyReader{left: 0}, "", ""},
		{"hello", bodyReader{left: -1}, "hello", ""},
	}
	for _, c := range cases {
		for _, source := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
			c.body.from = bufio.NewReader(source)
			body := c.body
			got, err := io.ReadAll(&body)
			rest, _ := io.ReadAll(body.from)
			if err != nil || string(got) != c.want || string(rest) != c.rest {
				t.Errorf("%q: %q and %q, %v", c.text, got, rest, err)
			}
		}
	}
}

func TestBodiesThatBreakOff(t *testing.T) {
	for text, body := range map[string]bodyReader{
		"hell":                {left: 5},
		"5\r\nhell":           {chunked: true},
		"5\r\nhello":          {chunked: true},
		"5\r\nhello\r\n":      {chunked: true},
		"5\r\nhello\r\n0\r\n": {chunked: true},
		"5\r\nhelloo\r\n":     {chunked: true},
		"x\r\n":               {chunked: true},
		"-1\r\n":              {chunked: true},
	} {
		body.from = bufio.NewReader(strings.NewReader(text))
		reader := body
		if _, err := io.ReadAll(&reader); err == nil {
			t.Errorf("%q ended well", text)
		}
	}
}

// A relay joins small chunks that are there, and never waits while it holds something back.
func TestRelayJoinsWhatIsThere(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	sent := make(chan frame, 10)
	go func() {
		reader := newFrameReader(far)
		for {
			received, err := reader.next()
			if err != nil {
				return
			}
			received.head = append([]byte(nil), received.head...)
			sent <- received
		}
	}()
	r := relay{channel: newChannel(near, func() {}), stream: 7}
	r.begin()
	reading, writing := io.Pipe()
	body := bodyReader{from: bufio.NewReader(reading), chunked: true}
	r.frame(kindResponse, noHead)
	go func() { _, _ = writing.Write([]byte("1\r\na\r\n1\r\nb\r\n1\r\n")) }()
	if count, err := r.data(&body, 100); count != 2 || err != nil {
		t.Fatal(count, err)
	}
	if held := <-sent; held.kind != kindResponse || held.stream != 7 {
		t.Error(held)
	}
	go func() { _, _ = writing.Write([]byte("c\r\n0\r\n\r\n")) }()
	if count, err := r.data(&body, 100); count != 1 || err != io.EOF && err != nil {
		t.Fatal(count, err)
	}
	r.finish()
	for _, want := range []string{"ab", "c"} {
		if got := <-sent; got.kind != kindData || string(got.body) != want {
			t.Errorf("%+v", got)
		}
	}
}

func TestHeaderTextIsLatin1(t *testing.T) {
	text := []byte("caf\xe9 \"q\" \\ \x01")
	if got := string(appendJSONText(nil, text)); got != "\"caf\u00e9 \\\"q\\\" \\\\ \\u0001\"" {
		t.Error(got)
	}
	if got := appendText(nil, "caf\u00e9\r\nX: y"); !bytes.Equal(got, []byte("caf\xe9  X: y")) {
		t.Errorf("%q", got)
	}
}

func TestFramesThatAreNot(t *testing.T) {
	whole := appendFrame(nil, kindData, 1, noHead, []byte("body"))
	got, err := newFrameReader(iotest.OneByteReader(bytes.NewReader(whole))).next()
	if err != nil || got.kind != kindData || string(got.head) != "{}" || string(got.body) != "body" {
		t.Error(got, err)
	}
	if _, err = newFrameReader(bytes.NewReader(bytes.Repeat([]byte{0xff}, 100))).next(); err == nil {
		t.Error("garbage was taken for a frame")
	}
	if _, err = newFrameReader(bytes.NewReader(whole[:len(whole)-1])).next(); err == nil {
		t.Error("a part of a frame was taken for one")
	}
}

func TestEnvironmentHasEachVariableOnce(t *testing.T) {
	got := changed([]string{"A=1", "B=2"}, map[string]string{"A": "3"})
	if !reflect.DeepEqual(got, []string{"B=2", "A=3"}) {
		t.Error(got)
	}
}
