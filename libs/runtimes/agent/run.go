package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
)

// version of the agent, as hello gives it.
const version = "1"

// mode is what the agent does after init.
type mode interface {
	// start runs on the main goroutine and returns when the function is ready, or why it will not be.
	start() *failure
	// receive takes the frames after init, in order; it does not wait for anything.
	receive(frame)
}

var modes = map[string]func(*agent, *initHead) mode{
	"web":    newWebMode,
	"custom": newCustomMode,
	"go1":    newGo1Mode,
	"image":  newImageMode,
	"job":    newJobMode,
}

// agent is one instance's side of its channel, with the programs that it runs.
type agent struct {
	*channel
	make func(*agent, *initHead) mode
	// What has to run on the main thread: starting programs.
	tasks chan func()

	ending   sync.Mutex
	mutex    sync.Mutex
	programs map[*program]struct{}
}

// run returns the exit code of the process.
func run(name string, makeMode func(*agent, *initHead) mode, path string) int {
	conn, err := net.Dial("unix", path)
	if err != nil {
		fmt.Fprintf(os.Stderr, "agent: the channel %s cannot be reached: %v\n", path, err)
		return 1
	}
	a := &agent{make: makeMode, tasks: make(chan func(), 1), programs: map[*program]struct{}{}}
	// Without its channel an instance is of no use; the invoker is gone or has given it up.
	a.channel = newChannel(conn, func() { a.end(0) })
	a.send(kindHello, 0, encodeHead(map[string]interface{}{
		"protocol": 1, "runtime": name, "version": version + " " + runtime.Version(),
	}), nil)
	go a.passSignals()
	go a.read(conn)
	for task := range a.tasks {
		task()
	}
	return 0
}

func (a *agent) read(conn net.Conn) {
	reader := newFrameReader(conn)
	var running mode
	for {
		received, err := reader.next()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
				fmt.Fprintf(os.Stderr, "agent: the channel broke: %v\n", err)
			}
			a.end(0)
		}
		if running != nil {
			running.receive(received)
		} else if received.kind == kindInit {
			head, err := decodeInit(received.head)
			if err != nil {
				fmt.Fprintf(os.Stderr, "agent: the init frame cannot be read: %v\n", err)
				a.end(1)
			}
			running = a.make(a, head)
			starting := running
			a.tasks <- func() { a.begin(starting) }
		}
	}
}

func (a *agent) begin(starting mode) {
	if failed := starting.start(); failed != nil {
		a.send(kindInitFailed, 0, encodeHead(failed), nil)
		return
	}
	a.send(kindReady, 0, nil, nil)
}

// passSignals gives what is meant for the function to it; the agent itself ends with its program or its channel.
func (a *agent) passSignals() {
	received := make(chan os.Signal, 4)
	signal.Notify(received, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	for sent := range received {
		if a.signalAll(sent.(syscall.Signal)) == 0 {
			a.end(0)
		}
	}
}

// signalAll returns the number of programs that run.
func (a *agent) signalAll(sent syscall.Signal) int {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for running := range a.programs {
		running.signal(sent)
	}
	return len(a.programs)
}

// end kills what was started and ends the process. In a sandbox the kernel does the same once pid 1 has ended.
// The first call decides; none returns.
func (a *agent) end(code int) {
	a.ending.Lock()
	a.signalAll(syscall.SIGKILL)
	os.Exit(code)
}
