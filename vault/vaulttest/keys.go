package vaulttest

import (
	"context"
	"errors"
	"testing"

	"trien/vault"
	"trien/vault/envelope"
)

// MemoryKeys is a [vault.KeyWrapper] whose key lives and ends with it. It does the cryptography that the real one does.
type MemoryKeys struct{ root envelope.DataKey }

// NewMemoryKeys draws a fresh root key.
func NewMemoryKeys() *MemoryKeys { return &MemoryKeys{root: envelope.NewDataKey()} }

var _ vault.KeyWrapper = (*MemoryKeys)(nil)

// Wrap encrypts key, bound to place.
func (m *MemoryKeys) Wrap(ctx context.Context, key envelope.DataKey, place []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return envelope.SealBytes(m.root, key[:], place), nil
}

// Unwrap decrypts what Wrap made.
func (m *MemoryKeys) Unwrap(ctx context.Context, wrapped, place []byte) (envelope.DataKey, error) {
	if err := ctx.Err(); err != nil {
		return envelope.DataKey{}, err
	}
	b, err := envelope.OpenBytes(m.root, wrapped, place)
	if err != nil {
		return envelope.DataKey{}, err
	}
	if len(b) != len(envelope.DataKey{}) {
		return envelope.DataKey{}, envelope.ErrTampered
	}
	return envelope.DataKey(b), nil
}

// Ready says yes.
func (m *MemoryKeys) Ready(ctx context.Context) error { return ctx.Err() }

// KeyWrapper is the suite that every [vault.KeyWrapper] must pass. open returns a fresh one each time, with a key of its own.
func KeyWrapper(t *testing.T, open func(t *testing.T) vault.KeyWrapper) {
	ctx := t.Context()
	place := []byte("party\x000192a1b2-0000-7000-8000-000000000001")
	k := open(t)
	key := envelope.NewDataKey()
	wrapped, err := k.Wrap(ctx, key, place)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("RoundTrip", func(t *testing.T) {
		if got, err := k.Unwrap(ctx, wrapped, place); err != nil || got != key {
			t.Fatal(err)
		}
		again, err := k.Wrap(ctx, key, place)
		if err != nil || string(again) == string(wrapped) {
			t.Fatal("the same key wraps to the same bytes:", err)
		}
		if len(wrapped) > 512 {
			t.Fatalf("%d bytes for a wrapped key", len(wrapped))
		}
		if empty, err := k.Wrap(ctx, key, nil); err != nil {
			t.Fatal(err)
		} else if got, err := k.Unwrap(ctx, empty, []byte{}); err != nil || got != key {
			t.Fatal("without a place:", err)
		}
	})
	t.Run("AnotherPlace", func(t *testing.T) {
		for _, other := range [][]byte{nil, place[1:], place[:len(place)-1], append([]byte("x"), place...), append(append([]byte{}, place...), 0)} {
			if _, err := k.Unwrap(ctx, wrapped, other); !errors.Is(err, envelope.ErrTampered) {
				t.Fatalf("%q: %v", other, err)
			}
		}
	})
	t.Run("Tampered", func(t *testing.T) {
		for i := range wrapped {
			bad := append([]byte{}, wrapped...)
			bad[i] ^= 1
			// A key that names another key to open it may be told apart from one that was changed: neither opens.
			if _, err := k.Unwrap(ctx, bad, place); !errors.Is(err, envelope.ErrTampered) && !errors.Is(err, envelope.ErrNoKey) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
		for n := range wrapped {
			if _, err := k.Unwrap(ctx, wrapped[:n], place); !errors.Is(err, envelope.ErrTampered) {
				t.Fatalf("cut at %d: %v", n, err)
			}
		}
	})
	t.Run("AnotherWrapper", func(t *testing.T) {
		if _, err := open(t).Unwrap(ctx, wrapped, place); !errors.Is(err, envelope.ErrTampered) && !errors.Is(err, envelope.ErrNoKey) {
			t.Fatal(err)
		}
	})
	t.Run("Ready", func(t *testing.T) {
		if err := k.Ready(ctx); err != nil {
			t.Fatal(err)
		}
	})
}
