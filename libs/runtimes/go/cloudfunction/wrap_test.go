package cloudfunction

import (
	"context"
	"errors"
	"strings"
	"testing"

	"openscf/go/cloudfunction/messages"
)

type event struct{ N int }

func TestFormsOfHandlers(t *testing.T) {
	failed := errors.New("failed")
	forms := map[string]struct {
		handler interface{}
		want    string
	}{
		"func()":                  {func() {}, "null"},
		"func() error":            {func() error { return nil }, "null"},
		"func() (out, error)":     {func() (int, error) { return 1, nil }, "1"},
		"func(in)":                {func(event) {}, "null"},
		"func(in) error":          {func(e event) error { return failed }, "failed"},
		"func(in) (out, error)":   {func(e event) (event, error) { return e, nil }, `{"N":5}`},
		"func(ctx) error":         {func(context.Context) error { return failed }, "failed"},
		"func(ctx) (out, error)":  {func(context.Context) (string, error) { return "x", nil }, `"x"`},
		"func(ctx, in) error":     {func(context.Context, *event) error { return nil }, "null"},
		"func(ctx, in) (o, err)":  {func(_ context.Context, e *event) (int, error) { return e.N, nil }, "5"},
		"func(map) (o, err)":      {func(m map[string]int) (int, error) { return m["N"], nil }, "5"},
		"not a function":          {5, "not a function"},
		"nil":                     {nil, "the handler is nil"},
		"three arguments":         {func(context.Context, int, int) {}, "takes 3 arguments"},
		"no context first":        {func(int, int) {}, "not a context.Context"},
		"no error last":           {func() int { return 1 }, "not an error"},
		"three results":           {func() (int, int, error) { return 1, 2, nil }, "returns 3 values"},
		"an event that is not in": {func(int) {}, "cannot unmarshal"},
	}
	for name, form := range forms {
		var response messages.InvokeResponse
		function := &Function{wrap(form.handler)}
		if err := function.Invoke(&messages.InvokeRequest{Payload: []byte(`{"N":5}`)}, &response); err != nil {
			t.Fatal(name, err)
		}
		got := string(response.Payload)
		if response.Error != nil {
			got = response.Error.Message
		}
		if !strings.Contains(got, form.want) {
			t.Errorf("%s: %s, want %s", name, got, form.want)
		}
	}
}

func TestPanicEndsTheProcess(t *testing.T) {
	var response messages.InvokeResponse
	function := &Function{wrap(func() { var m map[string]int; m["x"] = 1 })}
	if err := function.Invoke(&messages.InvokeRequest{}, &response); err != nil {
		t.Fatal(err)
	}
	failed := response.Error
	if failed == nil || !failed.ShouldExit || !strings.Contains(failed.Message, "nil map") {
		t.Fatalf("%+v", failed)
	}
	for _, frame := range failed.StackTrace {
		if strings.HasSuffix(frame.Path, "/wrap_test.go") {
			return
		}
	}
	t.Error("the handler is not in the trace")
}
