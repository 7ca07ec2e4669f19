package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// Numbers that are the same on every architecture.
const (
	sysOpenTree     = 428
	sysMoveMount    = 429
	sysMountSetattr = 442
	sysCloseRange   = 436
)

// Numbers that are not: [amd64, arm64].
var (
	sysSetns       = pick(308, 268)
	sysSethostname = pick(170, 161)
	sysKeyctl      = pick(250, 219)
	sysSeccomp     = pick(317, 277)
	sysCapset      = pick(126, 91)
)

const (
	openTreeClone         = 1
	atRecursive           = 0x8000
	atEmptyPath           = 0x1000
	closeRangeCloexec     = 4
	moveMountFromEmptyDir = 4

	mountAttrReadOnly = 1
	mountAttrNoSuid   = 2
	mountAttrNoDev    = 4
	mountAttrIDMap    = 0x100000

	prSetNoNewPrivs        = 38
	prCapBoundingDrop      = 24
	prSetParentDeathSignal = 1

	keyctlJoinSession    = 1
	seccompSetModeFilter = 1
	capabilityVersion3   = 0x20080522
)

func pick(amd64, arm64 uintptr) uintptr {
	if runtime.GOARCH == "arm64" {
		return arm64
	}
	return amd64
}

func check(what string, errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", what, errno)
}

type mountAttr struct{ set, clear, propagation, userNamespace uint64 }

// cloneTree copies what is mounted at a path, with these flags from the beginning, and attached nowhere yet. A user
// namespace says whose files of the copy are; with 0 they are whose they are on the host.
func cloneTree(path string, attributes, propagation uint64, userNamespace uintptr) (int, error) {
	name, err := syscall.BytePtrFromString(path)
	if err != nil {
		return -1, err
	}
	fd, _, errno := syscall.Syscall(sysOpenTree, atNone, uintptr(unsafe.Pointer(name)),
		openTreeClone|atRecursive|syscall.O_CLOEXEC)
	if errno != 0 {
		return -1, &os.PathError{Op: "mount", Path: path, Err: errno}
	}
	attr := mountAttr{set: attributes, propagation: propagation}
	if userNamespace != 0 {
		attr.set |= mountAttrIDMap
		attr.userNamespace = uint64(userNamespace)
	}
	empty := [1]byte{}
	_, _, errno = syscall.Syscall6(sysMountSetattr, fd, uintptr(unsafe.Pointer(&empty)), atEmptyPath|atRecursive,
		uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		_ = syscall.Close(int(fd))
		if userNamespace != 0 && errno == syscall.EINVAL {
			return -1, fmt.Errorf("mount %s with an owner: its file system, or one that is mounted below it, "+
				"has no mounts with mapped ids (ext4, xfs, btrfs and tmpfs have)", path)
		}
		return -1, &os.PathError{Op: "mount", Path: path, Err: errno}
	}
	return int(fd), nil
}

// attachTree mounts what cloneTree made; the flags that it has are the flags that it gets everywhere it is propagated to.
func attachTree(fd int, target string) error {
	name, err := syscall.BytePtrFromString(target)
	if err != nil {
		return err
	}
	empty := [1]byte{}
	_, _, errno := syscall.Syscall6(sysMoveMount, uintptr(fd), uintptr(unsafe.Pointer(&empty)), atNone,
		uintptr(unsafe.Pointer(name)), moveMountFromEmptyDir, 0)
	return check("mount on "+target, errno)
}

// atNone is AT_FDCWD; all paths here are absolute.
const atNone = ^uintptr(99)

func setNetworkNamespace(fd int) error {
	_, _, errno := syscall.RawSyscall(sysSetns, uintptr(fd), syscall.CLONE_NEWNET, 0)
	return check("setns", errno)
}

func prctl(option, argument uintptr) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, option, argument, 0, 0, 0, 0)
	return check("prctl", errno)
}

func setHostname(name string) error {
	bytes := []byte(name)
	_, _, errno := syscall.RawSyscall(sysSethostname, uintptr(unsafe.Pointer(&bytes[0])), uintptr(len(bytes)), 0)
	return check("sethostname", errno)
}

// joinNewKeyring leaves the keys of the host's session behind.
func joinNewKeyring() error {
	_, _, errno := syscall.RawSyscall(sysKeyctl, keyctlJoinSession, 0, 0)
	return check("keyctl", errno)
}

func dropCapabilities() error {
	header := struct {
		version uint32
		pid     int32
	}{version: capabilityVersion3}
	var none [2]struct{ effective, permitted, inheritable uint32 }
	_, _, errno := syscall.RawSyscall(sysCapset, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0)
	return check("capset", errno)
}

// filterSystemCalls takes a classic BPF program as the kernel reads it: 8 bytes for each instruction.
func filterSystemCalls(program []byte) error {
	filter := struct {
		count   uint16
		program unsafe.Pointer
	}{uint16(len(program) / 8), unsafe.Pointer(&program[0])}
	_, _, errno := syscall.RawSyscall(sysSeccomp, seccompSetModeFilter, 0, uintptr(unsafe.Pointer(&filter)))
	return check("seccomp", errno)
}
