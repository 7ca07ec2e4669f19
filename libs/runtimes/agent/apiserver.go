package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
)

// A little over the limit of results, so that a result over it is reported as one.
const maxAnswerBytes = maxResultBytes + 64<<10

// serveAPI is as much of an HTTP/1.1 server as a custom runtime needs.
func serveAPI(listener net.Listener, c *customMode) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			from := bufio.NewReaderSize(conn, readBufferBytes)
			for serveOne(from, conn, c) == nil {
			}
		}()
	}
}

var errLastRequest = errors.New("the client wants no more")

// apiRequest is what matters of a request to the runtime API.
type apiRequest struct {
	method, path  []byte
	contentLength int64
	chunked       bool
	keepAlive     bool
	wantsContinue bool
}

func serveOne(from *bufio.Reader, to io.Writer, c *customMode) error {
	request, err := readRequest(from)
	if err != nil {
		return err
	}
	if request.wantsContinue {
		if _, err = io.WriteString(to, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return err
		}
	}
	body, err := readBody(from, request)
	if err == nil {
		err = route(to, request, body, c)
	} else if errors.Is(err, errAnswerTooLarge) {
		_ = c.answer(make([]byte, maxResultBytes+1), false)
	}
	if err == nil && !request.keepAlive {
		err = errLastRequest
	}
	return err
}

func route(to io.Writer, request *apiRequest, body []byte, c *customMode) error {
	switch string(request.method) + " " + string(request.path) {
	case "POST /runtime/init/ready":
		c.setReady()
		return reply(to, 200, nil, nil)
	case "GET /runtime/invocation/next":
		event := c.next()
		return reply(to, 200, []string{
			"Request_Id", event.head.RequestID,
			"Memory_Limit_In_Mb", c.init.text("memory_limit_in_mb"),
			"Time_Limit_In_Ms", c.init.text("time_limit_in_ms"),
		}, event.event)
	case "POST /runtime/invocation/response", "POST /runtime/invocation/error":
		if err := c.answer(body, bytes.HasSuffix(request.path, []byte("error"))); err != nil {
			return reply(to, 409, nil, []byte(err.Error()))
		}
		return reply(to, 200, nil, nil)
	}
	return reply(to, 404, nil, []byte("the runtime API has POST /runtime/init/ready, GET /runtime/invocation/next, "+
		"POST /runtime/invocation/response and POST /runtime/invocation/error"))
}

func reply(to io.Writer, status int, headers []string, body []byte) error {
	reasons := map[int]string{200: "OK", 404: "Not Found", 409: "Conflict"}
	text := append(make([]byte, 0, 256+len(body)), "HTTP/1.1 "+strconv.Itoa(status)+" "+reasons[status]+"\r\n"...)
	for i := 0; i < len(headers); i += 2 {
		text = append(text, headers[i]+": "+headers[i+1]+"\r\n"...)
	}
	kind := "text/plain"
	if status == 200 {
		kind = "application/json"
	}
	text = append(text, "Content-Type: "+kind+"\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"...)
	_, err := to.Write(append(text, body...))
	return err
}

func readRequest(from *bufio.Reader) (*apiRequest, error) {
	line, err := readLine(from)
	for err == nil && len(line) == 0 {
		line, err = readLine(from)
	}
	if err != nil {
		return nil, err
	}
	parts := bytes.SplitN(line, []byte(" "), 3)
	if len(parts) != 3 {
		return nil, malformedError{"a request"}
	}
	path := parts[1]
	if query := bytes.IndexByte(path, '?'); query >= 0 {
		path = path[:query]
	}
	request := &apiRequest{
		method:    append([]byte(nil), parts[0]...),
		path:      append([]byte(nil), path...),
		keepAlive: !bytes.Equal(parts[2], []byte("HTTP/1.0")),
	}
	for line, err = readLine(from); err == nil && len(line) > 0; line, err = readLine(from) {
		request.add(line)
	}
	return request, err
}

func (r *apiRequest) add(line []byte) {
	colon := maximum(bytes.IndexByte(line, ':'), 0)
	name, value := line[:colon], bytes.TrimSpace(line[minimum(colon+1, len(line)):])
	switch {
	case is(name, "content-length"):
		r.contentLength, _ = strconv.ParseInt(string(value), 10, 64)
	case is(name, "transfer-encoding"):
		r.chunked = hasToken(value, "chunked")
	case is(name, "expect"):
		r.wantsContinue = is(value, "100-continue")
	case is(name, "connection"):
		if hasToken(value, "close") {
			r.keepAlive = false
		} else if hasToken(value, "keep-alive") {
			r.keepAlive = true
		}
	}
}

var errAnswerTooLarge = errors.New("the answer is too large")

func readBody(from *bufio.Reader, request *apiRequest) ([]byte, error) {
	body := bodyReader{from: from, chunked: request.chunked}
	if !request.chunked {
		if body.left = request.contentLength; body.left < 0 {
			return nil, malformedError{"a Content-Length"}
		}
	}
	text, err := io.ReadAll(io.LimitReader(&body, maxAnswerBytes+1))
	if err == nil && len(text) > maxAnswerBytes {
		err = errAnswerTooLarge
	}
	return text, err
}

func readLine(from *bufio.Reader) ([]byte, error) {
	line, err := from.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	line, _ = cutLine(line)
	return line, nil
}
