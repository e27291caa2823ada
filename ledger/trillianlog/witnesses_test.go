package trillianlog

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/tiles"
	"trien/ledger/witness"
	"trien/ledger/witness/witnesstest"
)

// watchers asks for k of some witnesses, each given as vkey and URL.
func watchers(t *testing.T, k string, witnesses ...[2]string) Cosigner {
	t.Helper()
	var text, names strings.Builder
	fmt.Fprintf(&text, "log %s\n", logKey().VerifierKey())
	for i, w := range witnesses {
		fmt.Fprintf(&text, "witness w%d %s %s\n", i, w[0], w[1])
		fmt.Fprintf(&names, " w%d", i)
	}
	fmt.Fprintf(&text, "group watchers %s%s\nquorum watchers\n", k, names.String())
	p, err := ledger.ParsePolicy([]byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	c, err := witness.New(witness.Config{Policy: p, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ownWitness(t *testing.T) [2]string {
	t.Helper()
	key, err := ledger.GenerateSigningKey("witness.example/own")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ledger.NewPolicy(logKey().VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	s, err := witness.NewServer(witness.ServerConfig{Key: key.Signer(), Logs: []*ledger.Policy{p}, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() { h.Close(); _ = s.Close() })
	return [2]string{s.VerifierKey(), h.URL}
}

func foreignWitness(t *testing.T, name string) (*witnesstest.Litewitness, [2]string) {
	t.Helper()
	w := witnesstest.StartLitewitness(t, name, logKey().VerifierKey())
	return w, [2]string{w.VerifierKey, w.URL}
}

// A log under two witnesses of another project and one of ours, two of them needed: strangers are shown what two co-signed. Without
// them nothing new is shown, while the log goes on; with them back, all of it is.
func TestPublishUnderWitnesses(t *testing.T) {
	first, place1 := foreignWitness(t, "witness.example/first")
	second, place2 := foreignWitness(t, "witness.example/second")
	public := new(bucket)
	cfg := publicConfig(newDatabase(t), public)
	cfg.Cosigner = watchers(t, "2", place1, place2, ownWitness(t))
	l := startLog(t, cfg)
	logAll(t, l.Log, entries(0, 10))
	if c := shownSize(t, l.Log, public, 10); len(c.Witnessed) < 2 || c.Time.IsZero() {
		t.Errorf("shown %+v", c)
	}
	first.Kill(t)
	logAll(t, l.Log, entries(10, 300))
	if c := shownSize(t, l.Log, public, 300); len(c.Witnessed) != 2 {
		t.Errorf("shown %+v", c)
	}
	second.Kill(t)
	logAll(t, l.Log, entries(300, 310))
	_ = waitFailing(t, l.Log, witness.ErrQuorum)
	if c := shownSize(t, l.Log, public, 300); len(c.Witnessed) != 2 {
		t.Errorf("shown %+v", c)
	}
	if s := l.Witnesses(); len(s) != 3 || s[0].LastError != "unavailable" || s[1].LastError != "unavailable" || s[2].LastError != "" {
		t.Errorf("witnesses %+v", s)
	}
	if _, err := l.WitnessedReceipt(t.Context(), entry(305)); !errors.Is(err, ledger.ErrNotLogged) {
		t.Errorf("receipt of what no witness saw: %v", err)
	}
	first.Start(t)
	second.Start(t)
	shownSize(t, l.Log, public, 310)
	r, err := l.WitnessedReceipt(t.Context(), entry(305))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := ledger.Verify(l.Policy(), entry(305).Leaf, r); err != nil || len(c.Witnessed) < 2 {
		t.Errorf("%+v, %v", c, err)
	}
}

// Two databases under one key, as after a restore from which other entries were logged: no witness signs the second history. With a
// witness that shows what it co-signed that is a fork; one that only refuses is believed as far: nothing is shown.
func TestPublishOfASplitView(t *testing.T) {
	for _, test := range []struct {
		name  string
		place func(*testing.T) [2]string
		want  error
	}{
		{"own", ownWitness, ledger.ErrForked},
		{"litewitness", func(t *testing.T) [2]string { _, at := foreignWitness(t, "witness.example/w"); return at }, witness.ErrDisputed},
	} {
		t.Run(test.name, func(t *testing.T) {
			place := test.place(t)
			public := new(bucket)
			cfg := publicConfig(newDatabase(t), public)
			cfg.Cosigner = watchers(t, "all", place)
			one := startLog(t, cfg)
			logAll(t, one.Log, entries(0, 40))
			shownSize(t, one.Log, public, 40)
			one.end()

			elsewhere := new(bucket) // what strangers were shown is not looked at: the witness alone knows
			cfg = publicConfig(newDatabase(t), elsewhere)
			cfg.Cosigner = watchers(t, "all", place)
			two := startLog(t, cfg)
			if err := two.Append(t.Context(), entries(100, 150)); err != nil {
				t.Fatal(err)
			}
			err := waitFailing(t, two.Log, test.want)
			t.Log(err)
			if signed, err := elsewhere.Read(t.Context(), tiles.CheckpointPath); err == nil {
				if c, err := two.Policy().OpenCheckpoint(signed); err == nil && c.Size > 0 {
					t.Errorf("a second history was shown: %+v", c)
				}
			}
		})
	}
}

// logAll appends and waits for the receipts that the log itself can give: no witness has seen their checkpoint yet.
func logAll(t *testing.T, l *Log, list []ledger.Entry) {
	t.Helper()
	if err := l.Append(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		r, err := l.Await(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.Policy().OpenUnwitnessed(r.Checkpoint)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckInclusion(c, r.Index, e.Leaf.Hash(), r.Proof); err != nil {
			t.Fatal(err)
		}
	}
}

// waitFailing waits until publication fails in one way, and returns the error.
func waitFailing(t *testing.T, l *Log, kind error) error {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := l.publication()
		if errors.Is(err, kind) {
			return err
		}
		if time.Now().After(deadline) {
			t.Fatalf("publication: %v, want %v", err, kind)
		}
	}
}
