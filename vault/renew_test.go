package vault_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
	"trien/signing"
	"trien/vault"
	"trien/vault/vaulttest"
)

const year = 365 * 24 * time.Hour

// switched is a time-stamp authority that is replaced by a newer one.
type switched struct{ now, next signing.Timestamper }

func (s *switched) Stamp(ctx context.Context, hash crypto.Hash, imprint []byte) ([]byte, error) {
	return s.now.Stamp(ctx, hash, imprint)
}

// serveAuthority runs an authority until the test ends.
func serveAuthority(t *testing.T, now func() time.Time) *devpki.Authority {
	t.Helper()
	a, err := devpki.New(devpki.Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); a.Serve(ctx) }() //nolint:errcheck // it ends with the test
	t.Cleanup(func() { cancel(); <-done })
	return a
}

// aged is a vault whose time-stamp authority ends in ten years, and which trusts the one that follows it.
type aged struct {
	*rig
	*vaulttest.Faults
	anchors *certs.Anchors
	stamps  *switched
	start   time.Time
	exports []vault.ExportID
}

func newAged(t *testing.T, exports int) *aged {
	t.Helper()
	start := time.Now()
	clock := vaulttest.NewClock(start)
	old := serveAuthority(t, clock.Now)
	next := serveAuthority(t, func() time.Time { return later(clock.Now(), start.Add(9*year)) })
	g := &aged{Faults: new(vaulttest.Faults), anchors: certs.NewAnchors(old.Root(), next.Root()), start: start}
	stamper := func(a *devpki.Authority) signing.Timestamper {
		return signing.NewTimestamper(signing.TSAConfig{URLs: []string{a.TSA()}, Anchors: g.anchors, Now: clock.Now})
	}
	g.stamps = &switched{now: stamper(old), next: stamper(next)}
	g.rig = newRigUnder(t, old, clock, func(c *vault.Config) {
		c.Store, c.Objects = g.Store(c.Store), g.Objects(c.Objects)
		c.Anchors, c.Stamps = g.anchors, g.stamps
	})
	for range exports {
		j := g.exportJob()
		if err := g.fulfil(j.ID); err != nil {
			t.Fatal(err)
		}
		g.exports = append(g.exports, j.Export)
	}
	return g
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// grow moves the clock until the authority's certificate is nearly over, and takes the next one.
func (g *aged) grow() {
	g.clock.Set(g.start.Add(10*year - 80*24*time.Hour))
	g.stamps.now = g.stamps.next
}

func (g *aged) content(id vault.ExportID) []byte {
	g.t.Helper()
	c, err := g.OpenExport(g.t.Context(), g.staff, id)
	if err != nil {
		g.t.Fatal(err)
	}
	defer c.Close()
	b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size))
	if err != nil {
		g.t.Fatal(err)
	}
	return b
}

func (g *aged) indication(doc []byte) signing.Indication {
	g.t.Helper()
	r, err := signing.Inspect(g.t.Context(), bytes.NewReader(doc), int64(len(doc)), signing.InspectOptions{Anchors: g.anchors, At: g.clock.Now(), Strict: true})
	if err != nil {
		g.t.Fatal(err)
	}
	return r.Indication()
}

func TestRenew(t *testing.T) {
	g := newAged(t, 2)
	ctx := t.Context()
	before := map[vault.ExportID][]byte{}
	for _, id := range g.exports {
		before[id] = g.content(id)
	}
	sum, err := g.Renew(ctx, vault.Renewal{})
	if err != nil || sum.Seen != 2 || sum.Due != 0 || sum.Failed != 0 {
		t.Fatalf("when nothing is due: %+v, %v", sum, err)
	}
	g.grow()
	if sum, err = g.Renew(ctx, vault.Renewal{DryRun: true}); err != nil || sum.Due != 2 || sum.Renewed != 0 || sum.Failed != 0 {
		t.Fatalf("a dry run: %+v, %v", sum, err)
	}
	var told []vault.RenewalState
	sum, err = g.Renew(ctx, vault.Renewal{Report: func(s vault.RenewalState) { told = append(told, s) }})
	if err != nil || sum.Renewed != 2 || sum.Failed != 0 || len(told) != 2 || sum.Last != g.exports[1] {
		t.Fatalf("%+v, %v, %+v", sum, err, told)
	}
	if sum, err = g.Renew(ctx, vault.Renewal{}); err != nil || sum.Seen != 2 || sum.Due != 0 {
		t.Errorf("again: %+v, %v", sum, err)
	}
	if sum, err = g.Renew(ctx, vault.Renewal{After: g.exports[0]}); err != nil || sum.Seen != 1 {
		t.Errorf("from the first one on: %+v, %v", sum, err)
	}
	if got := g.events(vault.Renew, vault.Done); len(got) != 2 || got[1].Target.Export != g.exports[0] || got[1].Source.Agent != "trien renew" {
		t.Errorf("got %+v", got)
	}
	g.clock.Set(g.start.Add(11 * year)) // the first authority is over
	for id, was := range before {
		now := g.content(id)
		if !bytes.HasPrefix(now, was) || g.indication(now) != signing.Passed {
			t.Errorf("export %s is judged %s", id, g.indication(now))
		}
		if g.indication(was) == signing.Passed {
			t.Error("without a renewal it passes too: the test shows nothing")
		}
	}
	if _, err := g.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	g.consistent()
}

// A renewal that proves no more is not stored, again and again; one that cannot be had does not stop the others.
func TestRenewFails(t *testing.T) {
	g := newAged(t, 2)
	next := g.stamps.next
	g.stamps.next = g.stamps.now
	g.grow()
	sum, err := g.Renew(t.Context(), vault.Renewal{})
	if err != nil || sum.Due != 2 || sum.Failed != 2 || sum.Renewed != 0 {
		t.Errorf("by the old authority: %+v, %v", sum, err)
	}
	g.stamps.now = next
	g.Add(vaulttest.Fault{Method: "Objects.Open", Call: 1, When: vaulttest.Before})
	var failed []error
	sum, err = g.Renew(t.Context(), vault.Renewal{Report: func(s vault.RenewalState) {
		if s.Err != nil {
			failed = append(failed, s.Err)
		}
	}})
	if err != nil || sum.Failed != 1 || sum.Renewed != 1 || len(failed) != 1 || !errors.Is(failed[0], vault.ErrUnavailable) {
		t.Errorf("%+v, %v, %v", sum, err, failed)
	}
	g.consistentAfterSweep()
}

func (g *aged) consistentAfterSweep() {
	g.t.Helper()
	if _, err := g.Sweep(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	g.consistent()
}

func TestRenewAtOnce(t *testing.T) {
	g := newAged(t, 3)
	g.grow()
	var runs sync.WaitGroup
	sums := make([]vault.RenewalSummary, 3)
	for i := range sums {
		runs.Go(func() {
			var err error
			if sums[i], err = g.Renew(context.Background(), vault.Renewal{}); err != nil {
				t.Error(err)
			}
		})
	}
	runs.Wait()
	renewed := 0
	for _, s := range sums {
		renewed += s.Renewed
		if s.Seen != 3 || s.Failed != 0 {
			t.Errorf("got %+v", s)
		}
	}
	if renewed != 3 || len(g.events(vault.Renew, vault.Done)) != 3 {
		t.Errorf("%d renewals", renewed)
	}
	g.consistentAfterSweep()
}

// background is what workers call now and then, in a renewal or beside it.
var background = []string{
	"Store.BeatUpload", "Store.ClaimEntries", "Store.CompleteEntries", "Store.BatchEvents", "Store.ClaimBatches", "Store.CompleteBatches",
	"Log.Append", "Log.Await",
}

// TestRenewFaults fails each call that a renewal makes of the store, before and after its effect, alone and as if the process had been
// killed there: the export stays whole, and the next run renews it.
func TestRenewFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("many faults")
	}
	g := newAged(t, 1)
	g.grow()
	before := len(g.Trace())
	if _, err := g.Renew(t.Context(), vault.Renewal{}); err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	for _, c := range g.Trace()[before:] {
		calls[c.Method]++
	}
	if calls["Store.CommitRenewedExport"] != 1 {
		t.Fatalf("got %v", calls)
	}
	var missed []string
	defer func() {
		// How often an export is read differs by one between runs, as its signatures differ in length: the last read in its four forms.
		if len(missed) > 4 {
			t.Errorf("faults that were not met: %v", missed)
		}
	}()
	for method, n := range calls {
		if slices.Contains(background, method) {
			continue
		}
		for _, call := range someOf(n) {
			for _, when := range []vaulttest.When{vaulttest.Before, vaulttest.After} {
				for _, down := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s %d %s down %v", method, call, when, down), func(t *testing.T) {
						g := newAged(t, 1)
						g.grow()
						g.Add(vaulttest.Fault{Method: method, Call: call, When: when, Down: down})
						sum, err := g.Renew(t.Context(), vault.Renewal{})
						g.Up()
						if len(g.Left()) > 0 {
							missed = append(missed, t.Name()) // and the fault would strike what follows
							return
						}
						if err == nil && sum.Failed == 0 {
							t.Error("nobody was told of the failure")
						}
						if sum, err = g.Renew(t.Context(), vault.Renewal{}); err != nil || sum.Failed != 0 {
							t.Errorf("the next run: %+v, %v", sum, err)
						}
						if got := g.indication(g.content(g.exports[0])); got != signing.Passed {
							t.Errorf("judged %s", got)
						}
						g.clock.Advance(time.Hour)
						g.consistentAfterSweep()
					})
				}
			}
		}
	}
}
