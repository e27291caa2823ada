package vaulttest

import (
	"bytes"
	"context"

	"trien/vault"
)

// SetSignaturePicture sets an account's picture; the zero one takes it away.
func (s *MemoryStore) SetSignaturePicture(ctx context.Context, id vault.AccountID, p vault.SealedPicture, e vault.Event) error {
	return s.do(ctx, func() error {
		_, err := get(s.accounts, id, "account")
		whole := (len(p.WrappedKey) > 0) == (len(p.Sealed) > 0)
		if err := first(err, valid(whole, "a picture without its key, or a key without its picture"), s.checkEvent(e)); err != nil {
			return err
		}
		delete(s.pictures, id)
		if len(p.Sealed) > 0 {
			s.pictures[id] = vault.SealedPicture{WrappedKey: bytes.Clone(p.WrappedKey), Sealed: bytes.Clone(p.Sealed)}
		}
		s.record(e)
		return nil
	})
}

// SignaturePicture reads an account's picture.
func (s *MemoryStore) SignaturePicture(ctx context.Context, id vault.AccountID) (vault.SealedPicture, error) {
	return look(ctx, s, func() (vault.SealedPicture, error) {
		p, err := get(s.pictures, id, "picture of the signature of account")
		return vault.SealedPicture{WrappedKey: bytes.Clone(p.WrappedKey), Sealed: bytes.Clone(p.Sealed)}, err
	})
}
