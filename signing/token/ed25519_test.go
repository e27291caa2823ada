package token_test

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"sync"
	"testing"

	"github.com/miekg/pkcs11"

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

// A label that has a private key without its public half, as some tools leave it, is not given to a second key.
func TestGenerateEd25519BesideHalfAKey(t *testing.T) {
	tok := open(t, "seal")
	if _, err := tok.GenerateEd25519("half"); err != nil {
		t.Fatal(err)
	}
	raw := pkcs11.New(module) // tok has initialised it, and is logged in
	defer raw.Destroy()
	slots, err := raw.GetSlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	removed := 0
	for _, slot := range slots {
		session, err := raw.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
		if err != nil {
			continue // one that is not set up
		}
		err = raw.FindObjectsInit(session, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), pkcs11.NewAttribute(pkcs11.CKA_LABEL, "half"),
		})
		if err != nil {
			t.Fatal(err)
		}
		handles, _, err := raw.FindObjects(session, 10)
		if err := errors.Join(err, raw.FindObjectsFinal(session)); err != nil {
			t.Fatal(err)
		}
		for _, h := range handles {
			if err := raw.DestroyObject(session, h); err != nil {
				t.Fatal(err)
			}
			removed++
		}
		if err := raw.CloseSession(session); err != nil {
			t.Fatal(err)
		}
	}
	if removed != 1 {
		t.Fatalf("%d public keys were removed", removed)
	}
	if _, err := tok.Ed25519("half"); !errors.Is(err, token.ErrNoKey) {
		t.Errorf("half a key is found: %v", err)
	}
	if _, err := tok.GenerateEd25519("half"); !errors.Is(err, token.ErrKeyExists) {
		t.Errorf("a key beside half a one: %v", err)
	}
}
