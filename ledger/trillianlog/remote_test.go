package trillianlog

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"trien/ledger"
)

// trillianTool builds one of the module's tools (named in go.mod) and returns its path; the go command keeps it in its
// cache, so that only the first run on a machine links it.
func trillianTool(name string) (string, error) {
	find := exec.Command("go", "tool", "-n", name)
	find.Env = append(os.Environ(), "GOFLAGS=-tags=postgresql")
	var errOut bytes.Buffer
	find.Stderr = &errOut
	out, err := find.Output()
	if err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, &errOut)
	}
	return strings.TrimSpace(string(out)), nil
}

type binaries struct{ server, signer string }

var trillianBinaries = sync.OnceValues(func() (binaries, error) {
	server, err1 := trillianTool("trillian_log_server")
	signer, err2 := trillianTool("trillian_log_signer")
	return binaries{server, signer}, errors.Join(err1, err2)
})

// outside is a trillian_log_server and a trillian_log_signer on a database of their own.
type outside struct {
	t              *testing.T
	bin            binaries
	database       string
	address        string
	flags          []string
	server, signer *exec.Cmd
	log            bytes.Buffer
	logMu          sync.Mutex
}

func newOutside(t *testing.T, serverFlags ...string) *outside {
	t.Helper()
	bin, err := trillianBinaries()
	if err != nil {
		t.Fatal(err)
	}
	o := &outside{t: t, bin: bin, database: emptyDatabase(t), address: freeAddress(t), flags: serverFlags}
	ddl, err := schemaFiles.ReadFile("schema/trillian_0001.sql")
	if err != nil {
		t.Fatal(err)
	}
	execSQL(t, o.database, string(ddl))
	t.Cleanup(func() { o.kill(); o.showLog() })
	o.start()
	return o
}

func (o *outside) config(database string) Config {
	cfg := testConfig(database)
	cfg.Address = o.address
	return cfg
}

// freeAddress: Trillian does not tell which port it was given, so one is taken and let go.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (o *outside) start() {
	o.t.Helper()
	o.server = o.spawn(o.bin.server, append(o.common(), append(o.flags, "--rpc_endpoint="+o.address)...)...)
	o.startSigner()
	deadline := time.Now().Add(15 * time.Second)
	for {
		conn, err := net.DialTimeout("tcp", o.address, time.Second)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("trillian_log_server does not start: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (o *outside) startSigner() {
	o.t.Helper()
	o.signer = o.spawn(o.bin.signer, append(o.common(), "--rpc_endpoint="+freeAddress(o.t), "--force_master", "--sequencer_interval=20ms")...)
}

// common are the flags of both.
func (o *outside) common() []string {
	return []string{"--storage_system=postgresql", "--postgresql_uri=" + o.database, "--quota_system=noop", "--http_endpoint=", "--logtostderr"}
}

func (o *outside) spawn(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Stderr = o
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	postgres.spawns <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		o.t.Fatal(err)
	}
	return cmd
}

func (o *outside) Write(b []byte) (int, error) {
	o.logMu.Lock()
	defer o.logMu.Unlock()
	return o.log.Write(b)
}

func (o *outside) showLog() {
	o.logMu.Lock()
	defer o.logMu.Unlock()
	if o.t.Failed() {
		o.t.Logf("trillian wrote:\n%s", o.log.String()[max(0, o.log.Len()-4000):])
	}
}

// kill ends both processes as a power cut would.
func (o *outside) kill() { o.killOnly(o.server, o.signer) }

func (o *outside) killOnly(commands ...*exec.Cmd) {
	for _, cmd := range commands {
		if cmd != nil && cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
}

func TestOutsideTrillian(t *testing.T) {
	o := newOutside(t)
	database := emptyDatabase(t)
	l := startLog(t, o.config(database))
	appendAll(t, l.Log, entries(0, 300))
	changed := entry(1)
	changed.Leaf = ledger.Leaf("changed")
	if err := l.Append(t.Context(), []ledger.Entry{changed}); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("another leaf: %v", err)
	}
	if n := queryOne[int](t, database, `SELECT count(*) FROM pg_namespace WHERE nspname = 'tlog'`); n != 0 {
		t.Error("tables of Trillian in our database")
	}
	l.stop(t)
	// Behind our back it goes on; a node that starts proves that its longer tree begins with ours, and signs in steps.
	if err := l.Append(t.Context(), entries(300, 900)); err != nil {
		t.Fatal(err)
	}
	again := startLog(t, o.config(database))
	exactlyOnce(t, again.Log, database, entries(0, 900), 0)
}

func TestOutsideTrillianKilled(t *testing.T) {
	o := newOutside(t)
	database := newDatabase(t)
	l := startLog(t, o.config(database))
	appendAll(t, l.Log, entries(0, 10))
	var acknowledged []ledger.Entry
	var unsure int
	for round := range 4 {
		var mu sync.Mutex
		var work sync.WaitGroup
		for c := range 8 {
			work.Go(func() {
				for i := range 50 {
					list := entries(1000*(round+1)+100*c+2*i, 1000*(round+1)+100*c+2*i+2)
					ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
					err := l.Append(ctx, list)
					cancel()
					mu.Lock()
					if err == nil {
						acknowledged = append(acknowledged, list...)
					} else {
						unsure += len(list)
					}
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
		}
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			n := len(acknowledged)
			mu.Unlock()
			if n >= 40*(round+1) { // well before the 800 of a round
				break
			}
		}
		o.kill()
		work.Wait()
		if err := l.Ready(t.Context()); err == nil {
			t.Error("ready without Trillian")
		}
		o.start()
	}
	t.Logf("%d acknowledged, %d not", len(acknowledged), unsure)
	if len(acknowledged) == 0 || unsure == 0 {
		t.Error("nothing was killed in the middle")
	}
	exactlyOnce(t, l.Log, database, append(acknowledged, entries(0, 10)...), unsure)
}

func TestOutsideTrillianAndKilledProcess(t *testing.T) {
	o := newOutside(t)
	database := newDatabase(t)
	openLog(t, o.config(database))
	killChildren(t, database, o.address, 3)
}

func TestOutsideTrillianRolledBack(t *testing.T) {
	o := newOutside(t)
	database := newDatabase(t)
	l := startLog(t, o.config(database))
	appendAll(t, l.Log, entries(0, 5))
	signed := headOf(t, l.Log)
	o.kill()
	// Restored from a backup of when it was empty.
	execSQL(t, o.database,
		`DELETE FROM treehead WHERE treesize > 0; DELETE FROM sequencedleafdata; DELETE FROM leafdata; DELETE FROM subtree`)
	o.start()
	stopped(t, l, signed, ledger.ErrForked)
	if _, err := Open(t.Context(), o.config(database)); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("Open: %v", err)
	}
}

func TestOutsideTrillianNotThere(t *testing.T) {
	cfg := testConfig(newDatabase(t))
	cfg.Address = freeAddress(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := Open(ctx, cfg); err == nil || fatal(err) {
		t.Errorf("Open: %v", err)
	}
	o := newOutside(t)
	unknown := o.config(newDatabase(t))
	unknown.TreeID = 4242
	if _, err := Open(t.Context(), unknown); err == nil {
		t.Error("opened a tree that is not there")
	}
}

func TestOutsideTrillianOverTLS(t *testing.T) {
	server := newCertificate(t, nil)
	cert, key := server.files(t)
	o := newOutside(t, "--tls_cert_file="+cert, "--tls_key_file="+key)
	cfg := o.config(newDatabase(t))
	cfg.TLS = &tls.Config{RootCAs: server.pool(), MinVersion: tls.VersionTLS13}
	appendAll(t, startLog(t, cfg).Log, entries(0, 3))
	for name, bad := range map[string]*tls.Config{"plain": nil, "unknown root": {RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS13}} {
		cfg := o.config(newDatabase(t))
		cfg.TLS = bad
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		if l, err := Open(ctx, cfg); err == nil {
			t.Errorf("%s: opened", name)
			_ = l.Close()
		}
		cancel()
	}
}
