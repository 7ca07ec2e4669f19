package main

import (
	"os"
	"sort"
	"strconv"
	"strings"
)

// Of a socket that listens, in /proc/net/tcp.
const listenState = "0A"

// whatListens names the ports of the instance that are listened on, for a message.
func whatListens() string {
	ports := map[int]bool{}
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(path)
		for _, line := range strings.Split(string(text), "\n") {
			fields := strings.Fields(line)
			if len(fields) < 4 || fields[3] != listenState {
				continue
			}
			if port, err := strconv.ParseUint(fields[1][strings.LastIndexByte(fields[1], ':')+1:], 16, 16); err == nil {
				ports[int(port)] = true
			}
		}
	}
	if len(ports) == 0 {
		return "; it listens on no port"
	}
	list := make([]int, 0, len(ports))
	for port := range ports {
		list = append(list, port)
	}
	sort.Ints(list)
	names := make([]string, len(list))
	for i, port := range list {
		names[i] = strconv.Itoa(port)
	}
	return "; it listens on " + strings.Join(names, ", ")
}
