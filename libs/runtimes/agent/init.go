package main

import (
	"encoding/json"
	"strconv"
)

// initHead is the head of the init frame. What only some modes use is named after them.
type initHead struct {
	Handler     string                     `json:"handler"`
	CodeRoot    string                     `json:"codeRoot"`
	Context     map[string]json.RawMessage `json:"context"`
	Environment map[string]string          `json:"environment"`
	// web, image: the port that the program listens on; 0 is 9000.
	Port int `json:"port"`
	// web, image, custom, go1: after so long without being ready the agent says what is missing; 0 is never.
	InitTimeoutMs int `json:"initTimeoutMs"`
	// image, job: the program and its arguments; a name without a slash is looked for in PATH.
	Command []string `json:"command"`
	// image, job: where the program starts; empty is codeRoot, and / without that.
	WorkDir string `json:"workDir"`
	// image: Event or HTTP.
	Type string `json:"type"`
}

func decodeInit(text []byte) (*initHead, error) {
	head := &initHead{}
	if err := json.Unmarshal(text, head); err != nil {
		return nil, err
	}
	if head.Port == 0 {
		head.Port = 9000
	}
	if head.CodeRoot == "" {
		head.CodeRoot = "/var/user"
	}
	return head, nil
}

// text is a field of the context, whether it is a string or a number; empty without it.
func (h *initHead) text(name string) string {
	return plainText(h.Context[name])
}

func (h *initHead) number(name string) int {
	number, _ := strconv.Atoi(h.text(name))
	return number
}

func plainText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

// failure is the head of init-failed and error frames; the reasons are those of ../README.md.
type failure struct {
	Reason     string `json:"reason"`
	Message    string `json:"message"`
	StackTrace string `json:"stackTrace"`
	Recycle    bool   `json:"recycle"`
}

func fail(reason, message string) *failure {
	return &failure{Reason: reason, Message: message}
}

// thrown is the user's own error: its text is all there is of a trace.
func thrown(message string) *failure {
	return &failure{Reason: "exception", Message: message, StackTrace: message}
}

// lethal is a failure after which the process must not be used again.
func lethal(reason, message string) *failure {
	return &failure{Reason: reason, Message: message, Recycle: true}
}

// invokeHead is what an invocation adds to the context.
type invokeHead struct {
	RequestID   string `json:"request_id"`
	TriggerSrc  string `json:"trigger_src"`
	Traceparent string `json:"traceparent"`
}
