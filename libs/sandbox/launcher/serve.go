package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"sync"
)

// maxRequestBytes is far above a sandbox with the largest environment.
const maxRequestBytes = 16 << 20

type request struct {
	ID int    `json:"id"`
	Do string `json:"do"`

	Sandbox *sandboxPlan `json:"sandbox"`
	Mount   *mountPlan   `json:"mount"`
	Scratch *scratchPlan `json:"scratch"`
	Path    string       `json:"path"`
	Paths   []string     `json:"paths"`
	Command []string     `json:"command"`
	Input   string       `json:"input"`
	Env     []string     `json:"env"`
}

type answer struct {
	ID    int    `json:"id,omitempty"`
	Error string `json:"error,omitempty"`
	Text  string `json:"text,omitempty"`
	Pid   int    `json:"pid,omitempty"`
	// Ended names a sandbox whose first process has ended; Code is absent when a signal did it.
	Ended string `json:"ended,omitempty"`
	Code  *int   `json:"code,omitempty"`
}

type server struct {
	writing sync.Mutex
	out     io.Writer
	starter *starter
}

func serve(in io.Reader, out io.Writer) {
	s := &server{out: out}
	s.starter = newStarter(func(sandbox string, code *int) { s.send(answer{Ended: sandbox, Code: code}) })
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxRequestBytes)
	for lines.Scan() {
		var wanted request
		if err := json.Unmarshal(lines.Bytes(), &wanted); err != nil {
			s.send(answer{ID: wanted.ID, Error: err.Error()})
			continue
		}
		go s.handle(&wanted)
	}
}

func (s *server) send(reply answer) {
	line, err := json.Marshal(reply)
	if err != nil {
		panic(err)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	_, _ = s.out.Write(append(line, '\n'))
}

func (s *server) handle(wanted *request) {
	reply := answer{ID: wanted.ID}
	var err error
	switch wanted.Do {
	case "start":
		reply.Pid, err = s.starter.start(wanted.Sandbox)
	case "check":
		err = checkKernel()
	case "mount":
		err = mountOnHost(wanted.Mount)
	case "unmount":
		err = unmount(wanted.Path)
	case "scratch":
		err = wanted.Scratch.mount()
	case "wipe":
		err = wipe(wanted.Path)
	case "remove-cgroup":
		err = removeCgroups(wanted.Paths)
	case "run":
		reply.Text, err = s.run(wanted)
	default:
		err = fmt.Errorf("unknown request %q", wanted.Do)
	}
	if err != nil {
		reply.Error = err.Error()
	}
	s.send(reply)
}

func (s *server) run(wanted *request) (string, error) {
	command := exec.Command(wanted.Command[0], wanted.Command[1:]...)
	command.Env = wanted.Env
	command.Stdin = bytes.NewReader([]byte(wanted.Input))
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		text := string(bytes.TrimSpace(stderr.Bytes()))
		if text == "" {
			text = err.Error()
		}
		return "", fmt.Errorf("%s failed: %s", wanted.Command[0], text)
	}
	return stdout.String(), nil
}
