package witness_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/witness"
)

func TestCosign(t *testing.T) {
	h := grow(t, 300, 300, "a", "")
	p := policyOf(t, 2, serve(t, "w1"), serve(t, "w2"), serve(t, "w3"))
	c := newClient(t, p)
	for _, size := range []uint64{0, 1, 1, 2, 7, 8, 255, 256, 300} {
		signed := h.checkpoint(t, size)
		cosigned := must[[]byte](t)(c.Cosign(t.Context(), signed, h.prover(size)))
		opened := must[ledger.Checkpoint](t)(p.OpenCheckpoint(cosigned))
		if opened.Size != size || len(opened.Witnessed) != 3 || opened.Time.Unix() != h.at.Unix() || !bytes.HasPrefix(cosigned, signed) {
			t.Errorf("size %d: %+v", size, opened)
		}
	}
	for _, s := range c.Status() {
		if s.Size != 300 || s.Failures != 0 || s.LastError != "" || time.Since(s.LastSuccess) > time.Minute {
			t.Errorf("status %+v", s)
		}
	}
	// A client that remembers nothing learns the size from the answer; what was co-signed before stays.
	signed := h.checkpoint(t, 300)
	again := must[[]byte](t)(newClient(t, p).Cosign(t.Context(), signed, h.prover(300)))
	if opened := must[ledger.Checkpoint](t)(p.OpenCheckpoint(again)); len(opened.Witnessed) != 3 {
		t.Errorf("a new client: %+v", opened)
	}
}

func TestCosignWithoutWitnesses(t *testing.T) {
	h := grow(t, 3, 3, "a", "")
	p := must[*ledger.Policy](t)(ledger.NewPolicy(h.key.VerifierKey()))
	signed := h.checkpoint(t, 3)
	if got := must[[]byte](t)(newClient(t, p).Cosign(t.Context(), signed, nil)); !bytes.Equal(got, signed) {
		t.Errorf("%s", got)
	}
	if _, err := witness.New(witness.Config{}); !errors.Is(err, ledger.ErrPolicy) {
		t.Errorf("no policy: %v", err)
	}
	if got, err := newClient(t, p).Cosign(t.Context(), append(signed, "x\n"...), nil); !errors.Is(err, ledger.ErrMalformed) || got != nil {
		t.Errorf("not a checkpoint: %q, %v", got, err)
	}
}

// misbehave makes a witness that answers as a test says; the honest one stands behind it.
func misbehave(t *testing.T, name string, answer func(w http.ResponseWriter, r *http.Request, honest http.Handler)) (place, *atomic.Int64) {
	t.Helper()
	s := newServer(t, name, t.TempDir())
	var asked atomic.Int64
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			asked.Add(1)
		}
		answer(w, r, s)
	}))
	t.Cleanup(h.Close)
	return place{name, s.VerifierKey(), h.URL}, &asked
}

func say(status int, kind, body string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Each way to lie or fail costs the quorum nothing if two others sign, and the quorum if it is needed; it is told by its kind and never
// taken for a fork.
func TestCosignBesideABadWitness(t *testing.T) {
	h := grow(t, 20, 20, "a", "")
	line := func(key *ledger.SigningKey, text string, at time.Time) string {
		c := must[*ledger.Cosigner](t)(ledger.NewCosigner(key.Signer()))
		return must[string](t)(c.Cosign(text, at))
	}
	text := ledger.Checkpoint{Origin: origin, Size: 20, Root: h.roots[20]}.NoteText()
	own, stranger := signingKey(t, "witness.example/bad", "bad"), signingKey(t, "witness.example/bad", "another")
	good := line(own, text, time.Now())
	size := func(n uint64) string { return fmt.Sprintf("%d\n", n) }
	const sizeKind = "text/x.tlog.size"
	tests := []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request, http.Handler)
		kind   string
		rounds int64
	}{
		{"signature of another text", say(200, "", line(own, strings.Replace(text, "\n20\n", "\n21\n", 1), time.Now())), "answer", 1},
		{"signature by another key", say(200, "", line(stranger, text, time.Now())), "answer", 1},
		{"a good line and a bad one", say(200, "", good+line(own, "x\n", time.Now())), "answer", 1},
		{"the log's own signature", say(200, "", strings.SplitAfter(string(h.checkpoint(t, 20)), "\n")[4]), "answer", 1},
		{"the whole checkpoint", say(200, "", string(h.checkpoint(t, 20))+good), "answer", 1},
		{"a clock in the future", say(200, "", line(own, text, time.Now().Add(time.Hour))), "answer", 1},
		{"garbage", say(200, "", "\x00\xff garbage\n"), "answer", 1},
		{"nothing", say(200, "", ""), "answer", 1},
		{"no newline", say(200, "", strings.TrimSuffix(good, "\n")), "answer", 1},
		{"a hundred lines", say(200, "", strings.Repeat(good, 100)), "answer", 1},
		{"huge", say(200, "", strings.Repeat("x", 1<<20)), "answer", 1},
		{"endless", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			for range 1 << 20 {
				if _, err := io.WriteString(w, strings.Repeat("x", 1<<10)); err != nil {
					return
				}
			}
		}, "answer", 1},
		{"huge header", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		}, "unavailable", 1},
		{"redirect", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "unavailable", 1},
		{"server error", say(500, "", ""), "unavailable", 1},
		{"unknown log", say(404, "", ""), "refused", 1},
		{"unknown key", say(403, "", ""), "refused", 1},
		{"bad request", say(400, "", ""), "refused", 1},
		{"a larger size", say(409, sizeKind, size(21)), "disputed", 1},
		{"an enormous size", say(409, sizeKind, "9223372036854775807\n"), "disputed", 1},
		{"a size beyond all", say(409, sizeKind, "9223372036854775808\n"), "disputed", 1},
		{"not a size", say(409, sizeKind, "020\n"), "disputed", 1},
		{"a size of another type", say(409, "text/plain", size(3)), "disputed", 1},
		{"the same size for ever", say(409, sizeKind, size(0)), "disputed", 1},
		{"the size we then send, refused", say(409, sizeKind, size(20)), "disputed", 2},
		{"a proof that does not hold, it says", say(422, "", ""), "disputed", 1},
		{"hangs up", func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }, "unavailable", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bad, asked := misbehave(t, "bad", test.answer)
			p := policyOf(t, 2, serve(t, "w1"), bad, serve(t, "w3"))
			c := newClient(t, p)
			cosigned, err := c.Cosign(t.Context(), h.checkpoint(t, 20), h.prover(20))
			if err != nil {
				t.Fatalf("a quorum of two was there: %v", err)
			}
			if opened := must[ledger.Checkpoint](t)(p.OpenCheckpoint(cosigned)); len(opened.Witnessed) != 2 {
				t.Errorf("checkpoint %+v", opened)
			}
			if s := c.Status()[1]; s.Name != "bad" || s.LastError != test.kind || s.Failures != 1 || asked.Load() != test.rounds {
				t.Errorf("status %+v, asked %d times", s, asked.Load())
			}
			all := policyOf(t, 3, serve(t, "w1"), bad, serve(t, "w3"))
			cosigned, err = newClient(t, all).Cosign(t.Context(), h.checkpoint(t, 20), h.prover(20))
			if !errors.Is(err, witness.ErrQuorum) || !errors.Is(err, ledger.ErrPolicy) || errors.Is(err, ledger.ErrForked) {
				t.Errorf("needed: %v", err)
			}
			if opened := must[ledger.Checkpoint](t)(all.OpenUnwitnessed(cosigned)); len(opened.Witnessed) != 2 {
				t.Errorf("what was co-signed is lost: %+v", opened)
			}
		})
	}
}

// A witness that names another size each time is not followed for ever.
func TestCosignAgainstAnEndlessConflict(t *testing.T) {
	h := grow(t, 20, 20, "a", "")
	var n atomic.Uint64
	bad, asked := misbehave(t, "bad", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		say(409, "text/x.tlog.size", fmt.Sprintf("%d\n", n.Add(1)))(w, r, nil)
	})
	c := newClient(t, policyOf(t, 1, bad))
	if _, err := c.Cosign(t.Context(), h.checkpoint(t, 20), h.prover(20)); !errors.Is(err, witness.ErrAnswer) || asked.Load() != 3 {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
}

func TestCosignSlowAndDown(t *testing.T) {
	h := grow(t, 20, 20, "a", "")
	stop := make(chan struct{})
	defer close(stop)
	slow, _ := misbehave(t, "slow", func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	})
	down := serve(t, "down")
	down.url = "http://127.0.0.1:1"
	p := policyOf(t, 1, slow, down, serve(t, "w1"))
	c := must[*witness.Client](t)(witness.New(witness.Config{Policy: p, Grace: 50 * time.Millisecond}))
	start := time.Now()
	if _, err := c.Cosign(t.Context(), h.checkpoint(t, 20), h.prover(20)); err != nil || time.Since(start) > 2*time.Second {
		t.Errorf("the quorum waited %s for the slow one: %v", time.Since(start), err)
	}
	p = policyOf(t, 3, slow, down, serve(t, "w1"))
	c = must[*witness.Client](t)(witness.New(witness.Config{Policy: p, Timeout: 300 * time.Millisecond}))
	start = time.Now()
	cosigned, err := c.Cosign(t.Context(), h.checkpoint(t, 20), h.prover(20))
	if took := time.Since(start); !errors.Is(err, witness.ErrQuorum) || !errors.Is(err, context.DeadlineExceeded) || took > 2*time.Second {
		t.Errorf("after %s: %v", took, err)
	}
	if opened := must[ledger.Checkpoint](t)(p.OpenUnwitnessed(cosigned)); len(opened.Witnessed) != 1 {
		t.Errorf("checkpoint %+v", opened)
	}
	for i, s := range c.Status()[:2] {
		if s.LastError != "unavailable" || s.Failures != 1 || !s.LastSuccess.IsZero() {
			t.Errorf("%d: %+v", i, s)
		}
	}
}

// A proof that our own tree does not give is our failure, not the witness's.
func TestCosignWithoutOwnProof(t *testing.T) {
	h := grow(t, 20, 20, "a", "")
	p := policyOf(t, 1, serve(t, "w1"))
	c := newClient(t, p)
	must[[]byte](t)(c.Cosign(t.Context(), h.checkpoint(t, 5), h.prover(5)))
	broken := errors.New("tiles are away")
	_, err := c.Cosign(t.Context(), h.checkpoint(t, 20), func(context.Context, uint64) ([]ledger.Hash, error) { return nil, broken })
	if !errors.Is(err, broken) || !errors.Is(err, witness.ErrQuorum) || errors.Is(err, ledger.ErrForked) || c.Status()[0].LastError != "proof" {
		t.Errorf("%v, %+v", err, c.Status())
	}
	must[[]byte](t)(c.Cosign(t.Context(), h.checkpoint(t, 20), h.prover(20)))
}

// Two histories under one key, as after a database was restored: the witness refuses the second, and the client that asks for it
// comes back with both notes, which prove the fork to anybody.
func TestCosignOfAFork(t *testing.T) {
	for _, test := range []struct {
		name          string
		first, second uint64
	}{
		{"the same size", 12, 12}, {"grown past it", 12, 20}, {"rolled back", 12, 11}, {"rolled back before the fork", 12, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			one, two := grow(t, 20, 20, "a", ""), grow(t, 20, 8, "a", "b")
			p := policyOf(t, 1, serve(t, "w1"), serve(t, "w2"))
			first := one.checkpoint(t, test.first)
			must[[]byte](t)(newClient(t, p).Cosign(t.Context(), first, one.prover(test.first)))
			c := newClient(t, p)
			second := two.checkpoint(t, test.second)
			cosigned, err := c.Cosign(t.Context(), second, two.prover(test.second))
			var fork *witness.ForkError
			if !errors.Is(err, ledger.ErrForked) || !errors.Is(err, witness.ErrQuorum) || !errors.As(err, &fork) || !bytes.Equal(cosigned, second) {
				t.Fatalf("%v\n%s", err, cosigned)
			}
			theirs, ours := must[ledger.Checkpoint](t)(p.OpenUnwitnessed(fork.Theirs)), must[ledger.Checkpoint](t)(p.OpenUnwitnessed(fork.Ours))
			if theirs.Size != test.first || ours.Size != test.second || theirs.Root != one.roots[test.first] || len(theirs.Witnessed) != 1 {
				t.Errorf("theirs %+v, ours %+v", theirs, ours)
			}
			if s := c.Status()[0]; s.LastError != "forked" {
				t.Errorf("status %+v", s)
			}
		})
	}
}

// A fork that one witness proves is told beside a quorum of others that saw only one history.
func TestCosignOfAForkBesideAQuorum(t *testing.T) {
	one, two := grow(t, 20, 20, "a", ""), grow(t, 20, 8, "a", "b")
	saw, fresh := serve(t, "saw"), serve(t, "fresh")
	must[[]byte](t)(newClient(t, policyOf(t, 1, saw)).Cosign(t.Context(), one.checkpoint(t, 12), one.prover(12)))
	p := policyOf(t, 1, saw, fresh)
	cosigned, err := newClient(t, p).Cosign(t.Context(), two.checkpoint(t, 12), two.prover(12))
	if !errors.Is(err, ledger.ErrForked) || errors.Is(err, witness.ErrQuorum) {
		t.Errorf("err %v", err)
	}
	if opened := must[ledger.Checkpoint](t)(p.OpenCheckpoint(cosigned)); len(opened.Witnessed) != 1 {
		t.Errorf("checkpoint %+v", opened)
	}
}

// A witness that shows nothing cannot hide a fork from a client that remembers what it was given.
func TestCosignOfAForkRemembered(t *testing.T) {
	one, two := grow(t, 20, 20, "a", ""), grow(t, 20, 8, "a", "b")
	silent, _ := misbehave(t, "silent", func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		if r.Method == http.MethodGet {
			http.NotFound(w, r)
			return
		}
		honest.ServeHTTP(w, r)
	})
	p := policyOf(t, 1, silent)
	c := newClient(t, p)
	must[[]byte](t)(c.Cosign(t.Context(), one.checkpoint(t, 12), one.prover(12)))
	if _, err := c.Cosign(t.Context(), two.checkpoint(t, 15), two.prover(15)); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("remembered: %v", err)
	}
	// One that remembers nothing has the witness's word only.
	_, err := newClient(t, p).Cosign(t.Context(), two.checkpoint(t, 15), two.prover(15))
	var dispute *witness.DisputeError
	if errors.Is(err, ledger.ErrForked) || !errors.As(err, &dispute) || dispute.Size != 12 || dispute.Status != http.StatusUnprocessableEntity || len(dispute.Answer) == 0 {
		t.Errorf("its word: %v %+v", err, dispute)
	}
}

// What a witness shows as the other checkpoint is believed only if the log signed it.
func TestCosignAgainstAClaimedFork(t *testing.T) {
	h := grow(t, 20, 20, "a", "")
	notOurs := grow(t, 20, 8, "a", "b")
	notOurs.key = signingKey(t, origin, "not the log")
	for name, shown := range map[string]string{
		"signed by nobody": "vault.example/records\n20\nAAAA\n", "signed by another": string(notOurs.checkpoint(t, 20)), "ours, and smaller": string(h.checkpoint(t, 9)), "ours": string(h.checkpoint(t, 20)),
	} {
		liar, _ := misbehave(t, "liar", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			if r.Method == http.MethodGet {
				say(200, "", shown)(w, r, nil)
				return
			}
			say(422, "", "")(w, r, nil)
		})
		if _, err := newClient(t, policyOf(t, 1, liar)).Cosign(t.Context(), h.checkpoint(t, 20), h.prover(20)); errors.Is(err, ledger.ErrForked) || !errors.Is(err, witness.ErrDisputed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
