package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/certs"
	"trien/ledger"
	"trien/vault/bundle"
)

// sample is the golden export of package bundle with the anchors and the policy it was made under.
func sample(t *testing.T) (file, anchors, policy []byte) {
	t.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("..", "..", "vault", "bundle", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return read("export.pdf"), read("anchors.pem"), read("policy.txt")
}

const at = "2026-11-24T08:30:00+07:00"

func TestAnswerIsTheVerdict(t *testing.T) {
	file, anchors, policy := sample(t)
	r := request{file: bytes.NewReader(file), size: int64(len(file)), anchors: anchors, policy: policy, at: at}
	a := answerTo(t.Context(), r)
	if a.Error != nil {
		t.Fatal(*a.Error)
	}
	trust, why := r.trust()
	if why != nil {
		t.Fatal(*why)
	}
	v, err := bundle.Verify(t.Context(), bytes.NewReader(file), int64(len(file)), trust)
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string]struct {
		got   string
		write func(io.Writer) error
	}{
		"JSON": {a.JSON, v.WriteJSON},
		"vi":   {a.Vi, func(w io.Writer) error { return v.WriteText(w, "vi") }},
		"en":   {a.En, func(w io.Writer) error { return v.WriteText(w, "en") }},
	} {
		var want bytes.Buffer
		if err := pair.write(&want); err != nil {
			t.Fatal(err)
		}
		if pair.got != want.String() {
			t.Errorf("%s:\n%s\nwant\n%s", name, pair.got, want.String())
		}
	}
	roots, err := certs.ParseAnchors(anchors)
	if err != nil {
		t.Fatal(err)
	}
	if b := a.Trust; len(b.Anchors) != len(roots.Certificates()) || b.Anchors[0].SHA256 != ledger.SumHash(roots.Certificates()[0].Raw).String() ||
		b.Policy.Text != string(policy) || b.Policy.SHA256 != ledger.SumHash(policy).String() {
		t.Errorf("judged by %+v", b)
	}
}

// What is not given is not believed; what is given and cannot be used is no verdict.
func TestTrust(t *testing.T) {
	file, anchors, policy := sample(t)
	a := answerTo(t.Context(), request{file: bytes.NewReader(file), size: int64(len(file))})
	if a.Error != nil || !strings.Contains(a.JSON, "anchors_missing") || !strings.Contains(a.JSON, "policy_missing") || a.Trust.Policy != nil {
		t.Errorf("without trust: %+v", a)
	}
	if b, err := json.Marshal(a.Trust); err != nil || string(b) != `{"anchors":[]}` {
		t.Errorf("without trust the page gets %s %v", b, err)
	}
	for code, r := range map[string]request{
		badAnchors: {anchors: []byte{}, policy: policy},
		badPolicy:  {anchors: anchors, policy: []byte("log\n")},
		badTime:    {anchors: anchors, policy: policy, at: "yesterday"},
	} {
		r.file, r.size = bytes.NewReader(file), int64(len(file))
		if a := answerTo(t.Context(), r); a.Error == nil || a.Error.Code != code || a.Error.Detail == "" || a.JSON != "" {
			t.Errorf("%s: %+v", code, a)
		}
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) {
	if f.err == nil {
		panic("a fault")
	}
	return 0, f.err
}

func TestFailureIsNoVerdict(t *testing.T) {
	for code, err := range map[string]error{unreadable: errors.New("the file is gone"), crashed: nil} {
		a := answerTo(context.Background(), request{file: failing{err}, size: 10})
		if a.Error == nil || a.Error.Code != code || a.JSON != "" {
			t.Errorf("%s: %+v", code, a)
		}
	}
}
