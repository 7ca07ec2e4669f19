package main

import (
	"encoding/json"
	"fmt"
)

// SCF's limit of a result (scf-api, Quotas).
const maxResultBytes = 6 << 20

// invocation is an event on its way through an event function: one at a time.
type invocation struct {
	stream uint32
	head   invokeHead
	// The head as it came, for what is passed on as it is.
	fields map[string]json.RawMessage
	event  []byte
}

func newInvocation(f frame) *invocation {
	i := &invocation{stream: f.stream, event: f.body}
	_ = json.Unmarshal(f.head, &i.head)
	_ = json.Unmarshal(f.head, &i.fields)
	return i
}

// context is the function's context with what belongs to this invocation, as JSON.
func (i *invocation) context(init *initHead) []byte {
	merged := make(map[string]json.RawMessage, len(init.Context)+len(i.fields))
	for name, value := range init.Context {
		merged[name] = value
	}
	for name, value := range i.fields {
		merged[name] = value
	}
	return encodeHead(merged)
}

// succeed sends the result. A text that is not JSON is the result as a JSON string.
func (a *agent) succeed(i *invocation, result []byte) {
	switch {
	case len(result) == 0:
		result = []byte("null")
	case !json.Valid(result):
		result = encodeHead(string(result))
	}
	if len(result) > maxResultBytes {
		a.fail(i, fail("result-too-large", fmt.Sprintf("%d bytes", len(result))))
		return
	}
	a.send(kindResult, i.stream, nil, result)
}

func (a *agent) fail(i *invocation, failed *failure) {
	a.send(kindError, i.stream, encodeHead(failed), nil)
}

// endWith reports the end of the user's program on an invocation that waits, if there is one, and ends the agent as it ended.
func (a *agent) endWith(ended *program, waiting *invocation) {
	a.leaveIfMemory(ended)
	if waiting != nil {
		a.fail(waiting, lethal("exited", ended.name+" "+ended.how))
	}
	a.flushed()
	a.end(ended.code)
}
