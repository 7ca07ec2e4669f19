package main

import (
	"testing"
	"unsafe"
)

func TestLoopConfigIsTheKernels(t *testing.T) {
	// struct loop_config: two 32-bit words, struct loop_info64 (232 bytes, flags at 52), eight reserved words.
	var config loopConfig
	if size := unsafe.Sizeof(config); size != 304 {
		t.Errorf("struct loop_config has 304 bytes, not %d", size)
	}
	if offset := unsafe.Offsetof(config.info) + unsafe.Offsetof(config.info.flags); offset != 60 {
		t.Errorf("lo_flags is at 60, not %d", offset)
	}
}
