package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// idRange: ids of the files, and what they are for those who see the mount; both as the host counts.
type idRange struct {
	File int `json:"file"`
	Seen int `json:"seen"`
	Size int `json:"size"`
}

type idMaps struct {
	Users  []idRange `json:"users"`
	Groups []idRange `json:"groups"`
}

// openNamespace makes a user namespace that has these maps: the kernel takes them in no other form. It needs a process for a
// moment, which is this program again.
func (m *idMaps) openNamespace() (*os.File, error) {
	holder := exec.Command("/proc/self/exe", "hold")
	holder.Env = []string{"GOGC=off", "GOMAXPROCS=1"}
	holder.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, UidMappings: mappings(m.Users), GidMappings: mappings(m.Groups),
	}
	untilClosed, err := holder.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := holder.Start(); err != nil {
		return nil, fmt.Errorf("map the owners of files: %w", err)
	}
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/user", holder.Process.Pid))
	untilClosed.Close()
	_ = holder.Wait()
	return namespace, err
}

func mappings(ranges []idRange) []syscall.SysProcIDMap {
	maps := make([]syscall.SysProcIDMap, len(ranges))
	for index, ids := range ranges {
		maps[index] = syscall.SysProcIDMap{ContainerID: ids.File, HostID: ids.Seen, Size: ids.Size}
	}
	return maps
}

// hold keeps a namespace until it was opened.
func hold() {
	_, _ = io.Copy(io.Discard, os.Stdin)
}
