package child

import (
	"errors"
	"io/fs"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func TestStop(t *testing.T) {
	p, err := Start(exec.Command("/bin/sleep", "60"), syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	if group, err := syscall.Getpgid(p.PID()); err != nil || group != p.PID() {
		t.Error("it shares our process group:", group, err)
	}
	if p.Wait(10*time.Millisecond) || p.Err() != nil {
		t.Fatal("it ended unasked:", p.Err())
	}
	if err := p.Stop(Step{syscall.SIGTERM, 5 * time.Second}); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	var ended *exec.ExitError
	if !errors.As(p.Err(), &ended) {
		t.Fatal(p.Err())
	}
	if err := p.Stop(); err != nil {
		t.Fatal("stopping twice:", err)
	}
}

// TestStubborn is killed at last.
func TestStubborn(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", `trap "" TERM; echo; while :; do sleep 1; done`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // the trap is set
		t.Fatal(err)
	}
	if err := p.Stop(Step{syscall.SIGTERM, 100 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
}

func TestStartFails(t *testing.T) {
	if _, err := Start(exec.Command("/absent"), syscall.SIGKILL); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}
