package objects

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"trien/vault"
)

// probePrefix begins the keys of probes. A crash leaves one behind; it is known to nobody, so the sweeper takes it.
const probePrefix = "probe-"

// probe puts an object twice, in both ways that Put has: the second must be refused, and the first be what it was.
func (s *Store) probe(ctx context.Context) (err error) {
	key := probePrefix + rand.Text()
	defer func() { err = errors.Join(err, s.Delete(context.WithoutCancel(ctx), key)) }()
	if err := s.putWhole(ctx, key, []byte(key)); err != nil {
		return err
	}
	if err := s.putWhole(ctx, key, []byte("other")); !errors.Is(err, vault.ErrConflict) {
		return refusal("an object", err)
	}
	u := &partsUpload{Store: s, key: key, token: rand.Text()}
	if err := u.beginUnseen(ctx); err != nil {
		return err
	}
	if err := u.send(ctx, []byte("other")); err != nil {
		return errors.Join(err, u.abort(ctx))
	}
	if err := u.complete(ctx); !errors.Is(err, vault.ErrConflict) {
		return errors.Join(refusal("an object in parts", err), u.abort(ctx))
	}
	if err := u.abort(ctx); err != nil {
		return err
	}
	got := make([]byte, len(key))
	r, err := s.Open(ctx, key, int64(len(key)))
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if _, err := r.ReadAt(got, 0); err != nil {
		return err
	}
	if !bytes.Equal(got, []byte(key)) {
		return fmt.Errorf("%w: a refused put changed the object", ErrUnsupported)
	}
	return nil
}

func refusal(what string, err error) error {
	if err == nil {
		return fmt.Errorf("%w: %s was put over another", ErrUnsupported, what)
	}
	return err
}
