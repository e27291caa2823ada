// Package witnesstest runs other people's witnesses for tests, as processes of their own.
package witnesstest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/mod/sumdb/note"

	"trien/ledger"
)

// Litewitness is a running litewitness of filippo.io/torchwood, which gets its key from an SSH agent: the test is that agent.
type Litewitness struct {
	VerifierKey string // of type 0x04, for policies
	URL         string // submission prefix
	args        []string
	process     *exec.Cmd
	log         *output
}

// StartLitewitness runs a witness of that name for the logs of these keys, whose names are the origins, until the test ends. It is
// built on the way, from a module of its own in testdata.
func StartLitewitness(t testing.TB, name string, logKeys ...string) *Litewitness {
	t.Helper()
	binary, addlog := tool(t, "litewitness"), tool(t, "litewitness.test/addlog")
	public, private, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	sshKey, err := ssh.NewPublicKey(public)
	check(t, err)
	keyring := agent.NewKeyring()
	check(t, keyring.Add(agent.AddedKey{PrivateKey: private}))
	db, addr := filepath.Join(t.TempDir(), "w.db"), freeAddress(t)
	w := &Litewitness{
		VerifierKey: verifierKey(t, name, public, private), URL: "http://" + addr, log: &output{},
		args: []string{binary, "-name", name, "-db", db, "-ssh-agent", serveAgent(t, keyring), "-listen", addr, "-key", ssh.FingerprintSHA256(sshKey)},
	}
	w.Start(t)
	for _, key := range logKeys {
		origin, _, _ := strings.Cut(key, "+")
		if out, err := exec.CommandContext(t.Context(), addlog, db, origin, key).CombinedOutput(); err != nil {
			t.Fatalf("telling litewitness of the log: %v\n%s", err, out)
		}
	}
	return w
}

// Start runs the witness again after [Litewitness.Kill].
func (w *Litewitness) Start(t testing.TB) {
	t.Helper()
	p := exec.CommandContext(t.Context(), w.args[0], w.args[1:]...)
	p.Stderr = w.log
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	check(t, p.Start())
	w.process = p
	t.Cleanup(func() { _, _ = p.Process.Kill(), p.Wait() })
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+"/", nil)
		check(t, err)
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			_ = resp.Body.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("litewitness does not listen: %v\n%s", err, w.log)
		}
	}
}

// Kill ends the witness as a power cut would. It returns when the process is gone.
func (w *Litewitness) Kill(t testing.TB) {
	t.Helper()
	check(t, w.process.Process.Kill())
	_ = w.process.Wait()
}

// tool is the path of a program of the module in testdata, built.
func tool(t testing.TB, name string) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	cmd := exec.CommandContext(t.Context(), "go", "tool", "-n", name)
	cmd.Dir = filepath.Join(filepath.Dir(here), "testdata", "litewitness")
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("building %s: %v\n%s", name, err, complaints.String())
	}
	return strings.TrimSpace(string(out))
}

func verifierKey(t testing.TB, name string, public ed25519.PublicKey, private ed25519.PrivateKey) string {
	t.Helper()
	vkey, err := note.NewEd25519VerifierKey(name, public)
	check(t, err)
	hash := strings.Split(vkey, "+")[1]
	key, err := ledger.ParseSigningKey(fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", name, hash, base64.StdEncoding.EncodeToString(append([]byte{1}, private.Seed()...))))
	check(t, err)
	c, err := ledger.NewCosigner(key.Signer())
	check(t, err)
	return c.VerifierKey()
}

// freeAddress: litewitness does not say which port it was given, so it is told one that was free a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func serveAgent(t testing.TB, keyring agent.Agent) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent-") // a socket's path is short
	check(t, err)
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	check(t, err)
	t.Cleanup(func() { _, _ = l.Close(), os.RemoveAll(dir) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = agent.ServeAgent(keyring, c), c.Close() }()
		}
	}()
	return l.Addr().String()
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// output is what a process wrote, which may be read while it writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
