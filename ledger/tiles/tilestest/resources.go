// Package tilestest holds the suite that every tiles.Resources must pass.
package tilestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"trien/ledger"
	"trien/ledger/tiles"
)

// Resources is the suite. open returns an empty one each time.
func Resources(t *testing.T, open func(t *testing.T) tiles.Resources) {
	for name, test := range map[string]func(*testing.T, tiles.Resources){
		"create and read":   createAndRead,
		"never changed":     neverChanged,
		"replace":           replace,
		"paths":             paths,
		"an ended context":  ended,
		"many at once":      race,
		"replacers at once": replacers,
		"readers at a swap": swap,
		"pruning":           prune,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

var somePaths = []string{"tile/0/000", "tile/0/x001/234", "tile/entries/000", "tile/entries/000.p/5", "tile/2/x123/x456/789.p/255"}

func createAndRead(t *testing.T, r tiles.Resources) {
	for _, p := range somePaths {
		if _, err := r.Read(t.Context(), p); !errors.Is(err, tiles.ErrMissing) {
			t.Errorf("Read of %s before: %v", p, err)
		}
		if err := r.Create(t.Context(), p, []byte("bytes of "+p)); err != nil {
			t.Fatalf("Create of %s: %v", p, err)
		}
	}
	large := bytes.Repeat([]byte{7}, tiles.MaxResource)
	if err := r.Create(t.Context(), "tile/entries/001", large); err != nil {
		t.Fatalf("Create of the largest: %v", err)
	}
	for _, p := range somePaths {
		wantBytes(t, r, p, []byte("bytes of "+p))
	}
	wantBytes(t, r, "tile/entries/001", large)
}

func neverChanged(t *testing.T, r tiles.Resources) {
	for _, p := range somePaths {
		for range 2 {
			if err := r.Create(t.Context(), p, []byte("the same")); err != nil {
				t.Fatalf("Create of %s: %v", p, err)
			}
		}
		for _, other := range []string{"the samE", "the same ", "the sam"} {
			if err := r.Create(t.Context(), p, []byte(other)); !errors.Is(err, ledger.ErrTampered) {
				t.Errorf("Create of other bytes at %s: %v", p, err)
			}
		}
		wantBytes(t, r, p, []byte("the same"))
	}
}

func replace(t *testing.T, r tiles.Resources) {
	if _, err := r.Read(t.Context(), tiles.CheckpointPath); !errors.Is(err, tiles.ErrMissing) {
		t.Errorf("Read before: %v", err)
	}
	var older []byte
	for _, text := range []string{"first\n", "second, longer\n", "3\n"} {
		for range 2 { // again is no error
			if err := r.Replace(t.Context(), tiles.CheckpointPath, older, []byte(text)); err != nil {
				t.Fatalf("Replace: %v", err)
			}
		}
		wantBytes(t, r, tiles.CheckpointPath, []byte(text))
		for _, wrong := range [][]byte{nil, []byte("another\n"), older} {
			if err := r.Replace(t.Context(), tiles.CheckpointPath, wrong, []byte("too late\n")); !errors.Is(err, tiles.ErrReplaced) {
				t.Errorf("Replace of %q: %v", wrong, err)
			}
		}
		wantBytes(t, r, tiles.CheckpointPath, []byte(text))
		older = []byte(text)
	}
}

func paths(t *testing.T, r tiles.Resources) {
	for _, p := range []string{
		"", "tile", "tile/0", "tile/0/1", "tile/0/0001", "tile/8/000", "/tile/0/000", "tile/0/000/", "tile/../checkpoint", "../checkpoint",
		"tile/0/000.p/0", "tile/0/000.p/256", "checkpoint/", "policy", "tile/0/x000/000", "tile/0/000.p/05",
	} {
		if err := r.Create(t.Context(), p, []byte("x")); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("Create of %q: %v", p, err)
		}
		if err := r.Replace(t.Context(), p, nil, []byte("x")); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("Replace of %q: %v", p, err)
		}
		if _, err := r.Read(t.Context(), p); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("Read of %q: %v", p, err)
		}
	}
	if err := r.Create(t.Context(), tiles.CheckpointPath, []byte("x")); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("Create of the checkpoint: %v", err)
	}
	if err := r.Replace(t.Context(), "tile/0/000", nil, []byte("x")); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("Replace of a tile: %v", err)
	}
	for _, size := range []int{0, tiles.MaxResource + 1} {
		if err := r.Create(t.Context(), "tile/entries/000", make([]byte, size)); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("Create of %d bytes: %v", size, err)
		}
	}
}

func ended(t *testing.T, r tiles.Resources) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Create(ctx, "tile/0/000", []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Create: %v", err)
	}
	if err := r.Replace(ctx, tiles.CheckpointPath, nil, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Replace: %v", err)
	}
	if _, err := r.Read(ctx, tiles.CheckpointPath); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
}

// race: of many that create different bytes at one path, one wins and all others hear of it.
func race(t *testing.T, r tiles.Resources) {
	const racers = 8
	var work sync.WaitGroup
	var won atomic.Int32
	for i := range racers {
		work.Go(func() {
			switch err := r.Create(t.Context(), "tile/1/000", fmt.Appendf(nil, "racer %d", i)); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, ledger.ErrTampered):
				t.Errorf("racer %d: %v", i, err)
			}
		})
	}
	work.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of %d racers were told that their bytes are there", won.Load(), racers)
	}
}

// replacers: of many that replace one checkpoint, one does.
func replacers(t *testing.T, r tiles.Resources) {
	for round := range 5 {
		var older []byte
		if round > 0 {
			var err error
			if older, err = r.Read(t.Context(), tiles.CheckpointPath); err != nil {
				t.Fatal(err)
			}
		}
		const racers = 8
		var work sync.WaitGroup
		var won atomic.Int32
		for i := range racers {
			work.Go(func() {
				switch err := r.Replace(t.Context(), tiles.CheckpointPath, older, fmt.Appendf(nil, "racer %d of round %d", i, round)); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, tiles.ErrReplaced):
					t.Errorf("racer %d: %v", i, err)
				}
			})
		}
		work.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of %d racers replaced it", won.Load(), racers)
		}
	}
}

// swap: a reader never sees a checkpoint in part.
func swap(t *testing.T, r tiles.Resources) {
	a, b := bytes.Repeat([]byte("a"), 4096), bytes.Repeat([]byte("b"), 8192)
	if err := r.Replace(t.Context(), tiles.CheckpointPath, nil, a); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20 {
			if err := r.Replace(t.Context(), tiles.CheckpointPath, [][]byte{a, b}[i%2], [][]byte{b, a}[i%2]); err != nil {
				t.Errorf("Replace: %v", err)
			}
		}
	}()
	for {
		got, err := r.Read(t.Context(), tiles.CheckpointPath)
		if err != nil || !bytes.Equal(got, a) && !bytes.Equal(got, b) {
			t.Fatalf("Read: %d bytes, %v", len(got), err)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

// prune takes partial tiles away, and nothing else.
func prune(t *testing.T, r tiles.Resources) {
	kept := []string{"tile/0/000", "tile/0/001.p/5", "tile/1/000.p/1", "tile/entries/000.p/5", "tile/0/x001/000.p/5"}
	gone := []string{"tile/0/000.p/1", "tile/0/000.p/5", "tile/0/000.p/255"}
	for _, path := range append(kept, gone...) {
		if err := r.Create(t.Context(), path, []byte("bytes of "+path)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := r.Prune(t.Context(), tiles.Tile{Level: 0, Index: 0, Width: tiles.Width}); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range gone {
		if _, err := r.Read(t.Context(), path); !errors.Is(err, tiles.ErrMissing) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
	for _, path := range kept {
		wantBytes(t, r, path, []byte("bytes of "+path))
	}
	if err := r.Prune(t.Context(), tiles.Tile{Level: 0, Index: 1, Width: 5}); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("pruning of a partial tile: %v", err)
	}
}

func wantBytes(t *testing.T, r tiles.Resources, path string, want []byte) {
	t.Helper()
	got, err := r.Read(t.Context(), path)
	if err != nil {
		t.Fatalf("Read of %s: %v", path, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("Read of %s: %d bytes, want %d", path, len(got), len(want))
	}
}
