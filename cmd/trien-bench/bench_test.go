package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"trien/signing/pdf"
)

// What is deposited must be a PDF that the vault and others take, of exactly the size said.
func TestDocuments(t *testing.T) {
	dir := t.TempDir()
	for _, size := range []int64{1000, 50 * kb, 999_999, mb, 9*mb + 1} {
		d := newDocument(size, 7)
		if d.Size() != size {
			t.Fatalf("%d bytes, want %d", d.Size(), size)
		}
		content, err := io.ReadAll(io.NewSectionReader(d, 0, size))
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(io.NewSectionReader(d, 0, size), content); err != nil {
			t.Error(err)
		}
		if _, err := pdf.Check(d, size); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		path := filepath.Join(dir, "d.pdf")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "qpdf", "--check", path).CombinedOutput(); err != nil {
			t.Errorf("qpdf: %v\n%s", err, out)
		}
	}
	a, b := make([]byte, 100), make([]byte, 100)
	_, errA := newDocument(mb, 1).ReadAt(a, 0)
	_, errB := newDocument(mb, 2).ReadAt(b, 0)
	if errA != nil || errB != nil || bytes.Equal(a, b) {
		t.Errorf("two documents are the same, or %v, %v", errA, errB)
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{9, 1, 8, 2, 7, 3, 6, 4, 5, 10}
	for q, want := range map[float64]float64{0: 1, 0.5: 6, 0.9: 10, 0.99: 10, 1: 10} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile %g is %g, want %g", q, got, want)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("of nothing: %g", got)
	}
}

func TestRound(t *testing.T) {
	for in, want := range map[float64]float64{0: 0, 123.456: 123, 1234.5: 1230, 0.12345: 0.123, 0.9995: 1, -12.345: -12.3} {
		if got := round(in); got != want {
			t.Errorf("round(%g) = %g, want %g", in, got, want)
		}
	}
}

// Vault and raw take turns, all documents differ, and clients run at once.
func TestTurns(t *testing.T) {
	b := &benchmark{progress: io.Discard}
	s := series{size: 10 * kb, clients: 4, count: 3, rounds: 5}
	var running, most atomic.Int32
	seen := make(chan *document, 1000)
	took, err := b.together(t.Context(), s, func(_ context.Context, d *document) error {
		now := running.Add(1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		running.Add(-1)
		seen <- d
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	heads := map[string]bool{}
	for range 12 {
		heads[string((<-seen).head)] = true
	}
	if len(heads) != 12 || most.Load() != 4 || took < 15*time.Millisecond {
		t.Errorf("%d different documents, %d at once, %v", len(heads), most.Load(), took)
	}
	broken := errors.New("broken")
	if _, err := b.together(t.Context(), s, func(context.Context, *document) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("a failure is lost: %v", err)
	}
}

func TestReport(t *testing.T) {
	r := report{Rows: []row{
		against("deposit", "MB/s", 90, 100, 0.8), against("small", "MB/s", 10, 100, 0.25).within(0.2, 0.25), atMost("peak", "MiB", 100, 128), without("other", "MiB", 5),
	}}
	var b bytes.Buffer
	r.print(&b)
	for _, want := range []string{"90 MB/s", "0.90", "ratio ≥ 0.80", "NO", "≤ 128 MiB", "1 goals were missed. 1 of them nobody can meet"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
	path := filepath.Join(t.TempDir(), "out", "bench.json")
	if err := r.save(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var back struct{ Rows []map[string]any }
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	for _, row := range back.Rows {
		for _, key := range []string{"name", "value", "unit", "peer", "ratio", "goal", "met", "limit"} {
			if _, ok := row[key]; !ok {
				t.Errorf("%v has no %s", row["name"], key)
			}
		}
	}
	if back.Rows[0]["met"] != true || back.Rows[1]["met"] != false || back.Rows[3]["met"] != nil {
		t.Errorf("%s", text)
	}
}

func TestMemoryOfProcess(t *testing.T) {
	peak, err := highWater(os.Getpid())
	if err != nil || peak < 1 || peak > 10_000 {
		t.Errorf("%g MiB, %v", peak, err)
	}
	cmd := exec.CommandContext(t.Context(), "sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if pid, err := childNamed(os.Getpid(), "60"); err != nil || pid != cmd.Process.Pid {
		t.Errorf("%d, %v; want %d", pid, err, cmd.Process.Pid)
	}
	if _, err := childNamed(os.Getpid(), "objects-child"); err == nil {
		t.Error("a child that is not there was found")
	}
}

func TestProcessorTime(t *testing.T) {
	before, err := processorTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; { // work until it shows
		newDocument(1000, 1)
		if after, err := processorTime(os.Getpid()); err != nil {
			t.Fatal(err)
		} else if after >= before+0.05 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("work takes no processor time")
		}
	}
}

func TestSpace(t *testing.T) {
	if err := enoughSpace(t.TempDir(), 1); err != nil {
		t.Error(err)
	}
	if err := enoughSpace(t.TempDir(), 1<<62); err == nil || !strings.Contains(err.Error(), "--scratch") {
		t.Errorf("%v", err)
	}
}

// A vault that does not start says why.
func TestServerThatDoesNotServe(t *testing.T) {
	program := filepath.Join(t.TempDir(), "trien")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho 'the disk is full' >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := startServer(t.Context(), program, t.TempDir()); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("%v", err)
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"--nonsense"}, {"more"}} {
		var told bytes.Buffer
		if err := run(t.Context(), args, io.Discard, &told); !errors.Is(err, errUsage) || told.Len() == 0 {
			t.Errorf("%v: %v, %q", args, err, told.String())
		}
	}
	if err := run(t.Context(), []string{"--server", "/nowhere/trien", "--scratch", t.TempDir(), "--quick"}, io.Discard, io.Discard); err == nil {
		t.Error("a bench without a server")
	}
}
