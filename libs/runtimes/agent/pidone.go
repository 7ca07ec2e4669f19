package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

// reportDescriptor is where the sandbox driver may want the exit code of the command.
const reportDescriptor = 3

// pidOne does what a shell does for a sandbox (libs/sandbox/api/src/pid-one.ts), for a root that has no shell: it runs the
// command with its output in the FIFO, reaps what is orphaned, and reports the command's end on descriptor 3 when it is
// open, and as its own exit code. The command does not get descriptor 3.
func pidOne(args []string) int {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	output := "/run/openscf/output"
	if len(args) >= 2 && args[0] == "--output" {
		output, args = args[1], args[2:]
	}
	if len(args) < 2 || args[0] != "--" {
		fmt.Fprint(os.Stderr, usage)
		return 2
	}
	ignoreSignals()
	syscall.CloseOnExec(reportDescriptor)
	code := runAsPidOne(output, args[1:])
	_, _ = syscall.Write(reportDescriptor, []byte(strconv.Itoa(code)+"\n"))
	return code
}

// ignoreSignals leaves the command's own reactions as they were: an ignored signal would stay ignored in it.
func ignoreSignals() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM,
		syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGPIPE)
}

func runAsPidOne(outputPath string, command []string) int {
	output, err := os.OpenFile(outputPath, os.O_WRONLY, 0)
	if err != nil {
		return 2
	}
	path, failed := findCommand(command[0], os.Getenv("PATH"), "/")
	if failed == "" {
		process, err := os.StartProcess(path, command, &os.ProcAttr{
			Env:   os.Environ(),
			Files: []*os.File{os.Stdin, output, output},
		})
		if err == nil {
			_ = output.Close()
			return reapUntil(process.Pid)
		}
		failed = err.Error()
	}
	fmt.Fprintf(output, "%s cannot be started: %s\n", command[0], failed)
	// As a shell has it: 127 for what is not there, 126 for what cannot be executed.
	if _, err := os.Stat(command[0]); path == "" && (err != nil || !strings.Contains(command[0], "/")) {
		return 127
	}
	return 126
}

func reapUntil(pid int) int {
	for {
		var status syscall.WaitStatus
		reaped, err := syscall.Wait4(-1, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return 1
		}
		if reaped == pid && (status.Exited() || status.Signaled()) {
			code, _ := describeExit(status)
			return code
		}
	}
}
