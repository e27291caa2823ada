package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
)

// least is what any signer does at the least: it copies the file, hashes it, and asks the key once. It makes no signature that anybody could find;
// that it is so fast says how fast a signer could be, and which goals none can meet.
type least struct {
	task
	key   crypto.Signer
	check bool // the key's signature, as who does not want to hand out a wrong one must
	block []byte
}

func newLeast(_ context.Context, t task) (func() error, error) { return leastOf(t, false) }

func newLeastChecked(_ context.Context, t task) (func() error, error) { return leastOf(t, true) }

func leastOf(t task, check bool) (func() error, error) {
	id, err := readIdentity(t)
	if err != nil {
		return nil, err
	}
	l := &least{task: t, key: id.key, check: check, block: make([]byte, 256<<10)}
	return l.work, nil
}

func (l *least) work() error {
	return l.copying(func(in, _ *os.File, size int64, copied <-chan error) error {
		h := sha256.New()
		_, err := io.CopyBuffer(h, struct{ io.Reader }{io.NewSectionReader(in, 0, size)}, l.block) // WriterTo would not use the block
		if err := errors.Join(err, <-copied); err != nil {
			return err
		}
		digest := h.Sum(nil)
		signature, err := l.key.Sign(rand.Reader, digest, crypto.SHA256)
		if err != nil || !l.check {
			return err
		}
		return checkAlone(l.key.Public(), digest, signature)
	})
}

// checkAlone verifies a signature over a digest of SHA-256.
func checkAlone(pub crypto.PublicKey, digest, signature []byte) error {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(k, crypto.SHA256, digest, signature)
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(k, digest, signature) {
			return nil
		}
		return errors.New("the signature does not verify")
	}
	return fmt.Errorf("key of type %T", pub)
}
