package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// go1Mode calls the user's program by Go's net/rpc (rpc.go).
type go1Mode struct {
	*agent
	init    *initHead
	program *program

	rpc     rpcClient
	mutex   sync.Mutex
	waiting *invocation
}

func newGo1Mode(a *agent, init *initHead) mode { return &go1Mode{agent: a, init: init} }

func (g *go1Mode) start() *failure {
	port, err := serverPort()
	if err != nil {
		return lethal("load-failed", "no port is free for the program: "+err.Error())
	}
	name := g.init.Handler
	started, failed := g.startBootstrap(launch{
		name: name,
		path: filepath.Join(g.init.CodeRoot, name),
		dir:  g.init.CodeRoot,
		env: changed(environment(g.init.Environment), map[string]string{
			"_LAMBDA_SERVER_PORT":  strconv.Itoa(port),
			"_SCF_SERVER_PORT":     strconv.Itoa(port),
			"FUNCTION_NAME":        g.init.text("function_name"),
			"FUNCTION_VERSION":     g.init.text("function_version"),
			"FUNCTION_MEMORY_SIZE": g.init.text("memory_limit_in_mb"),
		}),
	})
	if failed != nil {
		return failed
	}
	g.program = started
	if failed = g.awaitPing(port); failed == nil {
		go g.watchProgram()
	}
	return failed
}

// serverPort is that of the environment (_SCF_SERVER_PORT, as SCF sets it), or one that is free.
func serverPort() (int, error) {
	if port, err := strconv.Atoi(os.Getenv("_SCF_SERVER_PORT")); err == nil {
		return port, nil
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func (g *go1Mode) awaitPing(port int) *failure {
	var deadline <-chan time.Time
	if g.init.InitTimeoutMs > 0 {
		deadline = time.After(time.Duration(g.init.InitTimeoutMs) * time.Millisecond)
	}
	address := "127.0.0.1:" + strconv.Itoa(port)
	for poll := firstPoll; ; poll = nextPoll(poll) {
		if conn, err := net.Dial("tcp4", address); err == nil {
			return g.ping(conn)
		}
		select {
		case <-time.After(poll):
		case <-g.program.exited:
			g.leaveIfMemory(g.program)
			return lethal("exited", fmt.Sprintf("%s %s before it served its handler", g.program.name, g.program.how))
		case <-deadline:
			return fail("port-not-bound", fmt.Sprintf("%s does not serve a handler: it has to call cloudfunction.Start%s",
				g.program.name, whatListens()))
		}
	}
}

func (g *go1Mode) ping(conn net.Conn) *failure {
	g.rpc = newRPCClient(conn)
	if err := g.rpc.call("Function.Ping", &pingRequest{}, &pingResponse{}); err != nil {
		return fail("load-failed", fmt.Sprintf("%s does not answer as a Go function does: %v", g.program.name, err))
	}
	return nil
}

func (g *go1Mode) watchProgram() {
	<-g.program.exited
	g.endWith(g.program, g.take())
}

// take returns the invocation that waits for its answer: whoever gets it answers.
func (g *go1Mode) take() *invocation {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	waiting := g.waiting
	g.waiting = nil
	return waiting
}

func (g *go1Mode) receive(f frame) {
	if f.kind != kindInvoke {
		return
	}
	invoked := newInvocation(f)
	g.mutex.Lock()
	g.waiting = invoked
	g.mutex.Unlock()
	go g.invoke(invoked)
}

func (g *go1Mode) invoke(invoked *invocation) {
	var response rpcInvokeResponse
	err := g.rpc.call("Function.Invoke", g.request(invoked), &response)
	if err != nil {
		select {
		case <-g.program.exited:
			return
		case <-time.After(exitDelay):
		}
	}
	if g.take() == nil {
		return
	}
	switch {
	case err != nil:
		g.fail(invoked, lethal("exception", fmt.Sprintf("%s does not answer: %v", g.program.name, err)))
	case response.Error != nil:
		g.fail(invoked, response.Error.failure())
	case len(response.Payload) > 0 && !json.Valid(response.Payload):
		g.fail(invoked, fail("result-not-json", "what the handler returned is not JSON"))
	default:
		g.succeed(invoked, response.Payload)
	}
}

func (g *go1Mode) request(invoked *invocation) *rpcInvokeRequest {
	limit := g.init.number("time_limit_in_ms")
	deadline := time.Now().Add(time.Duration(limit) * time.Millisecond)
	return &rpcInvokeRequest{
		Payload:            invoked.event,
		RequestId:          invoked.head.RequestID,
		TraceId:            invoked.head.Traceparent,
		Deadline:           timestamp{deadline.Unix(), int64(deadline.Nanosecond())},
		Namespace:          g.init.text("namespace"),
		FunctionName:       g.init.text("function_name"),
		FunctionVersion:    g.init.text("function_version"),
		MemoryLimitInMb:    int32(g.init.number("memory_limit_in_mb")),
		TimeLimitInMs:      int32(limit),
		Environment:        g.init.text("environment"),
		TencentcloudRegion: g.init.text("tencentcloud_region"),
		TencentcloudAppID:  g.init.text("tencentcloud_appid"),
		TencentcloudUin:    g.init.text("tencentcloud_uin"),
		FunctionTrace:      invoked.head.Traceparent,
	}
}
