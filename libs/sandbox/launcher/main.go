// Command launcher starts sandboxes for the driver in ../runc, and does what a driver asks of the kernel, so that the big
// process that owns the driver never forks: a fork of it stops its event loop.
//
//	launcher serve <owner's folder>
//	                 one JSON request a line on standard input, one JSON answer a line on standard output; it ends with
//	                 its standard input, and the kernel kills its sandboxes when it ends
//	launcher init    the first process of a sandbox; started by serve only
//	launcher hold    a process that waits in a user namespace; started by serve only
//
// Reading order: serve (requests), start (a sandbox, seen from the host), setup (the same, seen from inside), mounts,
// idmap, scratch, cgroup, calls (system calls that Go's library has no names for).
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

func init() {
	// Namespaces, credentials and filters are properties of a thread: `init` must stay on the first one.
	runtime.LockOSThread()
}

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "serve":
		runtime.UnlockOSThread()
		debug.SetGCPercent(400)
		serve(os.Stdin, os.Stdout)
	case len(os.Args) == 2 && os.Args[1] == "init":
		setUpAndRun()
	case len(os.Args) == 2 && os.Args[1] == "hold":
		hold()
	default:
		fmt.Fprintln(os.Stderr, "usage: launcher serve <owner's folder>")
		os.Exit(2)
	}
}
