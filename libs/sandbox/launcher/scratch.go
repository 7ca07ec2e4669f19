package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"unsafe"
)

// scratchPlan: a small file system of its own on the host's disk, which bounds what a sandbox writes and keeps it out of
// the sandbox's memory: its cached pages can be written back at any time, those of a tmpfs only be swapped.
type scratchPlan struct {
	// Template is an image with an empty ext4 in it; Image becomes a copy of it.
	Template string `json:"template"`
	Image    string `json:"image"`
	Target   string `json:"target"`
}

const (
	loopGetFree   = 0x4C82
	loopConfigure = 0x4C0A

	loopAutoClear = 4
	loopDirectIO  = 16

	fsTrim = 0xC0185879

	mountNoTime = syscall.MS_NOATIME | syscall.MS_NOSUID | syscall.MS_NODEV
)

// loopConfig is the kernel's struct loop_config.
type loopConfig struct {
	fd, blockSize uint32
	info          struct {
		_     [52]byte
		flags uint32
		_     [176]byte
	}
	_ [8]uint64
}

// loopTries: another process may take the free device between the two calls. Within this one, oneLoop sees to it.
const loopTries = 32

var oneLoop sync.Mutex

func (p *scratchPlan) mount() error {
	if err := copySparse(p.Template, p.Image); err != nil {
		return err
	}
	device, err := openLoop(p.Image)
	if err != nil {
		return err
	}
	// Closed after the mount: the device lives as long as that.
	defer device.Close()
	if err := os.MkdirAll(p.Target, 0o711); err != nil {
		return err
	}
	if err := syscall.Mount(device.Name(), p.Target, "ext4", mountNoTime, ""); err != nil {
		return &os.PathError{Op: "mount", Path: p.Target, Err: err}
	}
	return nil
}

func openLoop(image string) (*os.File, error) {
	backing, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer backing.Close()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	oneLoop.Lock()
	defer oneLoop.Unlock()
	for try := 0; try < loopTries; try++ {
		number, _, errno := syscall.Syscall(syscall.SYS_IOCTL, control.Fd(), loopGetFree, 0)
		if errno != 0 {
			return nil, fmt.Errorf("find a free loop device: %w", errno)
		}
		device, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", number), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		errno = configureLoop(device, backing)
		if errno == 0 {
			return device, nil
		}
		device.Close()
		if errno != syscall.EBUSY {
			return nil, fmt.Errorf("configure a loop device: %w", errno)
		}
	}
	return nil, errors.New("no loop device is free")
}

// configureLoop prefers direct writes, so that no page is kept twice; not every file system of a host has them.
func configureLoop(device, backing *os.File) syscall.Errno {
	for _, flags := range []uint32{loopAutoClear | loopDirectIO, loopAutoClear} {
		config := loopConfig{fd: uint32(backing.Fd()), blockSize: 4096}
		config.info.flags = flags
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, device.Fd(), loopConfigure, uintptr(unsafe.Pointer(&config)))
		if errno != syscall.EINVAL {
			return errno
		}
	}
	return syscall.EINVAL
}

// copySparse copies what is data and leaves out the holes.
func copySparse(from, to string) error {
	const seekData, seekHole = 3, 4
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	size, err := source.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer target.Close()
	for at := int64(0); at < size; {
		data, err := source.Seek(at, seekData)
		if errors.Is(err, syscall.ENXIO) {
			break
		}
		if err != nil {
			return err
		}
		hole, err := source.Seek(data, seekHole)
		if err != nil {
			return err
		}
		if _, err := target.Seek(data, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(target, io.NewSectionReader(source, data, hole-data)); err != nil {
			return err
		}
		at = hole
	}
	return target.Truncate(size)
}

// wipe empties a scratch file system after its sandbox is gone, and gives its blocks back to the host's disk.
func wipe(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(folder, entry.Name())); err != nil {
			return err
		}
	}
	if len(entries) == 0 {
		return nil
	}
	directory, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer directory.Close()
	all := struct{ start, length, least uint64 }{length: ^uint64(0)}
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, directory.Fd(), fsTrim, uintptr(unsafe.Pointer(&all)))
	if errno != 0 && errno != syscall.EOPNOTSUPP {
		return &os.PathError{Op: "trim", Path: folder, Err: errno}
	}
	return nil
}
