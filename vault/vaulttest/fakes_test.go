package vaulttest_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/certs/devpki"
	"trien/ledger"
	"trien/signing"
	"trien/vault"
	"trien/vault/vaulttest"
)

func TestMemoryLog(t *testing.T) {
	vaulttest.Log(t, func(*testing.T) vault.Log { return vaulttest.NewLog() })
}

func TestMemoryLogHolds(t *testing.T) {
	log := vaulttest.NewLog()
	if err := log.Hold(true); err != nil {
		t.Fatal(err)
	}
	e := ledger.Entry{Identity: ledger.VersionIdentity(uuid.New()), Leaf: ledger.Leaf("leaf")}
	if err := log.Append(t.Context(), []ledger.Entry{e}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := log.Await(ctx, e); !errors.Is(err, ledger.ErrNotLogged) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Await while held: %v", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := log.Await(t.Context(), e)
		done <- err
	}()
	if err := log.Hold(false); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || log.Size() != 1 {
		t.Fatalf("Await after the hold: %v, size %d", err, log.Size())
	}
}

// The tree's own proofs hold at every size and for every leaf, judged by another implementation.
func TestMemoryLogProofs(t *testing.T) {
	log := vaulttest.NewLog()
	var entries []ledger.Entry
	var heads []ledger.Checkpoint
	for range 33 {
		e := ledger.Entry{Identity: ledger.VersionIdentity(uuid.New()), Leaf: ledger.Leaf(uuid.NewString())}
		entries = append(entries, e)
		if err := log.Append(t.Context(), []ledger.Entry{e}); err != nil {
			t.Fatal(err)
		}
		for i, e := range entries {
			r, err := log.Await(t.Context(), e) // verifies
			if err != nil || r.Index != uint64(i) {
				t.Fatalf("leaf %d of %d: index %d, %v", i, len(entries), r.Index, err)
			}
		}
		signed, err := log.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		head, err := log.Policy().OpenCheckpoint(signed)
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, head)
		for _, older := range heads {
			path, err := log.Consistency(t.Context(), older.Size, head.Size)
			if err != nil {
				t.Fatal(err)
			}
			if err := ledger.CheckConsistency(older, head, path); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestSealer(t *testing.T) {
	authority, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := authority.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := vaulttest.NewSealer(func(key crypto.PublicKey) (*x509.Certificate, error) {
		return authority.IssueSeal(devpki.Subject{CommonName: "Văn phòng Tỉnh ủy Thử Nghiệm"}, key)
	}, authority.Intermediates()...)
	if err != nil {
		t.Fatal(err)
	}
	attributes := []byte("signed attributes")
	value, err := s.Seal(t.Context(), signing.ECDSASHA256, attributes, "test")
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(attributes)
	if key, ok := s.Certificate().PublicKey.(*ecdsa.PublicKey); !ok || !ecdsa.VerifyASN1(key, digest[:], value) {
		t.Error("the seal does not verify under its certificate")
	}
	if err := s.Certificate().CheckSignatureFrom(s.Chain()[0]); err != nil {
		t.Errorf("the chain does not issue the certificate: %v", err)
	}
}

func TestClock(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := vaulttest.NewClock(start)
	if got := c.Advance(time.Hour); !got.Equal(start.Add(time.Hour)) || !c.Now().Equal(got) {
		t.Errorf("after an hour the clock shows %s", c.Now())
	}
	c.Set(start)
	if !c.Now().Equal(start) {
		t.Errorf("the clock shows %s", c.Now())
	}
}

func TestMemoryStore(t *testing.T) {
	vaulttest.Store(t, func(*testing.T) vault.Store { return vaulttest.NewMemoryStore() })
}
