package main

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestRequestHeads(t *testing.T) {
	for text, scanned := range map[string]bool{
		`{"request_id":"r","method":"GET","target":"/a?b","headers":[["Host","x"],["A",""]]}`: true,
		`{"headers":[],"target":"/","method":"POST","traceparent":"00-1"}`:                    true,
		`{"method":"GET","target":"/","headers":[["A","caf\u00e9 ü"]]}`:                       false,
		`{"method":"GET","target":"/\"","headers":[["A\\","x"]]}`:                             false,
		`{ "method": "GET", "target": "/", "headers": [] }`:                                   false,
		`{"method":"GET","target":"/","headers":[],"more":{"a":[1]}}`:                         false,
	} {
		if got := scanRequest([]byte(text), &requestHead{}); got != scanned {
			t.Errorf("%s: scanned %v", text, got)
		}
		want := requestHead{}
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		got, err := decodeRequest([]byte(text))
		if err != nil || got.Method != want.Method || got.Target != want.Target || got.RequestID != want.RequestID ||
			len(got.Headers) != len(want.Headers) || len(want.Headers) > 0 && !reflect.DeepEqual(got.Headers, want.Headers) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{``, `{`, `{"method"`, `{"method":"GET`, `{"headers":[["a"]]`, `{"method":"GET"}x`, `[]`,
		`{"headers":[["Content-Length","-1"]]}`, `{"headers":[["Content-Length","1, 1"]]}`} {
		if got, err := decodeRequest([]byte(text)); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func BenchmarkRequestHead(b *testing.B) {
	lines := [][2]string{}
	for i := 0; i < 18; i++ {
		lines = append(lines, [2]string{"X-Some-Header-Name", "some value of a header, of usual length"})
	}
	text := encodeHead(map[string]interface{}{"request_id": "a-b", "method": "GET", "target": "/a?c", "headers": lines})
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		if _, err := decodeRequest(text); err != nil {
			b.Fatal(err)
		}
	}
}
