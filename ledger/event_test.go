package ledger_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"trien/ledger"
)

func sampleEvent() ledger.Event {
	return ledger.Event{
		Event:   uuid.MustParse("01981a2b-3c4d-7e5f-8a9b-0c1d2e3f4a70"),
		Time:    time.Date(2026, 11, 23, 4, 5, 6, 789000000, time.UTC),
		Account: uuid.MustParse("01981a2b-0000-7000-8000-0000000000a1"),
		Session: uuid.MustParse("01981a2b-0000-7000-8000-0000000000b2"),
		Unit:    uuid.MustParse("01981a2b-0000-7000-8000-0000000000c3"),
		Role:    "staff", Action: "disclose", Outcome: "done",
		Purpose: ledger.SumHash([]byte("Thẩm định")),
		Dossier: uuid.MustParse("01981a2b-0000-7000-8000-0000000000d4"),
		Record:  uuid.MustParse("01981a2b-0000-7000-8000-00000000000a"),
		Version: uuid.MustParse("01981a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b"),
		Source:  ledger.EventSource(sampleSeed(), "192.0.2.7", "agent/1.0"),
	}
}

func sampleSeed() ledger.EventSeed { return ledger.EventSeed(ledger.SumHash([]byte("sample seed"))) }

// eventSample is the worked example of FORMATS.md: the sample event is event 3 of a batch of 5, whose leaf is leaf 1 of a log of 2.
type eventSample struct {
	text   []byte
	salt   ledger.Salt
	leaf   ledger.Leaf
	proof  ledger.EventProof
	policy []byte
}

func newEventSample(t testing.TB) eventSample {
	t.Helper()
	s := eventSample{text: must[[]byte](t)(sampleEvent().MarshalText()), salt: sampleSeed().Salt()}
	batch := make(ledger.Batch, 5)
	for i := range batch {
		batch[i] = ledger.SumHash(fmt.Append(nil, "another event ", i))
	}
	batch[3] = ledger.EventCommitment(s.salt, s.text)
	s.leaf = must[ledger.Leaf](t)(batch.Leaf())
	tr := newTree(t, ledger.BatchLeaf(1, ledger.SumHash([]byte("another batch"))), s.leaf)
	signer, vkey := signerOf(t, "vault.example/access", "sample access log")
	s.proof = ledger.EventProof{Index: 3, Count: 5, Path: must[[]ledger.Hash](t)(batch.Path(3)), Receipt: ledger.Receipt{
		Index: 1, Proof: tr.inclusion(t, 1, 2), Checkpoint: must[[]byte](t)(ledger.SignCheckpoint(signer, 2, tr.root(t))),
	}}
	s.policy = must[*ledger.Policy](t)(ledger.NewPolicy(vkey)).Text()
	return s
}

func TestEventGolden(t *testing.T) {
	s := newEventSample(t)
	golden(t, "event.txt", s.text)
	golden(t, "event-salt.bin", s.salt[:])
	golden(t, "event-leaf.txt", s.leaf)
	golden(t, "access-policy.txt", s.policy)
	golden(t, "event.proof", must[[]byte](t)(s.proof.MarshalText()))

	bare := ledger.Event{Event: sampleEvent().Event, Time: sampleEvent().Time, Action: "sign_in", Outcome: "refused", Reason: "password"}
	golden(t, "event-refused.txt", must[[]byte](t)(bare.MarshalText()))
}

func TestEventRoundTrip(t *testing.T) {
	for _, name := range []string{"event.txt", "event-refused.txt"} {
		text := readGolden(t, name)
		again := must[[]byte](t)(must[ledger.Event](t)(ledger.ParseEvent(text)).MarshalText())
		if !bytes.Equal(again, text) {
			t.Errorf("%s comes back as\n%s", name, again)
		}
	}
}

func TestEventFieldsRefused(t *testing.T) {
	for name, change := range map[string]func(*ledger.Event){
		"event": func(e *ledger.Event) { e.Event = uuid.Nil }, "time": func(e *ledger.Event) { e.Time = e.Time.Add(1) },
		"role": func(e *ledger.Event) { e.Role = "Staff" }, "action": func(e *ledger.Event) { e.Action = "" },
		"outcome": func(e *ledger.Event) { e.Outcome = "x\ny" }, "reason": func(e *ledger.Event) { e.Reason = strings.Repeat("a", 81) },
	} {
		e := sampleEvent()
		change(&e)
		if _, err := e.MarshalText(); !errors.Is(err, ledger.ErrMalformed) || !strings.Contains(err.Error(), `"`+name+`"`) {
			t.Errorf("%s: err %v", name, err)
		}
	}
}

// TestEventEveryByteCounts changes each byte of text, salt and proof: none of them verifies any more.
func TestEventEveryByteCounts(t *testing.T) {
	s := newEventSample(t)
	p := must[*ledger.Policy](t)(ledger.ParsePolicy(s.policy))
	text := must[[]byte](t)(s.proof.MarshalText())
	verify := func(event, salt, proof []byte) error {
		e, err := ledger.ParseEventProof(proof)
		if err == nil {
			_, err = ledger.VerifyEvent(p, event, ledger.Salt(salt), e)
		}
		return err
	}
	if err := verify(s.text, s.salt[:], text); err != nil {
		t.Fatal(err)
	}
	parts := [][]byte{s.text, s.salt[:], text}
	for which := range parts {
		for i := range parts[which] {
			for _, bit := range []byte{1, 0x80} {
				changed := [][]byte{s.text, s.salt[:], text}
				changed[which] = bytes.Clone(parts[which])
				changed[which][i] ^= bit
				err := verify(changed[0], changed[1], changed[2])
				if !errors.Is(err, ledger.ErrMalformed) && !errors.Is(err, ledger.ErrTampered) && !errors.Is(err, ledger.ErrPolicy) {
					t.Fatalf("part %d byte %d: err %v", which, i, err)
				}
			}
		}
	}
}

// TestBatchTree compares roots and paths of all positions with golang.org/x/mod/sumdb/tlog.
func TestBatchTree(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 63, 100, ledger.MaxBatch} {
		batch := make(ledger.Batch, n)
		var stored []tlog.Hash
		reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
			out := make([]tlog.Hash, len(at))
			for i, x := range at {
				out[i] = stored[x]
			}
			return out, nil
		})
		for i := range batch {
			batch[i] = ledger.SumHash(fmt.Append(nil, i))
			stored = append(stored, must[[]tlog.Hash](t)(tlog.StoredHashes(int64(i), batch[i][:], reader))...)
		}
		count, root, err := ledger.ParseBatchLeaf(must[ledger.Leaf](t)(batch.Leaf()))
		theirs := must[tlog.Hash](t)(tlog.TreeHash(int64(n), reader))
		if err != nil || count != n || root != ledger.Hash(theirs) {
			t.Fatalf("batch of %d: %d, %s, %v; want %x", n, count, root, err, theirs)
		}
		for i := 0; i < n; i += max(1, n/50) {
			var path tlog.RecordProof
			for _, h := range must[[]ledger.Hash](t)(batch.Path(i)) {
				path = append(path, tlog.Hash(h))
			}
			if err := tlog.CheckRecord(path, int64(n), theirs, int64(i), tlog.RecordHash(batch[i][:])); err != nil {
				t.Errorf("event %d of %d: %v", i, n, err)
			}
		}
	}
	for _, n := range []int{0, ledger.MaxBatch + 1} {
		if _, err := make(ledger.Batch, n).Leaf(); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("batch of %d: err %v", n, err)
		}
	}
}

func TestEventSeedIsHidden(t *testing.T) {
	var b bytes.Buffer
	s := sampleSeed()
	slog.New(slog.NewTextHandler(&b, nil)).Info("test", slog.Any("seed", s))
	fmt.Fprintf(&b, "%v %s %#v %+v", s, s, s, struct{ S ledger.EventSeed }{s})
	if strings.Contains(b.String(), fmt.Sprintf("%x", [32]byte(s))) || strings.Contains(b.String(), fmt.Sprint([32]byte(s))) {
		t.Errorf("the seed shows in %s", &b)
	}
	if s.Salt() == ledger.Salt(s) || ledger.EventSource(s, "a", "b") == ledger.EventSource(s, "a\nb", "") {
		t.Error("the seed is not bound as it should be")
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add(readGolden(f, "event.txt"))
	f.Add(readGolden(f, "event-refused.txt"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ledger.ParseEvent(b)
		if err != nil {
			if !errors.Is(err, ledger.ErrMalformed) {
				t.Fatalf("unexpected kind: %v", err)
			}
			return
		}
		if again, err := e.MarshalText(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("second form of an event: %q, %v", b, err)
		}
	})
}

func FuzzParseBatchLeaf(f *testing.F) {
	f.Add(readGolden(f, "event-leaf.txt"))
	f.Fuzz(func(t *testing.T, b []byte) {
		count, root, err := ledger.ParseBatchLeaf(b)
		if err != nil {
			return
		}
		again := fmt.Sprintf("%s\n%d\n%s\n", ledger.BatchLeafFormat, count, base64.StdEncoding.EncodeToString(root[:]))
		if string(b) != again || !ledger.BatchLeaf(count, root).Equal(b) {
			t.Fatalf("second form of a leaf: %q", b)
		}
	})
}

func FuzzVerifyEvent(f *testing.F) {
	s := newEventSample(f)
	p := must[*ledger.Policy](f)(ledger.ParsePolicy(s.policy))
	f.Add(s.text, s.salt[:], must[[]byte](f)(s.proof.MarshalText()))
	f.Fuzz(func(t *testing.T, text, salt, proof []byte) {
		e, err := ledger.ParseEventProof(proof)
		if err != nil || len(salt) != 32 {
			return
		}
		if _, err := ledger.VerifyEvent(p, text, ledger.Salt(salt), e); err == nil {
			if !bytes.Equal(text, s.text) || !bytes.Equal(salt, s.salt[:]) {
				t.Fatalf("another event verifies: %q", text)
			}
		} else if !errors.Is(err, ledger.ErrMalformed) && !errors.Is(err, ledger.ErrTampered) && !errors.Is(err, ledger.ErrPolicy) {
			t.Fatalf("unexpected kind: %v", err)
		}
	})
}

func BenchmarkBatch(b *testing.B) {
	text := must[[]byte](b)(sampleEvent().MarshalText())
	b.Run("commit 4096", func(b *testing.B) {
		for b.Loop() {
			batch := make(ledger.Batch, 0, ledger.MaxBatch)
			for range ledger.MaxBatch {
				e := sampleEvent()
				text, err := e.MarshalText()
				if err != nil {
					b.Fatal(err)
				}
				batch = append(batch, ledger.EventCommitment(sampleSeed().Salt(), text))
			}
			must[ledger.Leaf](b)(batch.Leaf())
		}
	})
	b.Run("verify", func(b *testing.B) {
		s := newEventSample(b)
		p := must[*ledger.Policy](b)(ledger.ParsePolicy(s.policy))
		for b.Loop() {
			if _, err := ledger.VerifyEvent(p, text, s.salt, s.proof); err != nil {
				b.Fatal(err)
			}
		}
	})
}
