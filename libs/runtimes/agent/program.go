package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// program is a process of the user, with everything that it starts in its process group.
type program struct {
	name    string
	process *os.Process
	// Closed after the fields below were set.
	exited chan struct{}
	// As a shell gives it: 128 + n for signal n.
	code int
	// Such as "exited with code 1".
	how string
}

// launch says how to start a program.
type launch struct {
	// For messages.
	name string
	path string
	args []string
	dir  string
	env  []string
}

// start starts a program with the agent's output as its own; on the main goroutine only.
func (a *agent) start(l launch) (*program, error) {
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return a.startReading(l, os.Stdin)
	}
	defer nothing.Close()
	return a.startReading(l, nothing)
}

func (a *agent) startReading(l launch, stdin *os.File) (*program, error) {
	process, err := os.StartProcess(l.path, append([]string{l.path}, l.args...), &os.ProcAttr{
		Dir:   l.dir,
		Env:   l.env,
		Files: []*os.File{stdin, os.Stdout, os.Stderr},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return nil, err
	}
	p := &program{name: l.name, process: process, exited: make(chan struct{})}
	a.mutex.Lock()
	a.programs[p] = struct{}{}
	a.mutex.Unlock()
	go a.watch(p)
	return p, nil
}

func (a *agent) watch(p *program) {
	state, err := p.process.Wait()
	a.mutex.Lock()
	delete(a.programs, p)
	a.mutex.Unlock()
	p.code, p.how = 1, "cannot be waited for"
	if err == nil {
		p.code, p.how = describeExit(state.Sys().(syscall.WaitStatus))
	}
	close(p.exited)
}

func (p *program) signal(sent syscall.Signal) {
	_ = syscall.Kill(-p.process.Pid, sent)
}

// mayBeMemory: so ends a program that the kernel has killed for memory (137), and Node.js with a full heap (134).
func (p *program) mayBeMemory() bool { return p.code == 137 || p.code == 134 }

// leaveIfMemory ends the agent as its program ended when the invoker knows better why: from the sandbox and the last lines.
func (a *agent) leaveIfMemory(p *program) {
	if p.mayBeMemory() {
		a.flushed()
		a.end(p.code)
	}
}

func describeExit(status syscall.WaitStatus) (int, string) {
	if status.Signaled() {
		return 128 + int(status.Signal()), "was ended by " + signalName(status.Signal())
	}
	switch code := status.ExitStatus(); code {
	case 126:
		return code, "exited with code 126: a command in it cannot be executed"
	case 127:
		return code, "exited with code 127: a command in it was not found, the log says which"
	default:
		return code, fmt.Sprintf("exited with code %d", code)
	}
}

func signalName(number syscall.Signal) string {
	names := map[syscall.Signal]string{
		syscall.SIGHUP: "SIGHUP", syscall.SIGINT: "SIGINT", syscall.SIGQUIT: "SIGQUIT", syscall.SIGILL: "SIGILL",
		syscall.SIGTRAP: "SIGTRAP", syscall.SIGABRT: "SIGABRT", syscall.SIGBUS: "SIGBUS", syscall.SIGFPE: "SIGFPE",
		syscall.SIGKILL: "SIGKILL", syscall.SIGSEGV: "SIGSEGV", syscall.SIGPIPE: "SIGPIPE", syscall.SIGALRM: "SIGALRM",
		syscall.SIGTERM: "SIGTERM", syscall.SIGSYS: "SIGSYS", syscall.SIGXCPU: "SIGXCPU",
	}
	if name, known := names[number]; known {
		return name
	}
	return fmt.Sprintf("signal %d", int(number))
}

// environment is the agent's own with the changes over it, each variable once.
func environment(changes map[string]string) []string {
	return changed(os.Environ(), changes)
}

func changed(list []string, changes map[string]string) []string {
	merged := make([]string, 0, len(list)+len(changes))
	for _, variable := range list {
		at := strings.IndexByte(variable, '=')
		if _, replaced := changes[variable[:maximum(at, 0)]]; at > 0 && !replaced {
			merged = append(merged, variable)
		}
	}
	for name, value := range changes {
		merged = append(merged, name+"="+value)
	}
	return merged
}

func maximum(a, b int) int {
	if a > b {
		return a
	}
	return b
}

// lookUp is the value of a variable in such a list.
func lookUp(list []string, name string) string {
	for _, variable := range list {
		if strings.HasPrefix(variable, name+"=") {
			return variable[len(name)+1:]
		}
	}
	return ""
}
