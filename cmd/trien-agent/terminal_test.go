package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair opens a pseudo-terminal: what a person sees and types, and the program's end of it.
func pair(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// untilEcho waits until the terminal echoes, or does not.
func untilEcho(t *testing.T, f *os.File, want bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); echoes(t, f) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("echo is never %v", want)
		}
	}
}

func TestSecretsAreNotEchoed(t *testing.T) {
	person, program := pair(t)
	var asked bytes.Buffer
	tty := newTerminal(program, &asked)
	if !tty.attended {
		t.Fatal("a terminal is not known as one")
	}
	type typed struct {
		secret string
		err    error
	}
	done := make(chan typed, 1)
	go func() {
		secret, err := tty.secret(t.Context(), "PIN: ")
		done <- typed{secret, err}
	}()
	untilEcho(t, program, false)
	if _, err := person.WriteString(pin + "\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got.secret != pin || got.err != nil {
		t.Errorf("%+v", got)
	}
	untilEcho(t, program, true)
	// The marker is echoed; whatever was echoed before it comes first.
	if _, err := person.WriteString("marker\n"); err != nil {
		t.Fatal(err)
	}
	var seen []byte
	for buf := make([]byte, 256); !bytes.Contains(seen, []byte("marker")); {
		n, err := person.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, buf[:n]...)
	}
	if bytes.Contains(seen, []byte(pin)) || bytes.Contains(asked.Bytes(), []byte(pin)) {
		t.Errorf("the PIN was shown: %q %q", seen, asked.String())
	}
}

// Ctrl-C at a secret question leaves a terminal that echoes again.
func TestTerminalIsRestored(t *testing.T) {
	_, program := pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := newTerminal(program, &bytes.Buffer{}).secret(ctx, "PIN: ")
		done <- err
	}()
	untilEcho(t, program, false)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if !echoes(t, program) {
		t.Error("the terminal stays silent")
	}
}
