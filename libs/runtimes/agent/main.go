// Command agent is what an instance runs when the user's program is not loaded by a bootstrap of its language: it starts the
// program and speaks for it on the channel of ../README.md.
//
// Reading order: run and init; program and bootstrap (starting the user's program); then the modes: web (with request,
// exchange, upload, respond, relay; pool, response and body are its HTTP), custom (with apiserver), go1 (with rpc), image, job.
// frame, piece and channel carry the protocol; pidone stands alone.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

const defaultChannel = "/run/openscf/channel.sock"

const usage = `usage: agent <mode> [channel]
  web        runs scf_bootstrap and passes requests to its port
  custom     runs bootstrap and serves the runtime API to it
  go1        runs the handler's program and calls it by net/rpc
  image      runs an image's command and passes requests or events to its port
  job        runs an image's command once for each event
       agent pid-one [--output fifo] -- <command> [argument...]
  pid-one    is pid 1 of a sandbox: runs the command, reaps, reports its exit code on descriptor 3
`

func init() {
	// Children die with the thread that started them: it has to be the one that lives as long as the agent.
	runtime.LockOSThread()
}

func main() {
	if len(os.Args) >= 2 && os.Args[1] == "pid-one" {
		os.Exit(pidOne(os.Args[2:]))
	}
	if len(os.Args) < 2 || len(os.Args) > 3 || modes[os.Args[1]] == nil {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	// It shares the instance's memory and processors with the user's program and mostly waits: one thread at a time is
	// a sixth cheaper for each request than two, and no slower.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(50)
	path := defaultChannel
	if len(os.Args) == 3 {
		path = os.Args[2]
	}
	os.Exit(run(os.Args[1], modes[os.Args[1]], path))
}
