package token_test

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"sync"
	"testing"

	"trien/ledger"
	"trien/signing/token"
)

// An Ed25519 key of the token signs a log's checkpoints, several at once, and another login finds it again.
func TestEd25519(t *testing.T) {
	tok := open(t, "seal")
	if _, err := tok.Ed25519("log"); !errors.Is(err, token.ErrNoKey) {
		t.Errorf("a key that is not there: %v", err)
	}
	key, err := tok.GenerateEd25519("log")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tok.GenerateEd25519("log"); !errors.Is(err, token.ErrKeyExists) {
		t.Errorf("the same label again: %v", err)
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		t.Fatalf("%T", key.Public())
	}
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			sig, err := key.Sign(nil, []byte("message"), crypto.Hash(0))
			if err != nil || !ed25519.Verify(public, []byte("message"), sig) {
				t.Errorf("%x, %v", sig, err)
			}
		})
	}
	work.Wait()
	if _, err := key.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, token.ErrFailed) {
		t.Errorf("a digest: %v", err)
	}
	if _, err := tok.Identities(); err != nil {
		t.Errorf("identities beside it: %v", err)
	}
	signer, err := ledger.NewSigner("token.example/records", key)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := ledger.NewPolicy(signer.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	signed, err := ledger.SignCheckpoint(signer, 0, ledger.EmptyRoot())
	if err == nil {
		_, err = policy.OpenCheckpoint(signed)
	}
	if err != nil {
		t.Error(err)
	}
	if err := tok.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := key.Sign(nil, []byte("message"), crypto.Hash(0)); err == nil {
		t.Error("a closed token signs")
	}
	again, err := open(t, "seal").Ed25519("log")
	if err != nil || !public.Equal(again.Public()) {
		t.Errorf("found again: %v", err)
	}
}
