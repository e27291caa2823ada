package witness

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"trien/ledger"
)

func fuzzKey(f *testing.F, name string) ledger.Signer {
	f.Helper()
	k, err := ledger.GenerateSigningKey(name)
	if err != nil {
		f.Fatal(err)
	}
	return k.Signer()
}

// FuzzServer: whatever a stranger sends, the answer is one of the protocol's, and nothing is co-signed that the log did not sign.
func FuzzServer(f *testing.F) {
	key := fuzzKey(f, "vault.example/records")
	p, err := ledger.NewPolicy(key.VerifierKey())
	if err != nil {
		f.Fatal(err)
	}
	s, err := NewServer(ServerConfig{Key: fuzzKey(f, "witness.example/w"), Logs: []*ledger.Policy{p}, Dir: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	root := ledger.SumHash([]byte("root"))
	signed, err := ledger.SignCheckpoint(key, 5, root)
	if err != nil {
		f.Fatal(err)
	}
	for _, old := range []uint64{0, 3, 5, 6} {
		f.Add(request{old: old, note: signed}.marshal())
		f.Add(request{old: old, proof: []ledger.Hash{root}, note: signed}.marshal())
	}
	f.Add([]byte("old 0\n\nvault.example/records\n5\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, err := parseRequest(body); err == nil && !bytes.Equal(r.marshal(), body) {
			t.Fatalf("second form of a request: %q", body)
		} else if err != nil && !errors.Is(err, ledger.ErrMalformed) {
			t.Fatalf("unexpected kind: %v", err)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, addCheckpointPath, bytes.NewReader(body)))
		switch w.Code {
		case 400, 403, 404, 409, 422:
		case 200:
			if !bytes.Contains(body, []byte("\nvault.example/records\n5\n")) && !bytes.Contains(body, []byte("\n\nvault.example/records\n5\n")) {
				t.Fatalf("co-signed %q", body)
			}
		default:
			t.Fatalf("status %d for %q", w.Code, body)
		}
	})
}

// FuzzAnswer: whatever a witness answers, a line that is taken from it holds.
func FuzzAnswer(f *testing.F) {
	cosigner, err := ledger.NewCosigner(fuzzKey(f, "witness.example/w"))
	if err != nil {
		f.Fatal(err)
	}
	q := question{head: ledger.Checkpoint{Origin: "vault.example/records", Size: 5, Root: ledger.SumHash([]byte("root"))}}
	line, err := cosigner.Cosign(q.head.NoteText(), time.Now())
	if err != nil {
		f.Fatal(err)
	}
	p := &peer{Witness: ledger.Witness{Name: "w", VerifierKey: cosigner.VerifierKey()}, client: &Client{clock: time.Now}}
	f.Add([]byte(line))
	f.Add([]byte(line + line))
	f.Add([]byte(strings.Replace(line, "/w ", "/x ", 1)))
	f.Add([]byte("5\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if n, err := readSize(sizeType, body); err == nil && n > 1<<63-1 {
			t.Fatalf("size %d", n)
		}
		found, err := p.readCosignature(q, body)
		if err != nil {
			if !errors.Is(err, ErrAnswer) {
				t.Fatalf("unexpected kind: %v", err)
			}
			return
		}
		if _, err := p.OpenCosignature(q.head.NoteText(), found); err != nil || !bytes.Contains(body, []byte(found)) {
			t.Fatalf("%q from %q: %v", found, body, err)
		}
	})
}
