package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"syscall"
	"unsafe"
)

// setUpAndRun is the first process of a sandbox, root of a new user namespace: it makes what the sandbox sees, gives up
// every privilege, and becomes the command. An error goes to the starter, which reads until this descriptor closes.
func setUpAndRun() {
	err := setUp()
	text := fmt.Sprintf("%v", err)
	_, _ = syscall.Write(errorFD, []byte(text))
	os.Exit(1)
}

func setUp() error {
	input := bufio.NewReader(os.NewFile(settingsFD, "settings"))
	text, err := input.ReadBytes('\n')
	if err != nil {
		return err
	}
	var s settings
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	syscall.CloseOnExec(errorFD)
	steps := []func() error{
		s.enterRoot, s.mountAll, leaveOldRoot, s.hide,
		func() error { return setHostname(s.Hostname) },
		joinNewKeyring, s.openLoopback, s.limit,
		func() error { return waitForCgroup(input) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return s.run()
}

// waitForCgroup makes the cgroup that this process is in then the root of all that it will see.
func waitForCgroup(input io.ByteReader) error {
	if _, err := input.ReadByte(); err != nil {
		return fmt.Errorf("wait for the cgroup: %w", err)
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_UNSHARE, syscall.CLONE_NEWCGROUP, 0, 0)
	return check("unshare", errno)
}

// enterRoot makes the root file system `/`. The host's stays mounted over it, out of reach of absolute paths, until
// leaveOldRoot: while another /proc can be seen, the kernel allows to mount one.
func (s *settings) enterRoot() error {
	if err := syscall.Mount("", "/", "", syscall.MS_SLAVE|syscall.MS_REC, ""); err != nil {
		return fmt.Errorf("make the root a slave: %w", err)
	}
	if err := attachTree(rootFD, s.Anchor); err != nil {
		return err
	}
	if err := syscall.Chdir(s.Anchor); err != nil {
		return err
	}
	if err := syscall.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	return nil
}

// mountAll resolves every target inside the new root: a link in an image leads nowhere else.
func (s *settings) mountAll() error {
	flags := uintptr(syscall.MS_NOSUID | syscall.MS_NOEXEC | syscall.MS_NODEV)
	if err := syscall.Mount("proc", "/proc", "proc", flags, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	trees := make([]int, len(devices))
	for index := range trees {
		trees[index] = firstTree + len(s.Targets) + index
	}
	if err := mountDevices(trees); err != nil {
		return err
	}
	for index := range s.Tmpfs {
		if err := s.Tmpfs[index].mount(); err != nil {
			return err
		}
	}
	for index, target := range s.Targets {
		if err := attachTree(firstTree+index, target); err != nil {
			return err
		}
	}
	return nil
}

func leaveOldRoot() error {
	if err := syscall.Unmount(".", syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the host's root: %w", err)
	}
	return syscall.Chdir("/")
}

func (s *settings) hide() error {
	for _, path := range s.Masked {
		if err := mask(path); err != nil {
			return err
		}
	}
	for _, path := range s.ReadOnly {
		if err := makeReadOnly(path); err != nil {
			return err
		}
	}
	return nil
}

// openLoopback: in a network namespace made ahead it is up already.
func (s *settings) openLoopback() error {
	if !s.LoopbackOnly {
		return nil
	}
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	question := struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP}
	copy(question.name[:], "lo")
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket), syscall.SIOCSIFFLAGS,
		uintptr(unsafe.Pointer(&question)))
	return check("bring up the loopback device", errno)
}

func (s *settings) limit() error {
	files := syscall.Rlimit{Cur: s.OpenFiles, Max: s.OpenFiles}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return fmt.Errorf("limit open files: %w", err)
	}
	return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}

// lastCapability is the highest that a kernel can have; those it has not are refused, which is as good as dropped.
const lastCapability = 63

// run gives up what is left, in the order in which each step is still allowed, and becomes the command.
func (s *settings) run() error {
	for capability := uintptr(0); capability <= lastCapability; capability++ {
		if err := prctl(prCapBoundingDrop, capability); err != nil {
			break
		}
	}
	if err := becomeUser(uintptr(s.User), uintptr(s.Group)); err != nil {
		return err
	}
	if err := dropCapabilities(); err != nil {
		return err
	}
	// Changing the user cleared it.
	if err := prctl(prSetParentDeathSignal, uintptr(syscall.SIGKILL)); err != nil {
		return err
	}
	if err := syscall.Chdir(s.Folder); err != nil {
		return fmt.Errorf("change into %s: %w", s.Folder, err)
	}
	syscall.Umask(0o022)
	if err := leaveDescriptors(); err != nil {
		return err
	}
	program, err := syscall.BytePtrFromString(s.Command[0])
	if err != nil {
		return err
	}
	arguments, err := syscall.SlicePtrFromStrings(s.Command)
	if err != nil {
		return err
	}
	environment, err := syscall.SlicePtrFromStrings(s.Env)
	if err != nil {
		return err
	}
	if err := prctl(prSetNoNewPrivs, 1); err != nil {
		return err
	}
	if err := filterSystemCalls(s.Filter); err != nil {
		return err
	}
	// Not syscall.Exec: that would set the limit of open files back to what this program began with.
	_, _, errno := syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(program)),
		uintptr(unsafe.Pointer(&arguments[0])), uintptr(unsafe.Pointer(&environment[0])))
	return check("run "+s.Command[0], errno)
}

// becomeUser changes this thread only: it is the one that becomes the command.
func becomeUser(user, group uintptr) error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
		return check("setgroups", errno)
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESGID, group, group, group); errno != 0 {
		return check("setresgid", errno)
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, user, user, user)
	return check("setresuid", errno)
}

// leaveDescriptors: the command begins with 0 to 2, and a 3 that leads nowhere, where a pid 1 may report.
func leaveDescriptors() error {
	if err := syscall.Dup3(0, settingsFD, 0); err != nil {
		return fmt.Errorf("descriptors: %w", err)
	}
	_, _, errno := syscall.RawSyscall(sysCloseRange, errorFD, ^uintptr(0)>>32, closeRangeCloexec)
	return check("descriptors", errno)
}
