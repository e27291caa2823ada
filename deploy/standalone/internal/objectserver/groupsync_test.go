package objectserver

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestGroupSync: whoever asks is served by a flush that began afterwards, and many share one.
func TestGroupSync(t *testing.T) {
	var written, flushed, flushes atomic.Int64
	g := &groupSync{flush: func() error {
		flushes.Add(1)
		before := written.Load() // what was written before it began
		time.Sleep(100 * time.Microsecond)
		flushed.Store(before)
		return nil
	}}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 200 {
				mine := written.Add(1)
				if err := g.Sync(); err != nil {
					t.Error(err)
				}
				if flushed.Load() < mine {
					t.Error("told that it was on disk before it was")
				}
			}
		})
	}
	wg.Wait()
	if n := flushes.Load(); n > 3000 {
		t.Errorf("%d flushes for 3200 callers: nothing is shared", n)
	}
}

// TestGroupSyncBreaks: a failed flush is the last; a later one that succeeds would not mean that all is on disk.
func TestGroupSyncBreaks(t *testing.T) {
	disk := errors.New("input/output error")
	var told []error
	fail := true
	g := &groupSync{
		flush: func() error {
			if fail {
				return disk
			}
			return nil
		},
		broken: func(err error) { told = append(told, err) },
	}
	if err := g.Sync(); !errors.Is(err, disk) {
		t.Fatal(err)
	}
	fail = false
	if err := g.Sync(); !errors.Is(err, disk) {
		t.Fatal("it recovered:", err)
	}
	if len(told) != 1 || !errors.Is(told[0], disk) {
		t.Fatal(told)
	}
}
