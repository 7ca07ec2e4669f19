// Command launch connects to the channel and becomes the JVM, with the channel as its standard input: Java cannot open
// unix sockets before version 16, and later versions are slower at it.
//
// Usage: launch <program> [argument...] -jar <jar> [channel]
package main

import (
	"fmt"
	"os"
	"syscall"
)

const defaultChannel = "/run/openscf/channel.sock"

func main() {
	command, channel := split(os.Args[1:])
	if len(command) == 0 {
		fail("usage: launch <program> [argument...] -jar <jar> [channel]", nil)
	}
	socket, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		fail("no socket", err)
	}
	if err := syscall.Connect(socket, &syscall.SockaddrUnix{Name: channel}); err != nil {
		fail("cannot connect to "+channel, err)
	}
	if err := syscall.Dup3(socket, 0, 0); err != nil {
		fail("cannot put the channel in its place", err)
	}
	syscall.Close(socket)
	fail("cannot start "+command[0], syscall.Exec(command[0], command, os.Environ()))
}

// split takes the path of the channel off the end, if there is one after the jar.
func split(args []string) ([]string, string) {
	for i, arg := range args {
		if arg == "-jar" && i+2 < len(args) {
			return args[:i+2], args[i+2]
		}
	}
	return args, defaultChannel
}

func fail(what string, err error) {
	fmt.Fprintln(os.Stderr, "launch:", what, err)
	os.Exit(127)
}
