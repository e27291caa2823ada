package vault

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"time"

	"trien/certs"
	"trien/ledger"
	"trien/vault/bundle"
)

// askPatience is how long all who are asked about one stranger's file may take together: whoever runs the places named holds up one of few turns.
const askPatience = 20 * time.Second

// Verify judges a stranger's PDF with the vault's own anchors and ledger policy. Where a signed PDF that is no export carries no evidence on
// revocation, those who answer for the certificates are asked, with the grace for viewing. Anyone may ask; nothing is kept.
func (v *Vault) Verify(ctx context.Context, r io.ReaderAt, size int64) (*bundle.Verdict, error) {
	now, left := v.now(), askPatience
	return bundle.Verify(ctx, r, size, bundle.Trust{
		Anchors: v.anchors, Policy: v.log.Policy(), At: now,
		Online: func(ctx context.Context, chain []*x509.Certificate) (*certs.Standing, error) {
			begun := time.Now()
			ctx, cancel := context.WithTimeout(ctx, left)
			defer cancel()
			defer func() { left -= time.Since(begun) }()
			return v.revocation.Check(ctx, chain, certs.ToView, now)
		},
	})
}

// Checkpoint returns the newest signed checkpoint. It is public.
func (v *Vault) Checkpoint(ctx context.Context) ([]byte, error) { return v.log.Checkpoint(ctx) }

// Consistency proves that the log of size older is a prefix of the one of size newer. It is public.
func (v *Vault) Consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error) {
	if older > newer {
		return nil, fmt.Errorf("%w: the older size is the larger one", ErrInvalid)
	}
	return v.log.Consistency(ctx, older, newer)
}

// Policy is what a stranger needs to judge receipts. It is public.
func (v *Vault) Policy() *ledger.Policy { return v.log.Policy() }

// Anchors are the roots that the vault believes in. They are public.
func (v *Vault) Anchors() *certs.Anchors { return v.anchors }

// AccessRecord lists events, newest first. Limit is cut to 500; 0 means 100. Reading it is recorded too.
func (v *Vault) AccessRecord(ctx context.Context, a Actor, q EventQuery) ([]Event, error) {
	if err := v.authorize(ctx, a, ReadAccess, a.Unit, Target{Dossier: q.Dossier}); err != nil {
		return nil, err
	}
	q.Limit = pageSize(q.Limit, 100, 500)
	if err := v.recordRead(ctx, a, ReadAccess, Target{Dossier: q.Dossier}); err != nil {
		return nil, err
	}
	return v.store.Events(ctx, q)
}

// Ready reports the ports that do not answer, by name; nil if all do.
func (v *Vault) Ready(ctx context.Context) error {
	type port struct {
		name  string
		ready func(context.Context) error
	}
	ports := []port{
		{"store", v.store.Ready}, {"objects", v.objects.Ready}, {"keys", v.keys.Ready}, {"log", v.log.Ready}, {"sealer", v.sealer.Ready},
	}
	if v.accessLog != nil {
		ports = append(ports, port{"access log", v.accessLog.Ready})
	}
	for _, port := range ports {
		if err := port.ready(ctx); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrUnavailable, port.name, err)
		}
	}
	return nil
}

// Stats are figures for monitoring.
type Stats struct {
	Pending       int           // versions that wait for their receipt
	OldestPending time.Duration // how long the oldest of them has waited

	Unlogged       int           // access events that no receipt covers yet
	OldestUnlogged time.Duration // how long the oldest of them has waited
}

// Stats counts what waits.
func (v *Vault) Stats(ctx context.Context) (Stats, error) {
	n, since, err := v.store.PendingEntries(ctx)
	if err != nil {
		return Stats{}, fmt.Errorf("counting pending entries: %w", err)
	}
	s := Stats{Pending: n}
	if n > 0 {
		s.OldestPending = v.now().Sub(since)
	}
	if s.Unlogged, since, err = v.store.UnloggedEvents(ctx); err != nil {
		return Stats{}, fmt.Errorf("counting unlogged events: %w", err)
	}
	if s.Unlogged > 0 {
		s.OldestUnlogged = v.now().Sub(since)
	}
	return s, nil
}
