package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// The port of the runtime API, when it is free.
const runtimePort = 9001

// customMode is a custom runtime: the user's bootstrap asks for events and answers them over HTTP (scf-api, Custom runtime).
//
// States: starting -> ready (init/ready) -> ready with an event -> ready ... The event is given to whoever asks, again and
// again, until it is answered; the first answer counts.
type customMode struct {
	*agent
	init *initHead

	mutex   sync.Mutex
	changed sync.Cond
	isReady bool
	// Closed at init/ready.
	ready   chan struct{}
	waiting *invocation
	fetched bool
	program *program
}

func newCustomMode(a *agent, init *initHead) mode {
	c := &customMode{agent: a, init: init, ready: make(chan struct{})}
	c.changed.L = &c.mutex
	return c
}

func (c *customMode) start() *failure {
	path := filepath.Join(c.init.CodeRoot, "bootstrap")
	l := launch{name: "bootstrap", path: path, dir: c.init.CodeRoot}
	if failed := checkBootstrap(l); failed != nil {
		return failed
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(runtimePort))
	if err != nil {
		listener, err = net.Listen("tcp4", "127.0.0.1:0")
	}
	if err != nil {
		return lethal("load-failed", "the runtime API has no port: "+err.Error())
	}
	go serveAPI(listener, c)
	l.env = changed(environment(c.init.Environment), map[string]string{
		"SCF_RUNTIME_API":      "127.0.0.1",
		"SCF_RUNTIME_API_PORT": strconv.Itoa(listener.Addr().(*net.TCPAddr).Port),
		"_HANDLER":             c.init.Handler,
	})
	started, failed := c.startBootstrap(l)
	if failed != nil {
		return failed
	}
	c.program = started
	select {
	case <-c.ready:
		go c.watchProgram()
		return nil
	case <-started.exited:
		c.leaveIfMemory(started)
		return lethal("exited", "bootstrap "+started.how+" before it called /runtime/init/ready")
	}
}

func (c *customMode) watchProgram() {
	<-c.program.exited
	c.mutex.Lock()
	waiting := c.waiting
	c.waiting = nil
	c.mutex.Unlock()
	c.endWith(c.program, waiting)
}

func (c *customMode) receive(f frame) {
	if f.kind != kindInvoke {
		return
	}
	invoked := newInvocation(f)
	c.mutex.Lock()
	c.waiting, c.fetched = invoked, false
	c.changed.Broadcast()
	c.mutex.Unlock()
	if limit := c.init.number("time_limit_in_ms"); limit > 0 {
		time.AfterFunc(fetchTime(limit), func() { c.giveUp(invoked) })
	}
}

// fetchTime is a little less than the function's time, so that the reason is known before the time is over.
func fetchTime(limitMs int) time.Duration {
	limit := time.Duration(limitMs) * time.Millisecond
	if limit > time.Second {
		return limit - 100*time.Millisecond
	}
	return limit * 9 / 10
}

// giveUp reports an event that nobody has asked for.
func (c *customMode) giveUp(invoked *invocation) {
	c.mutex.Lock()
	missed := c.waiting == invoked && !c.fetched
	if missed {
		c.waiting = nil
	}
	c.mutex.Unlock()
	if missed {
		c.fail(invoked, lethal("not-fetched", "bootstrap did not ask for the event at /runtime/invocation/next in time"))
	}
}

// ---- the runtime API: these wait as long as they have to ----

func (c *customMode) setReady() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !c.isReady {
		c.isReady = true
		close(c.ready)
	}
}

func (c *customMode) next() *invocation {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for c.waiting == nil {
		c.changed.Wait()
	}
	c.fetched = true
	return c.waiting
}

// answer takes the first answer to an event that was fetched.
func (c *customMode) answer(body []byte, isError bool) error {
	c.mutex.Lock()
	answered := c.waiting
	if answered == nil || !c.fetched {
		c.mutex.Unlock()
		return fmt.Errorf("no event waits for an answer: it was answered already, or not asked for at /runtime/invocation/next")
	}
	c.waiting = nil
	c.mutex.Unlock()
	if isError {
		c.fail(answered, thrown(cutText(body)))
	} else {
		c.succeed(answered, body)
	}
	return nil
}

// Longest text of a message that is sent.
const maxMessageBytes = 64 << 10

func cutText(text []byte) string {
	return string(text[:minimum(len(text), maxMessageBytes)])
}
