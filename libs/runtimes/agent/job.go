package main

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// jobMode runs an image's command once for each event. The event is in SCF_CUSTOM_CONTAINER_EVENT and on standard input, the
// context in SCF_CUSTOM_CONTAINER_CONTEXT. Exit code 0 is success, with null for a result: what it printed is the log.
type jobMode struct {
	*agent
	init   *initHead
	launch launch
}

func newJobMode(a *agent, init *initHead) mode { return &jobMode{agent: a, init: init} }

func (j *jobMode) start() *failure {
	l, failed := imageLaunch(j.init)
	j.launch = l
	return failed
}

func (j *jobMode) receive(f frame) {
	if f.kind == kindInvoke {
		invoked := newInvocation(f)
		j.tasks <- func() { j.begin(invoked) }
	}
}

func (j *jobMode) begin(invoked *invocation) {
	l := j.launch
	l.env = changed(l.env, map[string]string{
		"SCF_CUSTOM_CONTAINER_EVENT":   string(invoked.event),
		"SCF_CUSTOM_CONTAINER_CONTEXT": string(invoked.context(j.init)),
	})
	reading, writing, err := os.Pipe()
	if err == nil {
		var started *program
		started, err = j.startReading(l, reading)
		_ = reading.Close()
		if err == nil {
			go j.finish(started, invoked, feed(writing, invoked.event))
			return
		}
		_ = writing.Close()
	}
	if errors.Is(err, syscall.E2BIG) {
		j.fail(invoked, thrown(fmt.Sprintf(
			"the event has %d bytes: a job gets it in an environment variable, which holds 128 KB at most", len(invoked.event))))
		return
	}
	j.fail(invoked, thrown(fmt.Sprintf("%s cannot be started: %v", l.name, err)))
}

// feed writes to a program that may not read.
func feed(writing *os.File, event []byte) *sync.WaitGroup {
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		_, _ = writing.Write(event)
		_ = writing.Close()
		done.Done()
	}()
	return &done
}

func (j *jobMode) finish(started *program, invoked *invocation, fed *sync.WaitGroup) {
	<-started.exited
	// What it has left running would run in the next invocation.
	started.signal(syscall.SIGKILL)
	fed.Wait()
	if started.code == 0 {
		j.succeed(invoked, nil)
		return
	}
	j.fail(invoked, thrown(started.name+" "+started.how))
}
