package witness_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"trien/deploy/standalone/standalonetest"
	"trien/ledger"
	"trien/ledger/witness"
)

// post asks a witness to co-sign; the proof is the history's own.
func post(t testing.TB, handler http.Handler, old uint64, h *history, size uint64) *httptest.ResponseRecorder {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "old %d\n", old)
	if old > 0 && old < size {
		for _, hash := range must[[]ledger.Hash](t)(h.proof(old, size)) {
			fmt.Fprintln(&b, base64.StdEncoding.EncodeToString(hash[:]))
		}
	}
	fmt.Fprintf(&b, "\n%s", h.checkpoint(t, size))
	return send(handler, b.String())
}

func send(handler http.Handler, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(body)))
	return w
}

func TestServerForm(t *testing.T) {
	h := grow(t, 20, 20, "a", "")
	s := newServer(t, "w", t.TempDir())
	good := string(h.checkpoint(t, 5))
	text, block, _ := strings.Cut(good, "\n\n")
	sign := func(text string) string {
		return string(must[[]byte](t)(note.Sign(&note.Note{Text: text}, h.key.Signer())))
	}
	root := base64.StdEncoding.EncodeToString(h.roots[5][:])
	for name, test := range map[string]struct {
		body string
		want int
	}{
		"empty":                   {"", 400},
		"no note":                 {"old 0\n\n", 400},
		"leading zero":            {"old 00\n\n" + good, 400},
		"plus":                    {"old +0\n\n" + good, 400},
		"negative":                {"old -1\n\n" + good, 400},
		"beyond":                  {"old 9223372036854775808\n\n" + good, 400},
		"two spaces":              {"old  0\n\n" + good, 400},
		"carriage return":         {"old 0\r\n\n" + good, 400},
		"proof with stray bits":   {"old 3\n" + strings.Repeat("A", 42) + "B=\n\n" + good, 400},
		"proof too short":         {"old 3\nAAAA\n\n" + good, 400},
		"too long":                {"old 0\n\n" + good + strings.Repeat("x", 64<<10), 400},
		"no last newline":         {"old 0\n\n" + strings.TrimSuffix(good, "\n"), 400},
		"no signature":            {"old 0\n\n" + text + "\n", 400},
		"not a checkpoint":        {"old 0\n\n" + sign(origin+"\nhello\n"), 400},
		"size with a zero":        {"old 0\n\n" + sign(origin+"\n05\n"+root+"\n"), 400},
		"size beyond":             {"old 0\n\n" + sign(origin+"\n9223372036854775808\n"+root+"\n"), 400},
		"root too short":          {"old 0\n\n" + sign(origin+"\n5\nAAAA\n"), 400},
		"empty tree, other root":  {"old 0\n\n" + sign(origin+"\n0\n"+root+"\n"), 422},
		"old larger":              {"old 6\n\n" + good, 400},
		"changed text":            {"old 0\n\n" + strings.Replace(good, "\n5\n", "\n6\n", 1), 403},
		"unknown log":             {"old 0\n\n" + strings.Replace(good, origin, "vault.example/other", 1), 404},
		"time line alone":         {"old 0\n\n" + text + "\n\n" + strings.SplitAfter(block, "\n")[1], 403},
		"proof from zero":         {"old 0\n" + strings.Repeat("A", 43) + "=\n\n" + good, 422},
		"proof from another size": {"old 3\n\n" + good, 409},
	} {
		if w := send(s, test.body); w.Code != test.want {
			t.Errorf("%s: %d %q, want %d", name, w.Code, w.Body, test.want)
		}
	}
	// Nothing of that was remembered. Unknown signatures and extension lines are passed over, as the specification demands.
	strange := string(must[[]byte](t)(note.Sign(&note.Note{Text: origin + "\n5\n" + root + "\nextension\n"}, signingKey(t, "strange.example", "s").Signer(), h.key.Signer())))
	w := send(s, "old 0\n\n"+strange)
	if w.Code != 200 {
		t.Fatalf("%d %q", w.Code, w.Body)
	}
	own := ledger.Witness{Name: "w", VerifierKey: s.VerifierKey()}
	if at, err := own.OpenCosignature(origin+"\n5\n"+root+"\nextension\n", w.Body.String()); err != nil || time.Since(at) > time.Minute {
		t.Errorf("co-signature of %s: %v", at, err)
	}
	for method, want := range map[string]int{http.MethodGet: 405, http.MethodPut: 405} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, "/add-checkpoint", nil))
		if w.Code != want {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
}

func TestServerShowsAndKeepsForks(t *testing.T) {
	one, two := grow(t, 20, 20, "a", ""), grow(t, 20, 8, "a", "b")
	dir := t.TempDir()
	s := newServer(t, "w", dir)
	shown := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		hash := ledger.SumHash([]byte(origin)).String()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+hash+"/checkpoint", nil))
		return w
	}
	if w := shown(); w.Code != 404 {
		t.Errorf("nothing seen yet: %d", w.Code)
	}
	if w := post(t, s, 0, one, 12); w.Code != 200 {
		t.Fatal(w.Code)
	}
	w := shown()
	p := policyOf(t, 1, place{"w", s.VerifierKey(), "http://127.0.0.1:1"})
	if c := must[ledger.Checkpoint](t)(p.OpenCheckpoint(w.Body.Bytes())); c.Size != 12 || len(c.Witnessed) != 1 {
		t.Errorf("shown %+v", c)
	}
	first := w.Body.String()
	if w := post(t, s, 12, two, 12); w.Code != 409 || w.Header().Get("Content-Type") == "text/x.tlog.size" {
		t.Errorf("another root: %d %v %q", w.Code, w.Header(), w.Body)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "*.fork"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("evidence %q, %v", kept, err)
	}
	evidence := string(must[[]byte](t)(os.ReadFile(kept[0])))
	if refused, is := strings.CutPrefix(evidence, first+"\n"); !is {
		t.Errorf("evidence\n%s", evidence)
	} else if c := must[ledger.Checkpoint](t)(p.OpenUnwitnessed([]byte(refused))); c.Root != two.roots[12] {
		t.Errorf("evidence %+v", c)
	}
	if shown().Body.String() != first {
		t.Error("a refused checkpoint changed the state")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestServerComesBack(t *testing.T) {
	h := grow(t, 20, 20, "a", "")
	dir := t.TempDir()
	s := newServer(t, "w", dir)
	if w := post(t, s, 0, h, 12); w.Code != 200 {
		t.Fatal(w.Code)
	}
	cfg := witness.ServerConfig{Key: signingKey(t, "witness.example/w", "w").Signer(), Dir: dir,
		Logs: []*ledger.Policy{must[*ledger.Policy](t)(ledger.NewPolicy(h.key.VerifierKey()))}}
	if _, err := witness.NewServer(cfg); !errors.Is(err, witness.ErrInUse) {
		t.Errorf("two servers over one folder: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = must[*witness.Server](t)(witness.NewServer(cfg))
	if w := post(t, s, 0, h, 20); w.Code != 409 || w.Body.String() != "12\n" || w.Header().Get("Content-Type") != "text/x.tlog.size" {
		t.Errorf("after a restart: %d %q", w.Code, w.Body)
	}
	if w := post(t, s, 12, h, 20); w.Code != 200 {
		t.Errorf("after a restart: %d %q", w.Code, w.Body)
	}
	_ = s.Close()

	// A state that is damaged or not the log's is not forgotten but refused.
	files, _ := filepath.Glob(filepath.Join(dir, "*.checkpoint"))
	whole := must[[]byte](t)(os.ReadFile(files[0]))
	for name, damaged := range map[string][]byte{"empty": nil, "half": whole[:len(whole)/2], "smaller": bytes.Replace(whole, []byte("\n20\n"), []byte("\n19\n"), 1)} {
		if err := os.WriteFile(files[0], damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := witness.NewServer(cfg); !errors.Is(err, ledger.ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(files[0], whole, 0o600); err != nil {
		t.Fatal(err)
	}
	s = must[*witness.Server](t)(witness.NewServer(cfg))
	defer func() { _ = s.Close() }()
	// A folder that cannot be written: no co-signature leaves.
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	if w := post(t, s, 20, h, 20); w.Code != 500 || strings.Contains(w.Body.String(), "—") {
		t.Errorf("without a folder: %d %q", w.Code, w.Body)
	}
	if err := os.Rename(dir+"-away", dir); err != nil {
		t.Fatal(err)
	}
	if w := post(t, s, 20, h, 20); w.Code != 200 {
		t.Errorf("with the folder back: %d %q", w.Code, w.Body)
	}
}

func TestServerRefusesConfigs(t *testing.T) {
	key := signingKey(t, "witness.example/w", "w").Signer()
	p := must[*ledger.Policy](t)(ledger.NewPolicy(signingKey(t, origin, "log").VerifierKey()))
	for name, cfg := range map[string]witness.ServerConfig{
		"no such folder": {Key: key, Logs: []*ledger.Policy{p}, Dir: filepath.Join(t.TempDir(), "none")},
		"one log twice":  {Key: key, Logs: []*ledger.Policy{p, p}, Dir: t.TempDir()},
		"empty policy":   {Key: key, Logs: []*ledger.Policy{{}}, Dir: t.TempDir()},
	} {
		if _, err := witness.NewServer(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Many ask at once with different sizes: the co-signed sizes only grow, and each old size is taken once.
func TestServerConcurrent(t *testing.T) {
	const leaves = 64
	h := grow(t, leaves, leaves, "a", "")
	s := newServer(t, "w", t.TempDir())
	var mu sync.Mutex
	taken := map[uint64]uint64{} // old size → size
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			old := uint64(0)
			for size := uint64(1 + worker%3); size <= leaves; {
				w := post(t, s, old, h, size)
				switch {
				case w.Code == 200:
					mu.Lock()
					if before, is := taken[old]; is && old != size {
						t.Errorf("from size %d both to %d and to %d", old, before, size)
					}
					if old != size {
						taken[old] = size
					}
					mu.Unlock()
					old, size = size, size+1
				case w.Code == 409:
					if _, err := fmt.Sscan(w.Body.String(), &old); err != nil {
						t.Error(err)
						return
					}
					size = max(size, old)
				default:
					t.Errorf("%d %q", w.Code, w.Body)
					return
				}
			}
		})
	}
	wg.Wait()
	for at := uint64(0); at < leaves; {
		next, is := taken[at]
		if !is || next <= at {
			t.Fatalf("the chain of co-signed sizes breaks at %d: %v", at, taken)
		}
		at = next
	}
}

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	standalonetest.Main(m)
}

const childVariable = "TRIEN_WITNESS_CHILD"

// child is the witness as a process that can be killed: it says where it listens.
func child() int {
	t := &testing.T{}
	logs := []*ledger.Policy{must[*ledger.Policy](t)(ledger.NewPolicy(signingKey(t, origin, "log").VerifierKey()))}
	s, err := witness.NewServer(witness.ServerConfig{Key: signingKey(t, "witness.example/w", "w").Signer(), Logs: logs, Dir: os.Getenv(childVariable)})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(l.Addr())
	fmt.Println(http.Serve(l, s))
	return 1
}

// Killed at any moment, the witness comes back with all that it answered: no size that it co-signed is taken back.
func TestServerKilled(t *testing.T) {
	const leaves = 4000
	h := grow(t, leaves, leaves, "a", "")
	dir := t.TempDir()
	old, answered := uint64(0), uint64(0)
	for round := range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"="+dir)
		out := must[io.ReadCloser](t)(cmd.StdoutPipe())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
		addr := strings.TrimSpace(must[string](t)(bufio.NewReader(out).ReadString('\n')))
		killer := time.AfterFunc(time.Duration(5+13*round)*time.Millisecond, func() { _ = cmd.Process.Kill() })
		c := &http.Client{}
		for size := old + 1; size <= leaves; size++ {
			body := fmt.Sprintf("old %d\n", old)
			if old > 0 && old < size {
				for _, hash := range must[[]ledger.Hash](t)(h.proof(old, size)) {
					body += base64.StdEncoding.EncodeToString(hash[:]) + "\n"
				}
			}
			resp, err := c.Post("http://"+addr+"/add-checkpoint", "", strings.NewReader(body+"\n"+string(h.checkpoint(t, size))))
			if err != nil {
				break
			}
			text, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil {
				break
			}
			switch resp.StatusCode {
			case 200:
				old, answered = size, size
			case 409:
				var has uint64
				if _, err := fmt.Sscan(string(text), &has); err != nil || has < answered {
					t.Fatalf("round %d: %d was co-signed, the witness came back with %q (%v)", round, answered, text, err)
				}
				old, size = has, max(size, has)-1
			default:
				t.Fatalf("round %d, from %d to %d: %d %q", round, old, size, resp.StatusCode, text)
			}
		}
		killer.Stop()
		_, _ = cmd.Process.Kill(), cmd.Wait()
	}
	if answered == 0 {
		t.Fatal("nothing was co-signed before any kill")
	}
	t.Logf("%d checkpoints co-signed over 12 kills", answered)
	s := newServer(t, "w", dir)
	if w := post(t, s, answered, h, leaves); w.Code != 200 && w.Code != 409 {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
