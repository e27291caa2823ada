package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"trien/ledger"
	"trien/signing"
)

// RenewBefore is how long before the certificate of its newest document time-stamp ends an export is renewed, unless told otherwise.
const RenewBefore = 90 * 24 * time.Hour

// renewPage is how many exports are listed at once.
const renewPage = 100

// Renewal says which exports are renewed. Zero fields take their defaults.
type Renewal struct {
	Before time.Duration      // default [RenewBefore]
	After  ExportID           // go on behind this one
	DryRun bool               // say what is due and change nothing
	Report func(RenewalState) // is told of every export that was looked at; nil: nobody is
}

// RenewalState is what became of one export.
type RenewalState struct {
	Export  ExportID
	Due     bool      // its proof ended too soon
	Renewed bool      // and was renewed
	Ends    time.Time // when the proof of its newest document time-stamp ends, after the renewal if there was one
	Err     error     // why it could not be judged or renewed
}

// RenewalSummary counts exports.
type RenewalSummary struct {
	Seen, Due, Renewed, Failed int
	Last                       ExportID // the last one looked at: where to go on
}

// Renew adds a document time-stamp to every signed export whose newest one ends too soon (EN 319 142-1, B-LTA): what proves the old
// time-stamp is collected while its authority still answers, and the new one covers all of it. Exports are walked in the order of their ids.
// One that fails does not stop the others; an error means that the walk itself could not go on, and it may be taken up after Last.
//
// The renewed document is stored and judged before it takes the place of the old one, so a crash leaves the old one. Any number of
// walks may run at once: of two renewals of one export the first one stands. Approved versions are not renewed: their bytes are in the
// ledger, whose receipt dates them, and an export made of them carries time-stamps of its own.
func (v *Vault) Renew(ctx context.Context, o Renewal) (RenewalSummary, error) {
	if o.Before == 0 {
		o.Before = RenewBefore
	}
	sum := RenewalSummary{Last: o.After}
	for {
		page, err := v.store.Exports(ctx, sum.Last, renewPage)
		if err != nil {
			return sum, fmt.Errorf("listing exports: %w", err)
		}
		for _, x := range page {
			if x.State != Signed {
				sum.Last = x.ID
				continue
			}
			state := v.renewExport(ctx, x, o)
			if err := ctx.Err(); err != nil {
				return sum, err
			}
			sum.count(state)
			if o.Report != nil {
				o.Report(state)
			}
		}
		if len(page) < renewPage {
			return sum, nil
		}
	}
}

func (s *RenewalSummary) count(state RenewalState) {
	s.Last = state.Export
	s.Seen++
	if state.Due {
		s.Due++
	}
	if state.Renewed {
		s.Renewed++
	}
	if state.Err != nil {
		s.Failed++
	}
}

// renewExport judges one export and renews it if it is due.
func (v *Vault) renewExport(ctx context.Context, x Export, o Renewal) RenewalState {
	state := RenewalState{Export: x.ID}
	d, err := v.store.Dossier(ctx, x.Dossier)
	if err != nil {
		state.Err = fmt.Errorf("reading dossier %s: %w", x.Dossier, err)
		return state
	}
	base, _, err := v.openSealed(ctx, x.Object, associated(d.Register, x.ID.UUID))
	if err != nil {
		state.Err = fmt.Errorf("opening export %s: %w", x.ID, err)
		return state
	}
	defer base.Close()
	if state.Ends, state.Err = v.proofEnds(ctx, base, base.Size()); state.Err != nil {
		return state
	}
	if state.Due = state.Ends.Before(v.now().Add(o.Before)); !state.Due || o.DryRun {
		return state
	}
	ends, err := v.restamp(ctx, x, d.Register, base, state.Ends)
	switch {
	case errors.Is(err, ErrStale): // another walk was faster
	case err != nil:
		state.Err = fmt.Errorf("renewing export %s: %w", x.ID, err)
	default:
		state.Renewed, state.Ends = true, ends
	}
	return state
}

// proofEnds judges a document and says when the first certificate of its newest document time-stamp ends.
func (v *Vault) proofEnds(ctx context.Context, r io.ReaderAt, size int64) (time.Time, error) {
	report, err := signing.Inspect(ctx, r, size, signing.InspectOptions{Anchors: v.anchors, At: v.now()})
	if err != nil {
		return time.Time{}, fmt.Errorf("judging an export: %w", err)
	}
	if report.Indication() != signing.Passed {
		return time.Time{}, fmt.Errorf("%w: a stored export is judged %s: no time-stamp makes up for that", ErrSignature, report.Indication())
	}
	last := report.Signatures[len(report.Signatures)-1]
	if last.Kind != signing.KindTimestamp || len(last.Chain) == 0 {
		return time.Time{}, nil // no document time-stamp stands last: it is due
	}
	ends := last.Chain[0].NotAfter
	for _, c := range last.Chain {
		if c.NotAfter.Before(ends) {
			ends = c.NotAfter
		}
	}
	return ends, nil
}

// restamp stores the document with a new document time-stamp in the place of the old one, and says when the new proof ends.
func (v *Vault) restamp(ctx context.Context, x Export, register Register, base *opened, old time.Time) (time.Time, error) {
	doc := &growing{base: base, size: base.Size()}
	if err := v.preserve(ctx, doc); err != nil {
		return time.Time{}, err
	}
	ends, err := v.proofEnds(ctx, doc, doc.size)
	if err != nil {
		return time.Time{}, err
	}
	if !ends.After(old) {
		return time.Time{}, fmt.Errorf("%w: the time-stamp authority's own certificate ends no later: a new time-stamp would prove no more", ErrUnavailable)
	}
	// The upload is in the name of the person whose export it is: the operator has no account.
	in, _, err := v.begin(ctx, Actor{Account: x.Requester}, "", ledger.Hash{}, associated(register, x.ID.UUID))
	if err != nil {
		return time.Time{}, err
	}
	defer in.end()
	if err := in.put(io.NewSectionReader(doc, 0, doc.size), doc.size, doc.size); err != nil {
		return time.Time{}, err
	}
	if err := v.judge(in, true); err != nil {
		return time.Time{}, err
	}
	replaced := x.Object.Key
	x.Size, x.SHA256, x.Object = in.size, in.hash, in.object
	event := v.event(Actor{Source: Source{Agent: "trien renew"}}, Renew, Target{Dossier: x.Dossier, Export: x.ID})
	if err := v.store.CommitRenewedExport(in.ctx, in.upload.ID, x, replaced, event); err != nil {
		return time.Time{}, fmt.Errorf("committing it: %w", err)
	}
	in.committed = true
	return ends, nil
}
