package cloudfunction

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
)

var (
	contextType = reflect.TypeOf((*context.Context)(nil)).Elem()
	errorType   = reflect.TypeOf((*error)(nil)).Elem()
)

// wrapped is a handler of any of the forms, or what is wrong with its form.
type wrapped struct {
	call         reflect.Value
	takesContext bool
	// Nil: no event is taken.
	event reflect.Type
	wrong error
}

func wrap(handler interface{}) Handler {
	if ready, ok := handler.(Handler); ok {
		return ready
	}
	if handler == nil {
		return &wrapped{wrong: fmt.Errorf("the handler is nil")}
	}
	w := &wrapped{call: reflect.ValueOf(handler)}
	kind := w.call.Type()
	if kind.Kind() != reflect.Func {
		w.wrong = fmt.Errorf("the handler is a %s, not a function", kind.Kind())
		return w
	}
	if w.wrong = w.readArguments(kind); w.wrong == nil {
		w.wrong = checkResults(kind)
	}
	return w
}

func (w *wrapped) readArguments(kind reflect.Type) error {
	count := kind.NumIn()
	w.takesContext = count > 0 && kind.In(0).Implements(contextType)
	switch {
	case count > 2:
		return fmt.Errorf("the handler takes %d arguments; accepted are at most a context and an event", count)
	case count == 2 && !w.takesContext:
		return fmt.Errorf("the first of the handler's two arguments is a %s, not a context.Context", kind.In(0))
	case count == 2 || count == 1 && !w.takesContext:
		w.event = kind.In(count - 1)
	}
	return nil
}

func checkResults(kind reflect.Type) error {
	count := kind.NumOut()
	if count > 2 {
		return fmt.Errorf("the handler returns %d values; accepted are at most a result and an error", count)
	}
	if count > 0 && !kind.Out(count-1).Implements(errorType) {
		return fmt.Errorf("the last value that the handler returns is a %s, not an error", kind.Out(count-1))
	}
	return nil
}

func (w *wrapped) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if w.wrong != nil {
		return nil, w.wrong
	}
	arguments := make([]reflect.Value, 0, 2)
	if w.takesContext {
		arguments = append(arguments, reflect.ValueOf(ctx))
	}
	if w.event != nil {
		event := reflect.New(w.event)
		if err := json.Unmarshal(payload, event.Interface()); err != nil {
			return nil, err
		}
		arguments = append(arguments, event.Elem())
	}
	returned := w.call.Call(arguments)
	if len(returned) > 0 {
		if err, failed := returned[len(returned)-1].Interface().(error); failed {
			return nil, err
		}
	}
	if len(returned) < 2 {
		return []byte("null"), nil
	}
	return json.Marshal(returned[0].Interface())
}
