// Command main is a function that does what its event says.
package main

import (
	"context"
	"errors"
	"os"
	"time"

	"openscf/go/cloudfunction"
	"openscf/go/functioncontext"
)

type event struct{ Do string }

type answer struct {
	RequestID, FunctionName, Namespace string
	MemoryLimitInMb, TimeLimitInMs     int32
	Colour, Namespaced                 string
	Hurried                            bool
}

func handle(ctx context.Context, in event) (interface{}, error) {
	switch in.Do {
	case "fail":
		return nil, errors.New("it broke")
	case "panic":
		panic("no way")
	case "exit":
		os.Exit(5)
	case "nothing":
		return nil, nil
	}
	about, _ := functioncontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return answer{
		RequestID: about.RequestID, FunctionName: functioncontext.FunctionName, Namespace: about.Namespace,
		MemoryLimitInMb: about.MemoryLimitInMb, TimeLimitInMs: about.TimeLimitInMs,
		Colour: os.Getenv("COLOUR"), Namespaced: os.Getenv("SCF_NAMESPACE"),
		Hurried: time.Until(deadline) < 4*time.Second && time.Until(deadline) > 0,
	}, nil
}

func main() { cloudfunction.Start(handle) }
