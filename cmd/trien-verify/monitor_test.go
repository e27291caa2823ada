package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/audit"
	"trien/vault/bundle"
)

// watched is a log on a loopback server that can be made to fail.
type watched struct {
	*publisher
	*publishedLog
	policy, url, metrics string
	down                 atomic.Bool
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	key, err := ledger.GenerateSigningKey("vault.example/records")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w := &watched{
		publisher: &publisher{key: key}, publishedLog: &publishedLog{dir: t.TempDir()},
		policy: filepath.Join(dir, "policy.txt"), metrics: filepath.Join(dir, "log.prom"),
	}
	if err := os.WriteFile(w.policy, []byte("log "+key.VerifierKey()+"\nquorum none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := http.FileServer(http.Dir(w.dir))
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.down.Load() {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		files.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	w.add(t, 300, 0)
	return w
}

func (w *watched) add(t *testing.T, n int, ago time.Duration) {
	t.Helper()
	for range n {
		if err := w.append(ledger.VersionLeaf("party", ledger.Salt{}, fmt.Append(nil, w.edge.Size()))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.publish(w.publishedLog, ago); err != nil {
		t.Fatal(err)
	}
}

// until waits for the metrics to match.
func (w *watched) until(t *testing.T, patterns ...string) {
	t.Helper()
	var text []byte
	for range 500 {
		text, _ = os.ReadFile(w.metrics)
		all := true
		for _, p := range patterns {
			all = all && regexp.MustCompile("(?m)^"+p+"$").Match(text)
		}
		if all {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the metrics never say %q:\n%s", patterns, text)
}

// A monitor outlives a log that cannot be reached, tells its age, and ends when something is wrong.
func TestMonitor(t *testing.T) {
	w := newWatched(t)
	state := t.TempDir()
	var said bytes.Buffer
	done := make(chan error, 1)
	go func() {
		done <- run(t.Context(), []string{
			"log", w.url, "--policy", w.policy, "--state", state, "--every", "20ms", "--prometheus", w.metrics, "--max-age", "1m", "--lang", "en",
		}, nil, &said, &said)
	}()
	const label = `\{log="vault.example/records"\} `
	w.until(t, "trien_log_ok"+label+"1", "trien_log_size"+label+"300", "trien_log_consistent"+label+"1", "trien_log_witnesses"+label+"0",
		"trien_log_checkpoint_age_seconds"+label+"[0-9]", "trien_log_check_time_seconds"+label+"[0-9]{10}")
	w.down.Store(true)
	w.until(t, "trien_log_ok"+label+"0", "trien_log_size"+label+"300", "trien_log_consistent"+label+"1",
		`trien_log_last_error\{log="vault.example/records",kind="unreachable"\} 1`)
	w.down.Store(false)
	w.add(t, 10, 0)
	w.until(t, "trien_log_ok"+label+"1", "trien_log_size"+label+"310")
	// Rolled back, and signed again.
	short := &publishedLog{dir: w.dir}
	if err := short.append(ledger.Leaf("another history")); err != nil {
		t.Fatal(err)
	}
	if err := w.publish(short, -10*time.Second); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		var verdict outcomeError
		if !errors.As(err, &verdict) || verdict.Outcome != bundle.Failed {
			t.Errorf("the monitor ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the monitor goes on")
	}
	w.until(t, "trien_log_consistent"+label+"0", `trien_log_last_error\{log="vault.example/records",kind="forked"\} 1`)
	found, err := filepath.Glob(filepath.Join(state, "fork-*.txt"))
	if err != nil || len(found) != 1 {
		t.Fatalf("evidence %v, %v", found, err)
	}
	var verdict outcomeError
	if err := run(t.Context(), []string{"fork", found[0], "--policy", w.policy, "--lang", "en"}, nil, &said, &said); !errors.As(err, &verdict) || verdict.Outcome != bundle.Failed {
		t.Errorf("the evidence is judged %v", err)
	}
	for _, want := range []string{"PASSED", "CANNOT SAY", "FAILED", "THE EVIDENCE HOLDS"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("never said %s:\n%s", want, said.String())
		}
	}
}

func TestMonitorEnds(t *testing.T) {
	w := newWatched(t)
	for down, want := range map[bool]string{false: "", true: "cannot_say"} {
		w.down.Store(down)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		var said bytes.Buffer
		err := run(ctx, []string{"log", w.url, "--policy", w.policy, "--every", "10ms"}, nil, &said, &said)
		cancel()
		var verdict outcomeError
		if errors.As(err, &verdict); string(verdict.Outcome) != want {
			t.Errorf("down %t: %v", down, err)
		}
	}
}

// The command says the same of every damaged file as the package does.
func TestLogFindsDamage(t *testing.T) {
	w := newWatched(t)
	n := 0
	err := filepath.WalkDir(filepath.Join(w.dir, "tile"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		good, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, at := range []int{0, len(good) / 2, len(good) - 1} {
			bad := bytes.Clone(good)
			bad[at] ^= 0x80
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				return err
			}
			var said bytes.Buffer
			var verdict outcomeError
			err := run(t.Context(), []string{"log", w.url, "--policy", w.policy}, nil, &said, &said)
			if !errors.As(err, &verdict) || verdict.Outcome != bundle.Outcome(audit.Failed) || !strings.Contains(said.String(), "[tampered]") {
				t.Errorf("%s, byte %d: %v\n%s", path, at, err, said.String())
			}
		}
		return os.WriteFile(path, good, 0o600)
	})
	if err != nil || n != 5 {
		t.Errorf("%d files, %v", n, err)
	}
}

func TestMetricsText(t *testing.T) {
	text := string(metricsText("a\"b\\c", visited{at: time.Unix(100, 0), outcome: audit.CannotSay, code: "unreachable"}, visited{}))
	want := `# HELP trien_log_check_time_seconds When the log was last visited.
# TYPE trien_log_check_time_seconds gauge
trien_log_check_time_seconds{log="a\"b\\c"} 100
`
	if !strings.HasPrefix(text, want) || strings.Contains(text, "trien_log_size") {
		t.Errorf("metrics\n%s", text)
	}
}
