package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// sandboxPlan is all that a sandbox is made of. The driver decides; this program only does as it says.
type sandboxPlan struct {
	ID       string      `json:"id"`
	Root     string      `json:"root"`
	Mounts   []mountPlan `json:"mounts"`
	Cgroup   cgroupPlan  `json:"cgroup"`
	FirstID  int         `json:"firstId"`
	IDs      int         `json:"ids"`
	Network  string      `json:"network"`
	Settings settings    `json:"settings"`
}

// settings is what the first process needs to know; it goes to it through a pipe.
type settings struct {
	// Anchor is a folder of the host that the root is mounted on for a moment, in the sandbox's own mount namespace.
	Anchor       string      `json:"anchor"`
	Hostname     string      `json:"hostname"`
	Command      []string    `json:"command"`
	Env          []string    `json:"env"`
	Folder       string      `json:"folder"`
	User         int         `json:"user"`
	Group        int         `json:"group"`
	OpenFiles    uint64      `json:"openFiles"`
	Tmpfs        []tmpfsPlan `json:"tmpfs"`
	Masked       []string    `json:"masked"`
	ReadOnly     []string    `json:"readOnly"`
	Filter       []byte      `json:"filter"`
	LoopbackOnly bool        `json:"loopbackOnly"`
	// Targets of the mounts; the trees are descriptors from firstTree on, those of /dev come last.
	Targets []string `json:"targets"`
}

// Descriptors of the first process: settings come in, an error goes out, then the root, the mounts and the devices.
const (
	settingsFD = 3
	errorFD    = 4
	rootFD     = 5
	firstTree  = 6
)

// goOn follows the settings when the process is in its cgroup.
const goOn = 1

const namespaces = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC |
	syscall.CLONE_NEWUTS

// starter owns the thread that all sandboxes are children of: they die with it.
type starter struct {
	forks chan func()

	mutex   sync.Mutex
	running map[int]string
	ended   func(sandbox string, code *int)
}

func newStarter(ended func(string, *int)) *starter {
	s := &starter{forks: make(chan func()), running: map[int]string{}, ended: ended}
	go func() {
		runtime.LockOSThread()
		for fork := range s.forks {
			fork()
		}
	}()
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	go func() {
		for range children {
			s.reap()
		}
	}()
	return s
}

// reap asks for each sandbox by itself: the programs that `run` started are waited for elsewhere.
func (s *starter) reap() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for pid, sandbox := range s.running {
		var status syscall.WaitStatus
		if found, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil); found != pid || err != nil {
			continue
		}
		delete(s.running, pid)
		var code *int
		if status.Exited() {
			exit := status.ExitStatus()
			code = &exit
		}
		s.ended(sandbox, code)
	}
}

// start returns when the command's first process runs. A start that fails leaves no process.
func (s *starter) start(plan *sandboxPlan) (int, error) {
	go hastenCgroups()
	if err := plan.Cgroup.make(); err != nil {
		return 0, err
	}
	trees, err := plan.cloneTrees()
	defer closeAll(trees)
	if err != nil {
		return 0, err
	}
	settingsRead, settingsWrite, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer settingsWrite.Close()
	errorRead, errorWrite, err := os.Pipe()
	if err != nil {
		settingsRead.Close()
		return 0, err
	}
	defer errorRead.Close()
	pid, err := s.fork(plan, append([]int{int(settingsRead.Fd()), int(errorWrite.Fd())}, trees...))
	settingsRead.Close()
	errorWrite.Close()
	if err != nil {
		return 0, err
	}
	if err := s.letRun(plan, pid, settingsWrite, errorRead); err != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		_, _ = syscall.Wait4(pid, nil, 0, nil)
		return 0, err
	}
	s.mutex.Lock()
	s.running[pid] = plan.ID
	s.mutex.Unlock()
	// It may have ended before it was known.
	s.reap()
	return pid, nil
}

// letRun puts the process into its cgroup while it makes what it will see, and waits until it runs the command: it gives
// up its privileges, and runs what is not ours, only after it was told that it is where it belongs.
func (s *starter) letRun(plan *sandboxPlan, pid int, settingsWrite, errorRead *os.File) error {
	if err := json.NewEncoder(settingsWrite).Encode(plan.Settings); err != nil {
		return err
	}
	if err := plan.Cgroup.enter(pid); err != nil {
		return err
	}
	if _, err := settingsWrite.Write([]byte{goOn}); err != nil {
		return err
	}
	settingsWrite.Close()
	failure, err := io.ReadAll(errorRead)
	if err != nil {
		return err
	}
	if len(failure) > 0 {
		return errors.New(strings.TrimSpace(string(failure)))
	}
	return nil
}

func (plan *sandboxPlan) cloneTrees() ([]int, error) {
	var trees []int
	root, err := cloneTree(plan.Root, mountAttrReadOnly|mountAttrNoSuid|mountAttrNoDev, syscall.MS_PRIVATE, 0)
	if err != nil {
		return trees, err
	}
	trees = append(trees, root)
	for index := range plan.Mounts {
		tree, err := plan.Mounts[index].clone()
		if err != nil {
			return trees, err
		}
		trees = append(trees, tree)
		plan.Settings.Targets = append(plan.Settings.Targets, plan.Mounts[index].Target)
	}
	for _, device := range devices {
		tree, err := cloneTree("/dev/"+device, mountAttrNoSuid, syscall.MS_PRIVATE, 0)
		if err != nil {
			return trees, err
		}
		trees = append(trees, tree)
	}
	return trees, nil
}

func closeAll(descriptors []int) {
	for _, fd := range descriptors {
		_ = syscall.Close(fd)
	}
}

// fork starts this program again as `init`, in new namespaces, joined to the network namespace that was made ahead.
func (s *starter) fork(plan *sandboxPlan, inherited []int) (int, error) {
	null, err := syscall.Open("/dev/null", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer syscall.Close(null)
	files := []uintptr{uintptr(null), uintptr(null), uintptr(null)}
	for _, fd := range inherited {
		files = append(files, uintptr(fd))
	}
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: plan.FirstID, Size: plan.IDs}}
	flags := uintptr(namespaces)
	if plan.Network == "" {
		flags |= syscall.CLONE_NEWNET
		plan.Settings.LoopbackOnly = true
	}
	attributes := &syscall.ProcAttr{
		Env:   []string{"GOGC=off", "GOMAXPROCS=1"},
		Files: files,
		Sys: &syscall.SysProcAttr{
			Cloneflags: flags, UidMappings: ids, GidMappings: ids, GidMappingsEnableSetgroups: true,
			Credential: &syscall.Credential{Uid: 0, Gid: 0}, Setsid: true, Pdeathsig: syscall.SIGKILL,
		},
	}
	type forked struct {
		pid int
		err error
	}
	done := make(chan forked, 1)
	s.forks <- func() {
		pid, err := inNetwork(plan.Network, func() (int, error) {
			return syscall.ForkExec("/proc/self/exe", []string{"launcher", "init"}, attributes)
		})
		done <- forked{pid, err}
	}
	result := <-done
	return result.pid, result.err
}

// inNetwork runs on the thread of forks only, which is the only one that ever changes its network namespace.
func inNetwork(path string, fork func() (int, error)) (int, error) {
	if path == "" {
		return fork()
	}
	target, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer syscall.Close(target)
	own, err := syscall.Open("/proc/self/ns/net", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer syscall.Close(own)
	if err := setNetworkNamespace(target); err != nil {
		return 0, err
	}
	pid, forkError := fork()
	if err := setNetworkNamespace(own); err != nil {
		// Everything that this thread would start now would be in an instance's network.
		panic(err)
	}
	return pid, forkError
}
