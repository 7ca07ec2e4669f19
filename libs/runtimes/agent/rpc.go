package main

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
)

// rpcClient speaks Go's net/rpc, whose messages are gob values: a request and its message, a response and its answer. gob goes
// by the names of fields, which are those of net/rpc and of the vendor's scf-go-lib. (net/rpc itself would bring net/http.)
type rpcClient struct {
	encoder *gob.Encoder
	decoder *gob.Decoder
	out     *bufio.Writer
	calls   uint64
}

func newRPCClient(conn net.Conn) rpcClient {
	out := bufio.NewWriter(conn)
	return rpcClient{encoder: gob.NewEncoder(out), decoder: gob.NewDecoder(bufio.NewReader(conn)), out: out}
}

// call is one request of net/rpc; they do not overlap.
func (c *rpcClient) call(method string, message, answer interface{}) error {
	c.calls++
	if err := c.encoder.Encode(&rpcRequest{method, c.calls}); err != nil {
		return err
	}
	if err := c.encoder.Encode(message); err != nil {
		return err
	}
	if err := c.out.Flush(); err != nil {
		return err
	}
	var response rpcResponse
	if err := c.decoder.Decode(&response); err != nil {
		return err
	}
	if response.Error != "" {
		_ = c.decoder.DecodeValue(reflect.Value{})
		return errors.New(response.Error)
	}
	return c.decoder.Decode(answer)
}

// Requests and responses of net/rpc.
type rpcRequest struct {
	ServiceMethod string
	Seq           uint64
}

type rpcResponse struct {
	ServiceMethod string
	Seq           uint64
	Error         string
}

// Messages of scf-go-lib.
type pingRequest struct{}
type pingResponse struct{}

type timestamp struct {
	Seconds int64
	Nanos   int64
}

type rpcInvokeRequest struct {
	Payload               []byte
	RequestId             string
	TraceId               string
	Deadline              timestamp
	InvokedFunctionUnique string
	ClientContext         []byte
	Namespace             string
	FunctionName          string
	FunctionVersion       string
	MemoryLimitInMb       int32
	TimeLimitInMs         int32
	Environment           string
	TencentcloudRegion    string
	TencentcloudAppID     string
	TencentcloudUin       string
	FunctionTrace         string
}

type rpcInvokeResponse struct {
	Payload []byte
	Error   *rpcError
}

type rpcError struct {
	Message    string
	Type       string
	StackTrace []*rpcStackFrame
	ShouldExit bool
}

type rpcStackFrame struct {
	Path  string
	Line  int32
	Label string
}

func (e *rpcError) failure() *failure {
	trace := []string{e.Type + ": " + e.Message}
	for _, at := range e.StackTrace {
		// Frames of the library and of Go itself are not the user's.
		if at != nil && !strings.HasPrefix(at.Path, "runtime/") && !strings.HasPrefix(at.Path, "reflect/") &&
			!strings.HasPrefix(at.Path, "net/rpc/") && !strings.Contains(at.Path, "cloudfunction/") {
			trace = append(trace, fmt.Sprintf("    at %s (%s:%d)", at.Label, at.Path, at.Line))
		}
	}
	return &failure{Reason: "exception", Message: e.Message, StackTrace: strings.Join(trace, "\n"), Recycle: e.ShouldExit}
}
