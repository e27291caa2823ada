package audit_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/audit"
	"trien/ledger/tiles"
)

// From any size to any other the log is followed, and what was seen is kept.
func TestFollowGrowth(t *testing.T) {
	for _, sizes := range [][]uint64{{0, 1, 2}, {1, 256}, {255, 257}, {256, 256, 512}, {300, 301, 700}, {513, 1100}} {
		r, state := newRig(t, sizes[0]), t.TempDir()
		for i, size := range sizes {
			if i > 0 {
				r.grow(size-r.edge.Size(), start.Add(time.Duration(i)*time.Second))
			}
			report := mustFollow(t, r.config(state))
			if report.Checkpoint.Size != size || report.Checkpoint.Root != r.edge.Root() || !report.Consistent {
				t.Fatalf("%v: %+v", sizes, report)
			}
			before := uint64(0)
			if i > 0 {
				before = sizes[i-1]
				if report.Previous == nil || report.Previous.Size != before {
					t.Fatalf("%v: previous %+v", sizes, report.Previous)
				}
			}
			if report.Read != size-before || report.Counts.Leaves(ledger.VersionLeafFormat) != size || report.Counts.Strange() != 0 {
				t.Fatalf("%v: read %d, counts %+v", sizes, report.Read, report.Counts)
			}
		}
		// A stranger who comes later counts the same.
		if late := mustFollow(t, r.config("")); late.Read != r.edge.Size() || late.Previous != nil {
			t.Errorf("%v: a late visit read %d", sizes, late.Read)
		}
	}
}

// What is new decides what a visit costs.
func TestFollowReadsOnlyWhatIsNew(t *testing.T) {
	const n = 20000
	r, state := newRig(t, n), t.TempDir()
	c := r.config(state)
	log := &counting{Log: c.Log}
	c.Log = log
	mustFollow(t, c)
	if log.tiles < 2*n/tiles.Width {
		t.Errorf("%d tiles read at first", log.tiles)
	}
	log.tiles = 0
	mustFollow(t, c)
	if log.tiles > 4 {
		t.Errorf("%d tiles read where nothing is new", log.tiles)
	}
	r.grow(10, start.Add(time.Second))
	log.tiles = 0
	if report := mustFollow(t, c); report.Read != 10 || log.tiles > 20 {
		t.Errorf("%d leaves read, %d tiles for 10 new leaves", report.Read, log.tiles)
	}
	c.Full, log.tiles = true, 0
	if report := mustFollow(t, c); report.Read != n+10 || log.tiles < 2*n/tiles.Width || report.Counts.Leaves(ledger.VersionLeafFormat) != n+10 {
		t.Errorf("a full visit read %d leaves, %d tiles", report.Read, log.tiles)
	}
}

// Any stored tile or bundle that changed in any way is found: by a first visit, by a full one, and by one that follows the log's growth
// into it.
func TestAnyDamageIsFound(t *testing.T) {
	r, state := newRig(t, 600), t.TempDir()
	kept := mustFollow(t, r.config(state))
	files := r.files()
	if len(files) != 7 {
		t.Fatalf("%d files: %v", len(files), files)
	}
	for _, path := range files {
		good := r.read(path)
		for name, damage := range damages {
			r.write(path, damage([]byte(string(good))))
			first, full := r.config(""), r.config(state)
			full.Full = true
			for _, c := range []audit.Config{first, full} {
				report, err := audit.Follow(t.Context(), c)
				if outcome, code := audit.Judge(err); outcome != audit.Failed || code != "tampered" {
					t.Errorf("%s, %s (full %t): %s %s %v", path, name, c.Full, outcome, code, err)
				}
				if report.Checkpoint == nil || report.Checkpoint.Root != kept.Checkpoint.Root {
					t.Errorf("%s, %s: %+v", path, name, report)
				}
			}
		}
		if err := os.Remove(filepath.Join(r.dir, filepath.FromSlash(path))); err != nil {
			t.Fatal(err)
		}
		_, err := audit.Follow(t.Context(), r.config(""))
		if outcome, code := audit.Judge(err); outcome != audit.CannotSay || code != "missing" {
			t.Errorf("%s, gone: %s %s %v", path, outcome, code, err)
		}
		r.write(path, good)
	}
	if report := mustFollow(t, r.config(state)); report.Previous.Size != 600 {
		t.Errorf("after repair: %+v", report)
	}
}

func TestDamageIsFoundWhereTheLogGrew(t *testing.T) {
	small := newRig(t, 300)
	state := t.TempDir()
	mustFollow(t, small.config(state))
	text, err := os.ReadFile(filepath.Join(state, "state"))
	if err != nil {
		t.Fatal(err)
	}
	small.grow(300, start.Add(time.Second))
	for _, path := range []string{"tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/88"} {
		good := small.read(path)
		for name, damage := range damages {
			small.write(path, damage([]byte(string(good))))
			_, err := audit.Follow(t.Context(), small.config(state))
			if outcome, code := audit.Judge(err); outcome != audit.Failed || code != "tampered" {
				t.Errorf("%s, %s: %s %s %v", path, name, outcome, code, err)
			}
			if now, err := os.ReadFile(filepath.Join(state, "state")); err != nil || string(now) != string(text) {
				t.Fatalf("%s, %s: what was kept has changed (%v)", path, name, err)
			}
		}
		small.write(path, good)
	}
	mustFollow(t, small.config(state))
}

func TestCheckpointIsJudged(t *testing.T) {
	r, state := newRig(t, 5), t.TempDir()
	good := r.read("checkpoint")
	stranger := newRig(t, 5)
	for name, test := range map[string]struct {
		checkpoint []byte
		code       string
	}{
		"changed signature": {flipped(good[:len(good)-1]), "tampered"},
		"changed size":      {[]byte(strings.Replace(string(good), "\n5\n", "\n6\n", 1)), "tampered"},
		"another key":       {stranger.read("checkpoint"), "policy"},
		"a page":            {[]byte("<html>sign in</html>\n"), "malformed"},
		"nothing":           {nil, "malformed"},
		"a flood":           {make([]byte, 1<<20), "malformed"},
	} {
		r.write("checkpoint", test.checkpoint)
		_, err := audit.Follow(t.Context(), r.config(state))
		if outcome, code := audit.Judge(err); outcome != audit.Failed || code != test.code && name != "changed signature" {
			t.Errorf("%s: %s %s %v", name, outcome, code, err)
		}
	}
	if _, err := os.Stat(filepath.Join(state, "state")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was kept: %v", err)
	}
}

func TestAge(t *testing.T) {
	r := newRig(t, 5)
	c := r.config(t.TempDir())
	c.MaxAge = time.Minute
	for _, test := range []struct {
		signed, now time.Time
		code        string
	}{
		{start, start.Add(time.Minute), ""},
		{start, start.Add(61 * time.Second), "stale"},
		{start.Add(30 * time.Second), start, ""},     // clocks differ
		{start.Add(2 * time.Minute), start, "stale"}, // but not so much
		{time.Time{}, start, "stale"},
	} {
		r.publish(test.signed)
		c.State, c.Now = t.TempDir(), func() time.Time { return test.now }
		report, err := audit.Follow(t.Context(), c)
		if _, code := audit.Judge(err); code != test.code {
			t.Errorf("signed %v, now %v: %v", test.signed, test.now, err)
		}
		// What was seen was right, only old: it is kept.
		if _, err := os.Stat(filepath.Join(c.State, "state")); err != nil || !report.Consistent {
			t.Errorf("signed %v: %v, %+v", test.signed, err, report)
		}
	}
	c.MaxAge = 0
	mustFollow(t, c)
}

// A cache, or a database restored from a copy, shows less than before: nobody can say which.
func TestOlderTree(t *testing.T) {
	r, state := newRig(t, 300), t.TempDir()
	older := r.read("checkpoint")
	r.grow(300, start.Add(time.Second))
	mustFollow(t, r.config(state))
	r.write("checkpoint", older)
	_, err := audit.Follow(t.Context(), r.config(state))
	if outcome, code := audit.Judge(err); outcome != audit.CannotSay || code != "older" {
		t.Errorf("%s %s %v", outcome, code, err)
	}
	// Even where the tiles have gone with the larger tree.
	if err := os.RemoveAll(filepath.Join(r.dir, "tile")); err != nil {
		t.Fatal(err)
	}
	_, err = audit.Follow(t.Context(), r.config(state))
	if outcome, code := audit.Judge(err); outcome != audit.CannotSay || code != "older" {
		t.Errorf("without tiles: %s %s %v", outcome, code, err)
	}
}

func TestStateIsRefused(t *testing.T) {
	r, dir := newRig(t, 300), t.TempDir()
	mustFollow(t, r.config(dir))
	path := filepath.Join(dir, "state")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := strings.Index(string(good), "peak"); i < len(good); i++ { // the counts before it are our own notes
		bad := []byte(string(good))
		bad[i] ^= 1
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := audit.Follow(t.Context(), r.config(dir))
		if _, code := audit.Judge(err); code != "state" {
			t.Errorf("byte %d (%q): %v", i, good[max(0, i-10):i+1], err)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Kept under another policy.
	stranger := newRig(t, 1)
	c := stranger.config(dir)
	if _, err := audit.Follow(t.Context(), c); !errors.Is(err, audit.ErrState) {
		t.Errorf("another log: %v", err)
	}
}

func TestCounts(t *testing.T) {
	r := newRig(t, 4)
	for _, leaf := range []string{
		"trien/access/v1\n4096\nmHQKTPLVPmRC8TDQCRQqAa+9mYMzA2GOwmeqm5zv9/M=\n",
		"trien/access/v1\n1\nmHQKTPLVPmRC8TDQCRQqAa+9mYMzA2GOwmeqm5zv9/M=\n",
		"trien/access/v1\nmany\nmHQKTPLVPmRC8TDQCRQqAa+9mYMzA2GOwmeqm5zv9/M=\n",
		"trien/destruction/v1\nparty\nmHQKTPLVPmRC8TDQCRQqAa+9mYMzA2GOwmeqm5zv9/M=\n",
		string(keyLeaf(t)),
		"trien/key/v1\nold\nnew\ntime\n",
		"trien/version/v1\nPARTY\nmHQKTPLVPmRC8TDQCRQqAa+9mYMzA2GOwmeqm5zv9/M=\n",
		"something else",
		"\x00",
	} {
		r.append(ledger.Leaf(leaf))
	}
	r.publish(start)
	state := t.TempDir()
	got := mustFollow(t, r.config(state)).Counts
	want := audit.Counts{
		{"malformed", "-", 3, 0}, {"other", "-", 2, 0}, {"trien/access/v1", "-", 2, 4097}, {"trien/destruction/v1", "party", 1, 0},
		{"trien/key/v1", "-", 1, 0}, {"trien/version/v1", "cadre", 2, 0}, {"trien/version/v1", "party", 2, 0},
	}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("counts %+v", got)
		}
	}
	if again := mustFollow(t, r.config(state)).Counts; len(again) != len(got) || again[2] != got[2] {
		t.Errorf("kept counts %+v", again)
	}
}
