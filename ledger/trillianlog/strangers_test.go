package trillianlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"trien/ledger"
	"trien/ledger/tiles"
)

// programs are what strangers judge a published log with, each run as a process: fsck of another project, and ours.
type programs struct{ fsck, verify string }

var buildPrograms = sync.OnceValues(func() (programs, error) {
	dir := filepath.Join(postgres.dir, "programs")
	p := programs{filepath.Join(dir, "fsck"), filepath.Join(dir, "trien-verify")}
	for _, args := range [][]string{
		{"build", "-C", "testdata/fsck", "-o", p.fsck, "github.com/transparency-dev/tessera/cmd/fsck"},
		{"build", "-C", "../..", "-o", p.verify, "./cmd/trien-verify"},
	} {
		build := exec.Command("go", args...)
		build.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return p, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return p, nil
})

// judges run the programs on copies of one log.
type judges struct {
	programs
	key, policy string // files
}

func newJudges(t *testing.T, p *ledger.Policy) judges {
	t.Helper()
	built, err := buildPrograms()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	j := judges{built, filepath.Join(dir, "key"), filepath.Join(dir, "policy.txt")}
	if err := errors.Join(os.WriteFile(j.key, []byte(p.LogKeys()[0]), 0o600), os.WriteFile(j.policy, p.Text(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return j
}

// judged is what a program said.
type judged struct {
	passed bool
	output string
}

// askFsck goes by what fsck says: its exit code is 0 in any case. Each resource that is not right ends one of its workers, and with the
// last of them it would wait for ever.
func (j judges) askFsck(t *testing.T, location string) judged {
	t.Helper()
	if strings.HasPrefix(location, "/") {
		location = "file://" + location
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, j.fsck, "--ui=false", "--N=16", "--storage_url="+location+"/", "--public_key="+j.key).CombinedOutput()
	passed, failed := bytes.Contains(out, []byte("Successfully fsck'd log with size")), bytes.Contains(out, []byte("fsck failed"))
	if err != nil || passed == failed {
		t.Fatalf("fsck has no verdict: %v\n%s", err, out)
	}
	return judged{passed, string(out)}
}

func (j judges) askVerify(t *testing.T, location string, args ...string) judged {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, j.verify, append([]string{"log", location, "--policy", j.policy, "--lang", "en"}, args...)...)
	out, err := cmd.CombinedOutput()
	code := cmd.ProcessState.ExitCode()
	if code != 0 && code != 1 {
		t.Fatalf("trien-verify log %s: %v\n%s", location, err, out)
	}
	return judged{code == 0, string(out)}
}

// publishedFolder is a log whose public copy is a folder, which a server shows.
type publishedFolder struct {
	judges
	log    *Log
	dir    string
	server *httptest.Server
	asked  sync.Map // paths
	size   uint64
	edge   *tiles.Edge
}

// publishFolder publishes a log of so many leaves, in several steps.
func publishFolder(t *testing.T, sizes ...int) *publishedFolder {
	t.Helper()
	f := &publishedFolder{dir: t.TempDir()}
	folder, err := tiles.OpenFolder(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	l := startLog(t, publicConfig(newDatabase(t), folder))
	from := 0
	for _, size := range sizes {
		for some := range slices.Chunk(entries(from, size), 5000) {
			if err := l.Append(t.Context(), some); err != nil {
				t.Fatal(err)
			}
		}
		from = size
		shownSize(t, l.Log, folder, uint64(size))
	}
	l.stop(t)
	f.log, f.size = l.Log, uint64(from)
	head := headOf(t, l.Log)
	if f.edge, err = tiles.LoadEdge(t.Context(), tiles.NewClient(folder), head.Size, head.Root); err != nil {
		t.Fatal(err)
	}
	static := http.FileServer(http.Dir(f.dir))
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.asked.Store(strings.TrimPrefix(r.URL.Path, "/"), true)
		static.ServeHTTP(w, r)
	}))
	t.Cleanup(f.server.Close)
	f.judges = newJudges(t, l.Policy())
	return f
}

// stored lists what the newest checkpoint names.
func (f *publishedFolder) stored() []tiles.Tile {
	list := slices.Collect(tiles.Full(0, f.size))
	for _, b := range f.edge.Partials() {
		list = append(list, b.Tile)
	}
	return list
}

// sample takes the first, a middle and the last full tile of each level, the bundles among them, and each partial one.
func (f *publishedFolder) sample() []tiles.Tile {
	full := map[int][]tiles.Tile{}
	var list []tiles.Tile
	for _, tile := range f.stored() {
		if tile.Partial() {
			list = append(list, tile)
		} else {
			full[tile.Level] = append(full[tile.Level], tile)
		}
	}
	for _, level := range slices.Sorted(maps.Keys(full)) {
		of := full[level]
		list = append(list, slices.Compact([]tiles.Tile{of[0], of[len(of)/2], of[len(of)-1]})...)
	}
	return list
}

// What a log publishes passes other people's checker and ours; after any byte of it was changed both refuse it.
func TestStrangersJudgeTheCopy(t *testing.T) {
	strangersJudge(t, publishFolder(t, 1, 300, 3000))
}

func strangersJudge(t *testing.T, f *publishedFolder) {
	for _, location := range []string{f.dir, f.server.URL} {
		began := time.Now()
		if j := f.askFsck(t, location); !j.passed {
			t.Fatalf("fsck refuses %s:\n%s", location, j.output)
		} else if location == f.server.URL {
			t.Logf("fsck v1.0.4 on %d leaves over HTTP, %v: passes\n%s", f.size, time.Since(began).Round(time.Millisecond), j.output)
		}
		began = time.Now()
		if j := f.askVerify(t, location); !j.passed {
			t.Fatalf("trien-verify log refuses %s:\n%s", location, j.output)
		} else if location == f.server.URL {
			t.Logf("trien-verify log on the same, %v:\n%s", time.Since(began).Round(time.Millisecond), j.output)
		}
		if location == f.dir {
			continue
		}
		for _, tile := range f.stored() {
			if _, asked := f.asked.Load(tile.Path()); !asked {
				t.Errorf("nobody has read %s", tile.Path())
			}
		}
	}
	f.readByTorchwood(t)
	changes := 0
	for _, tile := range f.sample() {
		path := filepath.Join(f.dir, tile.Path())
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// In a bundle: the first leaf's length, a byte of it, the last leaf's last byte. In a tile: its first and last byte.
		at := []int{0, len(data) - 1}
		if tile.Level == tiles.Entries {
			at = []int{1, 2, len(data) - 1}
		}
		for _, i := range at {
			f.refused(t, tile.Path(), data, i)
			changes++
		}
	}
	signed, err := os.ReadFile(filepath.Join(f.dir, tiles.CheckpointPath))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(signed, []byte("\n"))
	root := len(lines[0]) + len(lines[1])
	signature := bytes.Index(signed, []byte("— ")) + len("— "+f.log.origin+" ") + 40
	for _, i := range []int{0, len(lines[0]), root + 5, signature} {
		f.refused(t, tiles.CheckpointPath, signed, i)
		changes++
	}
	t.Logf("%d changes of a byte were refused by both", changes)
	for _, location := range []string{f.dir, f.server.URL} { // all was put back
		if !f.askFsck(t, location).passed || !f.askVerify(t, location).passed {
			t.Errorf("refused in the end: %s", location)
		}
	}
}

// refused changes a byte of a resource, and puts it back.
func (f *publishedFolder) refused(t *testing.T, path string, data []byte, at int) {
	t.Helper()
	file := filepath.Join(f.dir, path)
	changed := bytes.Clone(data)
	changed[at] ^= 1
	if err := os.WriteFile(file, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	fsck, verify := f.askFsck(t, f.server.URL), f.askVerify(t, f.dir)
	if fsck.passed {
		t.Errorf("fsck passes %s with byte %d changed:\n%s", path, at, fsck.output)
	}
	if verify.passed {
		t.Errorf("trien-verify log passes %s with byte %d changed:\n%s", path, at, verify.output)
	}
	if testing.Verbose() {
		t.Logf("%s, byte %d changed:\n  fsck: %s\n  trien-verify log: %s", path, at, lineWith(fsck.output, "fsck failed"), lineWith(verify.output, "Detail"))
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// lineWith is what follows part in its line, cut where fsck prints whole tiles.
func lineWith(text, part string) string {
	_, found, _ := strings.Cut(text, part)
	found, _, _ = strings.Cut(strings.TrimLeft(found, ": "), "\n")
	return found[:min(len(found), 160)]
}

// readByTorchwood reads everything by another project's client, from the policy to the last leaf.
func (f *publishedFolder) readByTorchwood(t *testing.T) {
	t.Helper()
	fetcher, err := torchwood.NewTileFetcher(f.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := fetcher.ReadEndpoint(t.Context(), tiles.CheckpointPath)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := torchwood.ParsePolicy(f.log.Policy().Text())
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil || uint64(c.N) != f.size {
		t.Fatalf("torchwood: %+v, %v", c, err)
	}
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, leaf := range client.AllEntries(t.Context(), tlog.Tree{N: c.N, Hash: c.Hash}, 0) {
		seen[string(leaf)]++
	}
	if err := client.Err(); err != nil {
		t.Fatal(err)
	}
	for n := range int(f.size) {
		if seen[string(entry(n).Leaf)] != 1 {
			t.Fatalf("torchwood read entry %d %d times", n, seen[string(entry(n).Leaf)])
		}
	}
	t.Logf("torchwood's client read %d leaves, each proven", len(seen))
}

// A byte of the time line: whoever takes it for an unknown signature passes over it, we do not.
func TestStrangersAndTheTimeLine(t *testing.T) {
	f := publishFolder(t, 5)
	path := filepath.Join(f.dir, tiles.CheckpointPath)
	signed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if at := len(signed) - 20; signed[at] == 'A' { // another letter of base64, so that the form is still a note's
		signed[at] = 'B'
	} else {
		signed[at] = 'A'
	}
	if err := os.WriteFile(path, signed, 0o600); err != nil {
		t.Fatal(err)
	}
	if j := f.askFsck(t, f.dir); !j.passed {
		t.Errorf("fsck:\n%s", j.output)
	}
	if j := f.askVerify(t, f.dir); j.passed {
		t.Errorf("trien-verify log:\n%s", j.output)
	}
}
