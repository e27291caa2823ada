// Package child runs programs that never outlive this one: whatever ends this process, kill -9 included, the kernel signals
// the child.
package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// ErrStuck is a child that did not end, although it was killed.
var ErrStuck = errors.New("child: does not end")

// Process is a running child.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start starts cmd in a process group of its own, so that Ctrl-C in a terminal reaches us and not the child, and has the
// kernel send it death when this process ends.
func Start(cmd *exec.Cmd, death syscall.Signal) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = death
	cmd.SysProcAttr.Setpgid = true
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel signals the child when the thread ends that started it, so this goroutine keeps the thread while
		// the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// PID of the child.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the child ended, once Done is closed: nil if it ended well.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Step asks a child to end, and waits.
type Step struct {
	Signal   os.Signal
	Patience time.Duration
}

// Stop goes from step to step until the child has ended, and kills it at last.
func (p *Process) Stop(steps ...Step) error {
	for _, s := range append(steps, Step{os.Kill, 5 * time.Second}) {
		if err := p.cmd.Process.Signal(s.Signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("signalling process %d: %w", p.PID(), err)
		}
		if p.Wait(s.Patience) {
			return nil
		}
	}
	return fmt.Errorf("%w: process %d", ErrStuck, p.PID())
}

// Wait waits for the end, and says whether it came.
func (p *Process) Wait(patience time.Duration) bool {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-p.done:
		return true
	case <-t.C:
		return false
	}
}
