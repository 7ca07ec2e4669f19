package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// The web server is asked for in growing steps.
const (
	firstPoll = time.Millisecond
	lastPoll  = 20 * time.Millisecond
	// A program that has put its server in the background may end this long before the server listens.
	backgroundGrace = 3 * time.Second
)

// webServer is a web function: the user's program listens on a port, requests go to it.
type webServer struct {
	*agent
	init    *initHead
	launch  launch
	port    int
	pool    pool
	program *program
	// The event that waits for the program, for images that take events.
	onExit func() *invocation

	mutex     sync.Mutex
	exchanges map[uint32]*exchange
}

func newWebMode(a *agent, init *initHead) mode {
	return newWebServer(a, init, launch{
		name: "scf_bootstrap",
		path: filepath.Join(init.CodeRoot, "scf_bootstrap"),
		dir:  init.CodeRoot,
		env:  withPreloads(environment(init.Environment)),
	})
}

func newWebServer(a *agent, init *initHead, l launch) *webServer {
	return &webServer{
		agent: a, init: init, launch: l, port: init.Port,
		pool: pool{port: init.Port}, exchanges: map[uint32]*exchange{},
	}
}

func (w *webServer) name() string { return "the web server on port " + strconv.Itoa(w.port) }

func (w *webServer) start() *failure {
	started, failed := w.startBootstrap(w.launch)
	if failed != nil {
		return failed
	}
	w.program = started
	if failed = w.awaitPort(); failed != nil {
		return failed
	}
	go w.watchProgram()
	return nil
}

// awaitPort keeps the connection that it makes for the first request.
func (w *webServer) awaitPort() *failure {
	var deadline <-chan time.Time
	if w.init.InitTimeoutMs > 0 {
		deadline = time.After(time.Duration(w.init.InitTimeoutMs) * time.Millisecond)
	}
	exited := w.program.exited
	var gone <-chan time.Time
	for poll := firstPoll; ; poll = nextPoll(poll) {
		if conn, err := w.pool.dial(); err == nil {
			w.pool.release(conn)
			return nil
		}
		select {
		case <-time.After(poll):
		case <-exited:
			if !w.inBackground() {
				return w.exitedEarly()
			}
			exited, gone = nil, time.After(backgroundGrace)
		case <-gone:
			return w.exitedEarly()
		case <-deadline:
			return fail("port-not-bound", fmt.Sprintf("%s does not listen on port %d after %d ms%s",
				w.launch.name, w.port, w.init.InitTimeoutMs, whatListens()))
		}
	}
}

func nextPoll(poll time.Duration) time.Duration {
	if poll *= 2; poll > lastPoll {
		return lastPoll
	}
	return poll
}

// inBackground: the program has ended well and left something running.
func (w *webServer) inBackground() bool {
	return w.program.code == 0 && syscall.Kill(-w.program.process.Pid, 0) == nil
}

func (w *webServer) exitedEarly() *failure {
	w.leaveIfMemory(w.program)
	return lethal("exited", fmt.Sprintf("%s %s before it listened on port %d", w.launch.name, w.program.how, w.port))
}

// watchProgram ends the instance with its program, unless that has put the server in the background.
func (w *webServer) watchProgram() {
	<-w.program.exited
	if w.inBackground() {
		return
	}
	w.leaveIfMemory(w.program)
	for _, x := range w.current() {
		x.mutex.Lock()
		responded := x.responded
		x.mutex.Unlock()
		x.give(responded, w.ended())
	}
	// Some may be telling it by themselves.
	for wait := 0; wait < 50 && len(w.current()) > 0; wait++ {
		time.Sleep(time.Millisecond)
	}
	var waiting *invocation
	if w.onExit != nil {
		waiting = w.onExit()
	}
	w.endWith(w.program, waiting)
}

// ended is what requests fail with once the program has exited.
func (w *webServer) ended() *failure {
	w.leaveIfMemory(w.program)
	return lethal("exited", w.launch.name+" "+w.program.how)
}

// awaitExit tells whether the program has ended, or does so soon.
func (w *webServer) awaitExit(atMost time.Duration) bool {
	select {
	case <-w.program.exited:
		return !w.inBackground()
	case <-time.After(atMost):
		return false
	}
}

func (w *webServer) receive(f frame) {
	w.mutex.Lock()
	x := w.exchanges[f.stream]
	w.mutex.Unlock()
	switch {
	case x != nil:
		x.receive(f)
	case f.kind == kindRequest:
		w.begin(f)
	case f.kind == kindData:
		releasePiece(f.body)
	}
}

func (w *webServer) begin(f frame) {
	head, err := decodeRequest(f.head)
	if err != nil {
		w.send(kindError, f.stream, encodeHead(fail("bad-response", "the request cannot be read: "+err.Error())), nil)
		return
	}
	x := newExchange(w, f.stream, head)
	w.mutex.Lock()
	w.exchanges[f.stream] = x
	w.mutex.Unlock()
	go x.run()
}

func (w *webServer) forget(x *exchange) {
	w.mutex.Lock()
	delete(w.exchanges, x.stream)
	w.mutex.Unlock()
	x.mutex.Lock()
	for _, piece := range x.pieces {
		releasePiece(piece)
	}
	x.pieces = nil
	x.mutex.Unlock()
}

func (w *webServer) isAlone() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return len(w.exchanges) == 1
}

func (w *webServer) current() []*exchange {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	list := make([]*exchange, 0, len(w.exchanges))
	for _, x := range w.exchanges {
		list = append(list, x)
	}
	return list
}

// withPreloads lets Node.js and Python programs mark what they print with the request that it belongs to.
func withPreloads(env []string) []string {
	own, err := os.Executable()
	if err != nil {
		return env
	}
	folder := filepath.Dir(own)
	changes := map[string]string{}
	if preload := filepath.Join(folder, "preload.cjs"); notThere(preload) == nil {
		changes["NODE_OPTIONS"] = joined(lookUp(env, "NODE_OPTIONS"), " ", "--require "+preload)
	}
	if site := filepath.Join(folder, "python"); notThere(site) == nil {
		changes["PYTHONPATH"] = joined(site, ":", lookUp(env, "PYTHONPATH"))
		if lookUp(env, "PYTHONUNBUFFERED") == "" {
			// What is printed belongs to the request that runs, not to the one that fills the buffer.
			changes["PYTHONUNBUFFERED"] = "1"
		}
	}
	return changed(env, changes)
}

func notThere(path string) error {
	_, err := os.Stat(path)
	return err
}

func joined(first, separator, second string) string {
	if first == "" || second == "" {
		return first + second
	}
	return first + separator + second
}
