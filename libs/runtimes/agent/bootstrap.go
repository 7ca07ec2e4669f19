package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// startBootstrap starts a program of the user's code, or says what the user has to mend. It needs to be executable; without a
// #! line a shell runs it, as a shell would.
func (a *agent) startBootstrap(l launch) (*program, *failure) {
	if failed := checkBootstrap(l); failed != nil {
		return nil, failed
	}
	started, err := a.start(l)
	if errors.Is(err, syscall.ENOEXEC) && !isBinary(l.path) {
		l.args = append([]string{l.path}, l.args...)
		l.path = "/bin/sh"
		started, err = a.start(l)
	}
	if err != nil {
		return nil, fail("bootstrap-missing", whyNotStarted(l, err))
	}
	return started, nil
}

func checkBootstrap(l launch) *failure {
	info, err := os.Stat(l.path)
	switch {
	case err != nil:
		return fail("bootstrap-missing", fmt.Sprintf("%s does not exist%s", l.path, whereElse(l.path)))
	case info.IsDir():
		return fail("bootstrap-missing", fmt.Sprintf("%s is a folder; it has to be a program", l.path))
	case syscall.Access(l.path, 1) != nil:
		return fail("bootstrap-missing", fmt.Sprintf(
			"%s cannot be executed: its mode is %o; run chmod 755 %s before the code is packed",
			l.path, info.Mode().Perm(), filepath.Base(l.path)))
	}
	return nil
}

// whereElse finds the usual mistake: the folder was packed and not what is in it.
func whereElse(path string) string {
	folder, name := filepath.Split(path)
	if found, _ := filepath.Glob(filepath.Join(folder, "*", name)); len(found) > 0 {
		return fmt.Sprintf(", but %s does: pack what is in the folder, not the folder", found[0])
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return ""
	}
	names := []string{}
	for _, entry := range entries {
		if names = append(names, entry.Name()); len(names) == 10 {
			names = append(names, "…")
			break
		}
	}
	return fmt.Sprintf("; the code holds: %s", strings.Join(names, ", "))
}

func whyNotStarted(l launch, err error) string {
	first := firstBytes(l.path)
	line := first
	if end := bytes.IndexByte(first, '\n'); end >= 0 {
		line = first[:end]
	}
	isScript := bytes.HasPrefix(first, []byte("#!"))
	switch {
	case isScript && bytes.HasSuffix(line, []byte("\r")):
		return fmt.Sprintf("%s cannot be executed: its lines end in CRLF, as on Windows; save it with LF", l.path)
	case isScript && errors.Is(err, syscall.ENOENT):
		return fmt.Sprintf("%s cannot be executed: its first line, %q, names a program that does not exist here", l.path, line)
	case isBinary(l.path) && errors.Is(err, syscall.ENOEXEC):
		return fmt.Sprintf("%s cannot be executed: it was built for another processor or system", l.path)
	case isBinary(l.path) && errors.Is(err, syscall.ENOENT):
		return fmt.Sprintf("%s cannot be executed: it needs a loader that does not exist here; link it statically", l.path)
	}
	return fmt.Sprintf("%s cannot be started: %v", l.path, err)
}

func isBinary(path string) bool {
	return bytes.HasPrefix(firstBytes(path), []byte("\x7fELF"))
}

func firstBytes(path string) []byte {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	first := make([]byte, 256)
	count, _ := io.ReadFull(file, first)
	return first[:count]
}
