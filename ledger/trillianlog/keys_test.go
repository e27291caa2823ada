package trillianlog

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/tiles"
)

func newKey(t *testing.T) *ledger.SigningKey {
	t.Helper()
	key, err := ledger.GenerateSigningKey(logKey().Origin())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// rotate runs a log with both keys until the new one has taken over.
func rotate(t *testing.T, cfg Config, next *ledger.SigningKey) {
	t.Helper()
	cfg.Next = next.Signer()
	l := startLog(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.Rotate(ctx); err != nil {
		t.Fatal(err)
	}
	l.stop(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func underKey(cfg Config, key *ledger.SigningKey) Config {
	cfg.Signer, cfg.VerifierKey = key.Signer(), key.VerifierKey()
	return cfg
}

func TestRotate(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	cfg := publicConfig(database, public)
	l := startLog(t, cfg)
	appendAll(t, l.Log, entries(0, 10))
	early := awaitOne(t, l.Log, entry(3))
	shownSize(t, l.Log, public, 10)
	l.stop(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	key := newKey(t)
	rotate(t, cfg, key)
	rotate(t, cfg, key) // again: nothing is left to do

	// Whoever still has the old key alone is told so.
	if _, err := Open(t.Context(), cfg); !errors.Is(err, ledger.ErrPolicy) {
		t.Errorf("Open with the old key: %v", err)
	}
	l = startLog(t, underKey(cfg, key))
	policy := l.Policy()
	if keys := policy.LogKeys(); len(keys) != 2 || keys[0] != key.VerifierKey() || keys[1] != logKey().VerifierKey() {
		t.Errorf("keys %v", keys)
	}
	both := headOf(t, l.Log)
	if both.Size != 11 || both.Key != key.VerifierKey() {
		t.Errorf("head %+v", both)
	}
	signed, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]string{"the old key alone": logKey().VerifierKey(), "the new key alone": key.VerifierKey()} {
		one, err := ledger.NewPolicy(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := one.OpenCheckpoint(signed); !errors.Is(err, ledger.ErrPolicy) {
			t.Errorf("%s opens the checkpoint of both: %v", name, err)
		}
	}
	if _, err := ledger.Verify(policy, entry(3).Leaf, early); err != nil {
		t.Errorf("a receipt under the old key: %v", err)
	}
	appendAll(t, l.Log, entries(10, 20))
	if c := shownSize(t, l.Log, public, 21); c.Key != key.VerifierKey() {
		t.Errorf("published under %s", c.Key)
	}
	one, err := ledger.NewPolicy(key.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	if signed, err = l.Checkpoint(t.Context()); err == nil {
		_, err = one.OpenCheckpoint(signed)
	}
	if err != nil {
		t.Errorf("a later checkpoint is not the new key's alone: %v", err)
	}
	keys, err := Keys(t.Context(), database, l.origin)
	if err != nil || len(keys) != 2 {
		t.Errorf("Keys: %v, %v", keys, err)
	}
}

// The rotation dies after its event was appended: a node with the old key signs what was before it and nothing past it, and
// the rotation goes on where it was.
func TestRotationCutShort(t *testing.T) {
	database := newDatabase(t)
	cfg := testConfig(database)
	var out lines
	cfg.Logger = slog.New(slog.NewTextHandler(&out, nil))
	key := newKey(t)
	withNext := cfg
	withNext.Next = key.Signer()
	l := openLog(t, withNext)
	e, err := l.rotationEntry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Append(t.Context(), entries(0, 5)); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(t.Context(), []ledger.Entry{e}); err != nil {
		t.Fatal(err)
	}

	old := startLog(t, cfg)
	if err := old.Append(t.Context(), entries(5, 8)); err != nil {
		t.Fatal(err)
	}
	for out.count("log sequencer cannot work") == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	if c := headOf(t, old.Log); c.Size > 5 {
		t.Errorf("the old key signed size %d", c.Size)
	}
	old.stop(t)

	time.Sleep(time.Millisecond) // another time than that of the event
	rotate(t, cfg, key)
	again := startLog(t, underKey(cfg, key))
	appendAll(t, again.Log, entries(0, 10))
	exactlyOnce(t, again.Log, database, append(entries(0, 10), e), 0)
}

// The process dies between the handing over and its publishing: strangers are still shown the checkpoint that both keys signed.
func TestRotationIsPublished(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	cfg := publicConfig(database, public)
	l := startLog(t, cfg)
	appendAll(t, l.Log, entries(0, 3))
	shownSize(t, l.Log, public, 3)
	l.stop(t)
	key := newKey(t)
	unpublished := cfg
	unpublished.Public = nil
	rotate(t, unpublished, key)
	grown := startLog(t, underKey(unpublished, key))
	appendAll(t, grown.Log, entries(3, 6))
	grown.stop(t)
	public.order = nil
	again := startLog(t, underKey(cfg, key))
	shownSize(t, again.Log, public, 7)
	again.stop(t)
	checkpoints := 0
	for _, path := range public.order {
		if path == tiles.CheckpointPath {
			checkpoints++
		}
	}
	if checkpoints < 2 {
		t.Errorf("%d checkpoints were published: not the one of both keys", checkpoints)
	}
}
