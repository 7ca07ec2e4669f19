package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cgroupPlan: the folders of one group in every hierarchy, and what is written to the files in them, in this order.
type cgroupPlan struct {
	Folders []string    `json:"folders"`
	Files   [][2]string `json:"files"`
	// Optional files may be missing: kernels without swap accounting have no limit for it.
	Optional []string `json:"optional"`
}

func (c *cgroupPlan) make() error {
	for _, folder := range c.Folders {
		if err := os.Mkdir(folder, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	for _, file := range c.Files {
		err := writeExisting(file[0], file[1])
		if err != nil && !(errors.Is(err, os.ErrNotExist) && contains(c.Optional, file[0])) {
			return err
		}
	}
	return nil
}

func (c *cgroupPlan) enter(pid int) error {
	for _, folder := range c.Folders {
		if err := writeExisting(filepath.Join(folder, "cgroup.procs"), strconv.Itoa(pid)); err != nil {
			return err
		}
	}
	return nil
}

// hastenCgroups begins, on version 1, what the kernel makes the first of several moves into a cgroup wait for (an RCU grace
// period, some 10 ms): it moves this process to where it is. The move that matters is then not the first.
func hastenCgroups() {
	groups, _ := os.ReadFile("/proc/self/cgroup")
	for _, line := range strings.Split(string(groups), "\n") {
		if parts := strings.SplitN(line, ":", 3); len(parts) == 3 && parts[1] == "pids" {
			_ = writeExisting(filepath.Join("/sys/fs/cgroup/pids", parts[2], "cgroup.procs"), "0")
		}
	}
}

func writeExisting(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteString(text)
	return err
}

func contains(list []string, wanted string) bool {
	for _, entry := range list {
		if entry == wanted {
			return true
		}
	}
	return false
}

// removeCgroups kills what is in these groups and those below them, and removes them.
func removeCgroups(folders []string) error {
	for _, folder := range folders {
		if err := removeCgroup(folder); err != nil {
			return err
		}
	}
	return nil
}

// removeTime bounds the wait for the last process of a group to be gone: it may be in the middle of a write to a slow disk.
const removeTime = 5 * time.Second

func removeCgroup(folder string) error {
	wait := time.Millisecond / 4
	for end := time.Now().Add(removeTime); ; wait *= 2 {
		err := syscall.Rmdir(folder)
		if err == nil || errors.Is(err, syscall.ENOENT) {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("The cgroup %s cannot be removed: it still has processes", folder)
		}
		emptyCgroup(folder)
		time.Sleep(wait)
	}
}

func emptyCgroup(folder string) {
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		if entry.IsDir() {
			below := filepath.Join(folder, entry.Name())
			emptyCgroup(below)
			_ = syscall.Rmdir(below)
		}
	}
	members, _ := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
	for _, line := range strings.Fields(string(members)) {
		if pid, err := strconv.Atoi(line); err == nil && pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
