package cloudfunction

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"time"

	"openscf/go/cloudfunction/messages"
	"openscf/go/functioncontext"
)

// Most frames of a panic that are reported.
const maxFrames = 32

// Function is what the platform calls.
type Function struct{ handler Handler }

// Ping answers when the function is ready.
func (f *Function) Ping(_ *messages.PingRequest, response *messages.PingResponse) error {
	*response = messages.PingResponse{}
	return nil
}

// Invoke runs the handler. Its errors are in the response; a panic says that the process should end.
func (f *Function) Invoke(request *messages.InvokeRequest, response *messages.InvokeResponse) error {
	defer func() {
		if cause := recover(); cause != nil {
			response.Error = &messages.InvokeResponse_Error{
				Message: fmt.Sprint(cause), Type: typeName(cause), StackTrace: framesOfPanic(), ShouldExit: true,
			}
		}
	}()
	payload, err := f.run(request)
	if err != nil {
		response.Error = &messages.InvokeResponse_Error{Message: err.Error(), Type: typeName(err)}
		return nil
	}
	response.Payload = payload
	return nil
}

func (f *Function) run(request *messages.InvokeRequest) ([]byte, error) {
	about, err := contextOf(request)
	if err != nil {
		return nil, err
	}
	for name, value := range about.Environment {
		if err = os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	deadline := time.Unix(request.Deadline.Seconds, request.Deadline.Nanos)
	ctx, cancel := context.WithDeadline(functioncontext.NewContext(context.Background(), about), deadline)
	defer cancel()
	return f.handler.Invoke(ctx, request.Payload)
}

func contextOf(request *messages.InvokeRequest) (*functioncontext.FunctionContext, error) {
	about := &functioncontext.FunctionContext{
		RequestID:             request.RequestId,
		InvokedFunctionUnique: request.InvokedFunctionUnique,
		Namespace:             request.Namespace,
		FunctionName:          request.FunctionName,
		FunctionVersion:       request.FunctionVersion,
		MemoryLimitInMb:       request.MemoryLimitInMb,
		TimeLimitInMs:         request.TimeLimitInMs,
		TencentcloudRegion:    request.TencentcloudRegion,
		TencentcloudAppID:     request.TencentcloudAppID,
		TencentcloudUin:       request.TencentcloudUin,
		FunctionTrace:         request.FunctionTrace,
	}
	if len(request.ClientContext) > 0 {
		if err := json.Unmarshal(request.ClientContext, &about.ClientContext); err != nil {
			return nil, err
		}
	}
	if request.Environment == "" {
		return about, nil
	}
	return about, json.Unmarshal([]byte(request.Environment), &about.Environment)
}

func typeName(value interface{}) string {
	kind := reflect.TypeOf(value)
	if kind.Kind() == reflect.Ptr {
		kind = kind.Elem()
	}
	return kind.Name()
}

// framesOfPanic is to be called while a panic is handled: its frames are the callers of this function.
func framesOfPanic() []*messages.InvokeResponse_Error_StackFrame {
	counters := make([]uintptr, maxFrames)
	frames := runtime.CallersFrames(counters[:runtime.Callers(3, counters)])
	list := []*messages.InvokeResponse_Error_StackFrame{}
	for more := true; more; {
		var frame runtime.Frame
		if frame, more = frames.Next(); frame.Function == "" {
			continue
		}
		// "module/package.Type.Method": the package's path goes in front of the file's name.
		folder, label := "", frame.Function
		if slash := strings.LastIndexByte(label, '/'); slash >= 0 {
			folder, label = label[:slash+1], label[slash+1:]
		}
		dot := strings.IndexByte(label, '.')
		path := folder + label[:dot] + "/" + frame.File[strings.LastIndexByte(frame.File, '/')+1:]
		list = append(list, &messages.InvokeResponse_Error_StackFrame{Path: path, Line: int32(frame.Line), Label: label[dot+1:]})
	}
	return list
}
