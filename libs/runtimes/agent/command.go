package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// findCommand looks a program up as a shell does; the second result says why there is none.
func findCommand(name, searchPath, dir string) (string, string) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		if why := notExecutable(name); why != "" {
			return "", name + " " + why
		}
		return name, ""
	}
	for _, folder := range filepath.SplitList(searchPath) {
		if path := filepath.Join(folder, name); notExecutable(path) == "" {
			return path, ""
		}
	}
	return "", name + " is in no folder of PATH (" + searchPath + ")"
}

func notExecutable(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "does not exist"
	case info.IsDir():
		return "is a folder"
	case syscall.Access(path, 1) != nil:
		return "is not executable"
	}
	return ""
}
