package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trien/deploy/standalone/standalonetest"
	"trien/ledger"
	"trien/ledger/trillianlog/rawtrillian"
)

// The contenders of the ledger do what they say: our log by clients, at a rate, in bulk; Trillian by itself on a copy of its tree.
func TestLedgerContenders(t *testing.T) {
	url, _, _ := standalonetest.Postgres(t)
	dir := t.TempDir()
	key, err := ledger.GenerateSigningKey("bench.example/test")
	if err != nil {
		t.Fatal(err)
	}
	asked := ledgerTask{Database: filepath.Join(dir, "database"), Key: filepath.Join(dir, "key")}
	if err := errors.Join(os.WriteFile(asked.Database, []byte(url), 0o600), key.WriteFile(asked.Key)); err != nil {
		t.Fatal(err)
	}
	done := contendHere(t, contenderLog, asked, burst{Grow: 600}, burst{Grow: 600}, burst{Clients: 3, Seconds: 0.2},
		burst{Clients: 1, Each: 10, Seconds: 0.1}, burst{Rate: 50, Seconds: 0.2})
	if done[0].Entries != 600 || done[1].Entries != 0 {
		t.Errorf("grown by %d and %d", done[0].Entries, done[1].Entries)
	}
	if n := done[2].Entries; n < 3 || n != len(done[2].Times) {
		t.Errorf("3 clients: %d entries, %d times", n, len(done[2].Times))
	}
	if n := done[3].Entries; n < 10 || n != 10*len(done[3].Times) {
		t.Errorf("10 at once: %d entries, %d times", n, len(done[3].Times))
	}
	if done[4].Entries != 10 || done[4].Seconds < 0.15 {
		t.Errorf("at a rate: %+v", done[4])
	}
	if asked.Tree, err = rawtrillian.Copy(t.Context(), url, key.Origin()); err != nil {
		t.Fatal(err)
	}
	raw, err := rawtrillian.Open(t.Context(), url, asked.Tree)
	if err != nil {
		t.Fatal(err)
	}
	size := raw.Size()
	raw.Close()
	if size < 613 {
		t.Errorf("the copy has %d leaves", size)
	}
	if done := contendHere(t, contenderRaw, asked, burst{Clients: 3, Seconds: 0.2}); done[0].Entries < 3 {
		t.Errorf("%+v", done[0])
	}
}

// contendHere runs a contender in this process.
func contendHere(t *testing.T, name string, asked ledgerTask, bursts ...burst) []outcome {
	t.Helper()
	argument, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	var in, out bytes.Buffer
	for _, b := range bursts {
		if err := json.NewEncoder(&in).Encode(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := contend(t.Context(), []string{name, string(argument)}, &in, &out); err != nil {
		t.Fatal(err)
	}
	done := make([]outcome, len(bursts))
	answers := json.NewDecoder(&out)
	for i := range done {
		if err := answers.Decode(&done[i]); err != nil {
			t.Fatal(err)
		}
	}
	return done
}

// slow is a log that takes a tenth of a second, one at a time.
type slow chan struct{}

func (s slow) deposit(context.Context, int, bool) (time.Time, error) {
	s <- struct{}{}
	defer func() { <-s }()
	time.Sleep(100 * time.Millisecond)
	return time.Now(), nil
}
func (s slow) work(ctx context.Context, burst func(context.Context) error) error {
	return burst(ctx)
}
func (s slow) grow(context.Context, uint64) (int, error) { return 0, nil }
func (s slow) close() error                              { return nil }

// At a rate, a deposit that has to wait for others counts from when it was due.
func TestOnTime(t *testing.T) {
	done, err := burst{Rate: 50, Seconds: 0.1}.run(t.Context(), make(slow, 1))
	if err != nil || done.Entries != 5 {
		t.Fatalf("%+v, %v", done, err)
	}
	if worst := quantile(done.Times, 0.99); worst < 0.4 {
		t.Errorf("the last of five waited %.2f s", worst)
	}
}

func TestLeaves(t *testing.T) {
	for n, want := range map[uint64]string{500: "500 leaves", 10_000: "10k leaves", 1_000_000: "1M leaves"} {
		if got := leaves(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	if got := countOf(1, "client") + ", " + countOf(64, "client"); !strings.Contains(got, "1 client, 64 clients") {
		t.Error(got)
	}
}
