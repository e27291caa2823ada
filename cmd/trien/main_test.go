package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"trien/api/client"
	"trien/deploy/standalone/standalonetest"
)

var programFolder string

// TestMain keeps the folder of built programs for all tests.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && strings.HasPrefix(os.Args[1], "standalonetest") {
		standalonetest.Main(m) // as the tests' S3 server; it does not return
	}
	dir, err := os.MkdirTemp("", "trien-programs-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programFolder = dir
	code := standalonetest.Run(m)
	os.RemoveAll(dir)
	os.Exit(code)
}

var build = sync.OnceValue(func() error {
	for name, cgo := range map[string]string{"trien": "1", "trien-agent": "1", "trien-verify": "0"} {
		c := exec.Command("go", "build", "-o", filepath.Join(programFolder, name), "../"+name)
		c.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	}
	return nil
})

// program is the path of a built program: the tests run them as people do, as processes of their own.
func program(t *testing.T, name string) string {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(programFolder, name)
}

// vaultFolder is a folder that the user who runs PostgreSQL can reach, which t.TempDir is not.
func vaultFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "trien-e2e-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "vault")
}

// server is a running `trien serve`.
type server struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	admin  string
	ca     string
	stderr *tail
}

// start runs `trien serve` with the arguments and waits until it serves.
func start(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{t: t, cmd: exec.Command(program(t, "trien"), append([]string{"serve"}, args...)...), stderr: &tail{}}
	s.cmd.Stderr = s.stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) >= 4 && f[0] == "ready" {
			s.url, s.admin = f[1], f[3]
			go io.Copy(io.Discard, out) //nolint:errcheck // until it ends
			return s
		}
	}
	_ = s.cmd.Wait()
	t.Fatalf("the server did not start:\n%s", s.stderr)
	return nil
}

func startStandalone(t *testing.T, dir string, more ...string) *server {
	t.Helper()
	s := start(t, append([]string{"--standalone", dir, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}, more...)...)
	s.ca = filepath.Join(dir, "ca.pem")
	return s
}

// kill ends the server as a power cut would.
func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// stop ends the server as an operator would, and wants it to end well.
func (s *server) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			s.t.Errorf("the server ended with %v:\n%s", err, s.stderr)
		}
	case <-time.After(30 * time.Second):
		s.t.Errorf("the server does not stop:\n%s", s.stderr)
		s.kill()
	}
}

// signIn opens a session as an account of a standalone vault.
func (s *server) signIn(login, password string) *client.Client {
	s.t.Helper()
	return s.signInBy(login, password, "")
}

// signInBy is signIn with a code of the second factor.
func (s *server) signInBy(login, password, code string) *client.Client {
	s.t.Helper()
	c, err := client.New(client.Config{Server: s.url, CAFile: s.ca, Language: "en"})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := c.SignInWithCode(s.t.Context(), login, password, code); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	return c
}

// secret reads what a standalone vault or the demo keeps for itself.
func secret(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "secrets", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// tail keeps the last of what a process writes.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = append(w.buf, p...)
	if over := len(w.buf) - 64<<10; over > 0 {
		w.buf = w.buf[over:]
	}
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.buf)
}

// runProgram runs one of the programs to its end.
func runProgram(t *testing.T, name string, args ...string) (out string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	b, err := exec.CommandContext(ctx, program(t, name), args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return string(b), code
}

func readServed(t *testing.T, dir string) served {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, servedFile))
	if err != nil {
		t.Fatal(err)
	}
	var s served
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}
