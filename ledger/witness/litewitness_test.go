package witness_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"filippo.io/torchwood"

	"trien/ledger"
	"trien/ledger/witness"
	"trien/ledger/witness/witnesstest"
)

func startLitewitness(t testing.TB, name string) (*witnesstest.Litewitness, place) {
	t.Helper()
	w := witnesstest.StartLitewitness(t, "witness.example/"+name, signingKey(t, origin, "log").VerifierKey())
	return w, place{name, w.VerifierKey, w.URL}
}

// Other people's witnesses, as processes, beside one of ours: all up, one down, one back.
func TestLitewitness(t *testing.T) {
	h := grow(t, 200, 200, "a", "")
	a, atA := startLitewitness(t, "a")
	b, atB := startLitewitness(t, "b")
	p := policyOf(t, 2, atA, atB, serve(t, "ours"))
	c := newClient(t, p)
	cosign := func(size uint64, want int) {
		t.Helper()
		signed := h.checkpoint(t, size)
		cosigned := must[[]byte](t)(c.Cosign(t.Context(), signed, h.prover(size)))
		if opened := must[ledger.Checkpoint](t)(p.OpenCheckpoint(cosigned)); len(opened.Witnessed) != want || opened.Size != size {
			t.Errorf("size %d: %+v", size, opened)
		}
		policy := must[torchwood.Policy](t)(torchwood.ParsePolicy(p.Text()))
		if theirs, _, err := torchwood.VerifyCheckpoint(cosigned, policy); err != nil || theirs.N != int64(size) {
			t.Errorf("size %d: others see %+v, %v", size, theirs, err)
		}
	}
	for _, size := range []uint64{1, 2, 2, 7, 100} {
		cosign(size, 3)
	}
	a.Kill(t)
	cosign(130, 2)
	b.Kill(t)
	signed := h.checkpoint(t, 140)
	if cosigned, err := c.Cosign(t.Context(), signed, h.prover(140)); !errors.Is(err, witness.ErrQuorum) || bytes.Equal(cosigned, signed) {
		t.Errorf("one of three: %v", err)
	}
	a.Start(t)
	b.Start(t)
	cosign(200, 3)
	for _, s := range c.Status() {
		if s.Size != 200 || s.LastError != "" {
			t.Errorf("status %+v", s)
		}
	}
}

// A split view is refused by a witness that is not ours. It shows no checkpoint: its answer is the evidence, and, for who
// remembers what it co-signed, the first note.
func TestLitewitnessRefusesASplitView(t *testing.T) {
	one, two := grow(t, 40, 40, "a", ""), grow(t, 40, 8, "a", "b")
	_, at := startLitewitness(t, "a")
	p := policyOf(t, 1, at)
	first := newClient(t, p)
	must[[]byte](t)(first.Cosign(t.Context(), one.checkpoint(t, 20), one.prover(20)))
	for _, size := range []uint64{12, 20, 21, 40} {
		signed := two.checkpoint(t, size)
		cosigned, err := newClient(t, p).Cosign(t.Context(), signed, two.prover(size))
		var dispute *witness.DisputeError
		if !errors.As(err, &dispute) || !errors.Is(err, witness.ErrQuorum) || errors.Is(err, ledger.ErrForked) || !bytes.Equal(cosigned, signed) {
			t.Fatalf("size %d: %v", size, err)
		}
		t.Logf("size %d: it answers %d %q at its size %d", size, dispute.Status, dispute.Answer, dispute.Size)
		if dispute.Size != 20 || dispute.Witness != "a" || !bytes.Equal(dispute.Ours, signed) {
			t.Errorf("size %d: %+v", size, dispute)
		}
	}
	_, err := first.Cosign(t.Context(), two.checkpoint(t, 25), two.prover(25))
	var fork *witness.ForkError
	if !errors.As(err, &fork) || !bytes.Equal(fork.Theirs, one.checkpoint(t, 20)) || !bytes.Equal(fork.Ours, two.checkpoint(t, 25)) {
		t.Errorf("remembered: %v", err)
	}
	// The log's true history goes on.
	must[[]byte](t)(first.Cosign(t.Context(), one.checkpoint(t, 40), one.prover(40)))
}

// Our server and the other one answer the same requests alike.
func TestServerAnswersAsLitewitness(t *testing.T) {
	one, two := grow(t, 20, 20, "a", ""), grow(t, 20, 8, "a", "b")
	stranger := grow(t, 20, 20, "a", "")
	stranger.key = signingKey(t, origin, "not the log")
	elsewhere := grow(t, 20, 20, "a", "")
	elsewhere.key = signingKey(t, "vault.example/other", "log")
	_, theirs := startLitewitness(t, "a")
	ours := serve(t, "ours")
	ask := func(url, body string) (int, string, string) {
		resp, err := http.Post(url+"/add-checkpoint", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		answer := must[[]byte](t)(io.ReadAll(resp.Body))
		return resp.StatusCode, resp.Header.Get("Content-Type"), string(answer)
	}
	proofLines := func(h *history, older, newer uint64) string {
		var b strings.Builder
		for _, hash := range must[[]ledger.Hash](t)(h.proof(older, newer)) {
			fmt.Fprintln(&b, base64.StdEncoding.EncodeToString(hash[:]))
		}
		return b.String()
	}
	body := func(old uint64, proof string, h *history, size uint64) string {
		return fmt.Sprintf("old %d\n%s\n%s", old, proof, h.checkpoint(t, size))
	}
	for _, test := range []struct {
		name, body string
		want       int
	}{
		{"no old size", "\n" + string(one.checkpoint(t, 5)), 400},
		{"old size of letters", "old x\n\n" + string(one.checkpoint(t, 5)), 400},
		{"unknown log", body(0, "", elsewhere, 5), 404},
		{"unknown key", body(0, "", stranger, 5), 403},
		{"a size that it never saw", body(3, proofLines(one, 3, 5), one, 5), 409},
		{"the first", body(0, "", one, 5), 200},
		{"the first again", body(0, "", one, 5), 409},
		{"the same again", body(5, "", one, 5), 200},
		{"growth", body(5, proofLines(one, 5, 12), one, 12), 200},
		{"the old size is larger", body(12, "", one, 5), 400},
		{"rolled back", body(5, "", one, 5), 409},
		{"no proof", body(12, "", one, 20), 422},
		{"another history", body(12, proofLines(two, 12, 20), two, 20), 422},
		{"too many lines of proof", body(12, strings.Repeat(strings.Repeat("A", 43)+"=\n", 64), one, 20), 400},
		{"a line of proof that is none", body(12, "x\n", one, 20), 400},
		{"growth in the end", body(12, proofLines(one, 12, 20), one, 20), 200},
	} {
		status, kind, answer := ask(ours.url, test.body)
		if status != test.want {
			t.Errorf("%s: ours answers %d %q, want %d", test.name, status, answer, test.want)
		}
		otherStatus, otherKind, otherAnswer := ask(theirs.url, test.body)
		if otherStatus != status || status == 409 && (otherKind != kind || otherAnswer != answer) {
			t.Errorf("%s: ours answers %d %s %q, litewitness %d %s %q", test.name, status, kind, answer, otherStatus, otherKind, otherAnswer)
		}
	}
}
