// Command main answers with a greeting, the event and who asked.
package main

import (
	"context"
	"encoding/json"
	"fmt"

	"openscf/go/cloudfunction"
	"openscf/go/functioncontext"
)

type greeting struct {
	Message   string          `json:"message"`
	Event     json.RawMessage `json:"event"`
	RequestID string          `json:"requestId"`
}

func hello(ctx context.Context, event json.RawMessage) (*greeting, error) {
	about, _ := functioncontext.FromContext(ctx)
	fmt.Println("asked by", about.RequestID)
	return &greeting{"Hello from Go", event, about.RequestID}, nil
}

func main() { cloudfunction.Start(hello) }
