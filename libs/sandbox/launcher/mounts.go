package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// mountPlan: a folder or file of the host, and where it is to be seen.
type mountPlan struct {
	Source   string `json:"source"`
	Target   string `json:"target"`
	ReadOnly bool   `json:"readOnly"`
	// Receives says that what is mounted below the source later arrives here too.
	Receives bool `json:"receives"`
	// IDs say who the owners of files are here; absent: those that they are on the host.
	IDs *idMaps `json:"ids"`
}

func (m *mountPlan) clone() (int, error) {
	attributes := uint64(mountAttrNoSuid | mountAttrNoDev)
	if m.ReadOnly {
		attributes |= mountAttrReadOnly
	}
	propagation := uint64(syscall.MS_PRIVATE)
	if m.Receives {
		propagation = syscall.MS_SLAVE
	}
	if m.IDs == nil {
		return cloneTree(m.Source, attributes, propagation, 0)
	}
	namespace, err := m.IDs.openNamespace()
	if err != nil {
		return -1, err
	}
	defer namespace.Close()
	return cloneTree(m.Source, attributes, propagation, namespace.Fd())
}

// checkKernel fails where the kernel is older than 5.12.
func checkKernel() error {
	fd, err := cloneTree("/dev/null", mountAttrNoSuid, syscall.MS_PRIVATE, 0)
	if err == nil {
		_ = syscall.Close(fd)
	}
	return err
}

func mountOnHost(m *mountPlan) error {
	fd, err := m.clone()
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	return attachTree(fd, m.Target)
}

func unmount(path string) error {
	err := syscall.Unmount(path, syscall.MNT_DETACH)
	if err == nil || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOENT) {
		return nil
	}
	return &os.PathError{Op: "unmount", Path: path, Err: err}
}

// devices of an instance, as in every container.
var devices = []string{"null", "zero", "full", "random", "urandom", "tty"}

var deviceLinks = map[string]string{
	"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
}

// tmpfsPlan: an empty file system in memory.
type tmpfsPlan struct {
	Target  string `json:"target"`
	Options string `json:"options"`
	NoExec  bool   `json:"noExec"`
}

func (t *tmpfsPlan) mount() error {
	flags := uintptr(syscall.MS_NOSUID | syscall.MS_NODEV)
	if t.NoExec {
		flags |= syscall.MS_NOEXEC
	}
	if err := syscall.Mount("tmpfs", t.Target, "tmpfs", flags, t.Options); err != nil {
		return &os.PathError{Op: "mount", Path: t.Target, Err: err}
	}
	return nil
}

// mountDevices fills /dev; trees holds one clone for each of `devices`.
func mountDevices(trees []int) error {
	if err := syscall.Mount("tmpfs", "/dev", "tmpfs", syscall.MS_NOSUID|syscall.MS_STRICTATIME, "mode=755,size=64k"); err != nil {
		return &os.PathError{Op: "mount", Path: "/dev", Err: err}
	}
	for index, tree := range trees {
		node := filepath.Join("/dev", devices[index])
		if err := os.WriteFile(node, nil, 0o666); err != nil {
			return err
		}
		if err := attachTree(tree, node); err != nil {
			return err
		}
	}
	for name, target := range deviceLinks {
		if err := os.Symlink(target, filepath.Join("/dev", name)); err != nil {
			return err
		}
	}
	return os.Mkdir("/dev/shm", 0o1777)
}

// mask hides a path that may not be there: a file behind /dev/null, a folder behind an empty one.
func mask(path string) error {
	err := syscall.Mount("/dev/null", path, "", syscall.MS_BIND, "")
	if errors.Is(err, syscall.ENOTDIR) {
		err = syscall.Mount("tmpfs", path, "tmpfs", syscall.MS_RDONLY, "")
	}
	if err == nil || errors.Is(err, syscall.ENOENT) {
		return nil
	}
	return &os.PathError{Op: "mask", Path: path, Err: err}
}

func makeReadOnly(path string) error {
	err := syscall.Mount(path, path, "", syscall.MS_BIND|syscall.MS_REC, "")
	if errors.Is(err, syscall.ENOENT) {
		return nil
	}
	flags := uintptr(syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC)
	if err == nil {
		err = syscall.Mount(path, path, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY|flags, "")
	}
	if err != nil {
		return &os.PathError{Op: "make read-only", Path: path, Err: err}
	}
	return nil
}
