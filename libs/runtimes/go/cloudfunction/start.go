// Package cloudfunction serves a handler to the platform.
package cloudfunction

import (
	"context"
	"log"
	"net"
	"net/rpc"
	"os"
)

// Handler takes events and gives results as JSON bytes.
type Handler interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Start serves handler, and does not return. These are the forms of a handler, where in and out are types of encoding/json:
//
//	func()                        func(in)
//	func() error                  func(in) error
//	func() (out, error)           func(in) (out, error)
//	func(context.Context) error   func(context.Context, in) error
//	func(context.Context) (out, error)
//	func(context.Context, in) (out, error)
//
// Of any other form, each invocation fails with what is wrong.
func Start(handler interface{}) {
	StartHandler(wrap(handler))
}

// StartHandler serves a Handler, and does not return.
func StartHandler(handler Handler) {
	listener, err := net.Listen("tcp", "0.0.0.0:"+os.Getenv("_LAMBDA_SERVER_PORT"))
	if err != nil {
		log.Fatal(err)
	}
	server := rpc.NewServer()
	if err = server.RegisterName("Function", &Function{handler}); err != nil {
		log.Fatal(err)
	}
	server.Accept(listener)
	log.Fatal("the function's port was closed")
}
