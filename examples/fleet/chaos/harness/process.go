//go:build linux

package harness

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is a program that comes to harm.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it is gone
	stops int           // how many stops have not ended; guarded by run.mu
}

// newProcess has a program end with the harness, also one that is stopped.
func newProcess(name string, args ...string) process {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return process{cmd: cmd, ended: make(chan struct{})}
}

// wait waits for the end of a process whose output was read.
func (p *process) wait() (wasKilled bool, err error) {
	err = p.cmd.Wait()
	close(p.ended)
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL, err
}

func (p *process) isRunning() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// isStopped reports whether all threads of the process stand. The state comes after
// the name of the program, which is in parentheses.
func (p *process) isStopped() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(rest, "T")
}

// resume continues a process some time after it has stopped.
func (r *run) resume(p *process, pause time.Duration) {
	for !p.isStopped() {
		select {
		case <-p.ended:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	time.Sleep(pause)
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	r.mu.Lock()
	defer r.mu.Unlock()
	p.stops--
}
