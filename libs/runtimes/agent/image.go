package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// imageMode is an image with a web server: requests of a web function, or events by POST /event-invoke (scf-api, Image function).
type imageMode struct {
	*webServer
	forEvents bool

	waitingMutex sync.Mutex
	waiting      *invocation
}

func newImageMode(a *agent, init *initHead) mode {
	m := &imageMode{webServer: newWebServer(a, init, launch{}), forEvents: init.Type != "HTTP"}
	m.onExit = func() *invocation { return m.take() }
	return m
}

func (m *imageMode) start() *failure {
	l, failed := imageLaunch(m.init)
	if failed != nil {
		return failed
	}
	m.launch = l
	return m.webServer.start()
}

// imageLaunch is how the image's command starts.
func imageLaunch(init *initHead) (launch, *failure) {
	if len(init.Command) == 0 {
		return launch{}, fail("bootstrap-missing", "the image has no command: neither its ENTRYPOINT and CMD nor the function's name one")
	}
	env := withPreloads(environment(init.Environment))
	dir := init.WorkDir
	if dir == "" {
		dir = "/"
	}
	path, why := findCommand(init.Command[0], lookUp(env, "PATH"), dir)
	if why != "" {
		return launch{}, fail("bootstrap-missing", "the image's command cannot be started: "+why)
	}
	return launch{name: init.Command[0], path: path, args: init.Command[1:], dir: dir, env: env}, nil
}

func (m *imageMode) receive(f frame) {
	if !m.forEvents {
		m.webServer.receive(f)
	} else if f.kind == kindInvoke {
		invoked := newInvocation(f)
		m.waitingMutex.Lock()
		m.waiting = invoked
		m.waitingMutex.Unlock()
		go m.invoke(invoked)
	}
}

func (m *imageMode) take() *invocation {
	m.waitingMutex.Lock()
	defer m.waitingMutex.Unlock()
	waiting := m.waiting
	m.waiting = nil
	return waiting
}

func (m *imageMode) invoke(invoked *invocation) {
	status, body, err := m.post(invoked)
	if err != nil && m.awaitExit(exitDelay) {
		return
	}
	if m.take() == nil {
		return
	}
	switch {
	case errors.Is(err, errAnswerTooLarge):
		m.fail(invoked, fail("result-too-large", fmt.Sprintf("over %d bytes", maxResultBytes)))
	case err != nil:
		m.fail(invoked, fail("bad-response", m.name()+": "+err.Error()))
	case status != 200:
		m.fail(invoked, thrown(fmt.Sprintf("POST /event-invoke was answered with status %d: %s", status, cutText(body))))
	default:
		m.succeed(invoked, body)
	}
}

// post sends the event, once more when the server had closed the connection that was kept.
func (m *imageMode) post(invoked *invocation) (int, []byte, error) {
	request := append(m.eventHead(invoked), invoked.event...)
	for {
		conn, err := m.pool.take()
		if err != nil {
			return 0, nil, err
		}
		status, body, err := m.roundTrip(conn, request)
		if err == nil {
			return status, body, nil
		}
		_ = conn.Close()
		if !conn.reused || conn.from.Buffered() > 0 || !conn.wasUnread(err) {
			return 0, nil, err
		}
		m.pool.closeIdle()
	}
}

func (m *imageMode) roundTrip(conn *appConn, request []byte) (int, []byte, error) {
	var head responseHead
	headBytes := 0
	_, err := conn.Write(request)
	if err == nil {
		headBytes, err = conn.readHead(&head)
	}
	if err != nil {
		return 0, nil, err
	}
	_, _ = conn.from.Discard(headBytes)
	body := head.body(conn.from, "POST")
	text, err := io.ReadAll(io.LimitReader(&body, maxAnswerBytes+1))
	if err == nil && len(text) > maxAnswerBytes {
		err = errAnswerTooLarge
	}
	if err != nil {
		return 0, nil, err
	}
	if head.keepAlive && !body.untilClose() {
		m.pool.release(conn)
	} else {
		_ = conn.Close()
	}
	return head.status, text, nil
}

func (m *imageMode) eventHead(invoked *invocation) []byte {
	head := append(make([]byte, 0, 1024+len(invoked.event)), "POST /event-invoke HTTP/1.1\r\nHost: 127.0.0.1:"...)
	head = strconv.AppendInt(head, int64(m.port), 10)
	add := func(name, value string) {
		if value != "" {
			head = append(append(head, "\r\n"...), name+": "...)
			head = appendText(head, value)
		}
	}
	add("Content-Type", "application/json")
	add("Content-Length", strconv.Itoa(len(invoked.event)))
	add("X-Scf-Request-Id", invoked.head.RequestID)
	for _, line := range [][2]string{
		{"X-Scf-Memory", "memory_limit_in_mb"}, {"X-Scf-Timeout", "time_limit_in_ms"}, {"X-Scf-Version", "function_version"},
		{"X-Scf-Name", "function_name"}, {"X-Scf-Namespace", "namespace"}, {"X-Scf-Region", "tencentcloud_region"},
		{"X-Scf-Appid", "tencentcloud_appid"}, {"X-Scf-Uin", "tencentcloud_uin"},
	} {
		add(line[0], m.init.text(line[1]))
	}
	add("X-Scf-Trigger-Src", invoked.head.TriggerSrc)
	for _, line := range [][2]string{
		{"X-Scf-Secret-Id", "TENCENTCLOUD_SECRETID"}, {"X-Scf-Secret-Key", "TENCENTCLOUD_SECRETKEY"},
		{"X-Scf-Session-Token", "TENCENTCLOUD_SESSIONTOKEN"},
	} {
		add(line[0], lookUp(m.launch.env, line[1]))
	}
	add("traceparent", invoked.head.Traceparent)
	return append(head, "\r\n\r\n"...)
}
