package vault_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"trien/ledger"
	"trien/vault"
	"trien/vault/vaulttest"
)

// logged brings all events into the access log.
func (r *rig) logged() {
	r.t.Helper()
	r.clock.Advance(time.Hour)
	stop := r.work()
	defer stop()
	r.eventually(func() bool {
		n, _, err := r.store.UnloggedEvents(r.t.Context())
		return err == nil && n == 0
	})
}

// TestEventProof proves every event there is to a stranger who has text, salt, proof and policy.
func TestEventProof(t *testing.T) {
	r := newRig(t)
	v := r.deposit(cv(r.dossier()), samplePDF())
	r.read(r.staff, v.ID)
	if _, err := r.Version(t.Context(), r.far, v.ID); err == nil {
		t.Fatal("staff of another unit read a version")
	}
	all, err := r.store.Events(t.Context(), vault.EventQuery{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.EventProof(t.Context(), r.auditor, all[0].ID); !errors.Is(err, vault.ErrNotLogged) {
		t.Errorf("a proof before the batch: %v", err)
	}
	r.logged()
	for _, e := range all {
		p, err := r.EventProof(t.Context(), r.auditor, e.ID)
		if err != nil {
			t.Fatalf("%s: %v", e.Action, err)
		}
		proof, err := ledger.ParseEventProof(p.Proof)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.VerifyEvent(r.accessLog.Policy(), p.Text, p.Salt, proof); err != nil {
			t.Errorf("%s: %v", e.Action, err)
		}
		if _, err := ledger.VerifyEvent(r.log.Policy(), p.Text, p.Salt, proof); !errors.Is(err, ledger.ErrPolicy) {
			t.Errorf("the proof holds for the other log: %v", err)
		}
		said, err := ledger.ParseEvent(p.Text)
		if err != nil || said.Event != e.ID.UUID || said.Action != string(e.Action) || !said.Time.Equal(e.Time) ||
			said.Account != e.Account.UUID || said.Dossier != e.Target.Dossier.UUID || said.Outcome != string(e.Outcome) {
			t.Errorf("the text says\n%s of %+v: %v", p.Text, e, err)
		}
		for _, secret := range []string{e.Source.Address, e.Purpose, "Người", "Nguyễn"} {
			if secret != "" && strings.Contains(string(p.Text), secret) {
				t.Errorf("the text holds %q", secret)
			}
		}
	}
	if n := len(r.events(vault.ReadAccess, vault.Done)); n != len(all)+1 {
		t.Errorf("%d proofs were read, and %d reads recorded", len(all)+1, n)
	}
}

// TestTamperedEvent changes each part of an event in the database: its proof fails, and those of its neighbours hold.
func TestTamperedEvent(t *testing.T) {
	store := vaulttest.NewMemoryStore()
	r := newRig(t, func(c *vault.Config) { c.Store = store })
	v := r.deposit(cv(r.dossier()), samplePDF())
	r.read(r.staff, v.ID)
	r.read(r.staff, v.ID)
	r.logged()
	reads := r.events(vault.Disclose, vault.Done)
	other := r.events(vault.Deposit, vault.Done)[0].Target
	other.Dossier = vault.DossierID{UUID: other.Version.UUID}
	for what, change := range map[string]func(e *vault.Event){
		"time": func(e *vault.Event) { e.Time = e.Time.Add(time.Microsecond) }, "account": func(e *vault.Event) { e.Account = r.far.Account },
		"session": func(e *vault.Event) { e.Session.UUID = other.Version.UUID }, "unit": func(e *vault.Event) { e.Unit = r.otherUnit.ID },
		"role": func(e *vault.Event) { e.Role = vault.Official }, "device": func(e *vault.Event) { e.Device.UUID = other.Version.UUID },
		"action": func(e *vault.Event) { e.Action = vault.ReadDossier }, "outcome": func(e *vault.Event) { e.Outcome = vault.Refused },
		"reason": func(e *vault.Event) { e.Reason = "role" }, "purpose": func(e *vault.Event) { e.Purpose = "khác" },
		"target": func(e *vault.Event) { e.Target = other }, "address": func(e *vault.Event) { e.Source.Address = "127.0.0.2" },
		"agent": func(e *vault.Event) { e.Source.Agent = "other" }, "no word": func(e *vault.Event) { e.Action = "Disclose\n" },
	} {
		before := reads[0]
		store.TamperEvent(before.ID, change)
		_, err := r.EventProof(t.Context(), r.auditor, before.ID)
		if !errors.Is(err, vault.ErrTampered) {
			t.Errorf("another %s: %v, want ErrTampered", what, err)
		}
		store.TamperEvent(before.ID, func(e *vault.Event) { *e = before })
	}
	for _, e := range reads {
		if _, err := r.EventProof(t.Context(), r.auditor, e.ID); err != nil {
			t.Errorf("an event as it was: %v", err)
		}
	}
	store.DestroySeed(reads[0].ID)
	_, err := r.EventProof(t.Context(), r.auditor, reads[0].ID)
	want(t, err, vault.ErrGone)
	if _, err := r.EventProof(t.Context(), r.auditor, reads[1].ID); err != nil {
		t.Errorf("the neighbour of a destroyed event: %v", err)
	}
}

// TestStrangeEventsAreLogged: whatever stands in a row, it keeps no other out of the log.
func TestStrangeEventsAreLogged(t *testing.T) {
	r := newRig(t)
	e := r.event()
	e.Action, e.Role, e.Reason = "ĐỌC\nx", vault.Role(strings.Repeat("r", 500)), "-"
	if err := r.store.AddEvent(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	r.logged()
	p, err := r.EventProof(t.Context(), r.auditor, e.ID)
	if err != nil || !strings.Contains(string(p.Text), "\nreason x-"+ledger.SumHash([]byte("-")).String()+"\n") {
		t.Errorf("%v\n%s", err, p.Text)
	}
}

// TestAccessLogFaults kills the workers before and after each of their calls: in the end each event is in one batch, and
// each batch is logged once.
func TestAccessLogFaults(t *testing.T) {
	for _, method := range []string{"Store.BatchEvents", "Store.ClaimBatches", "Log.Append", "Log.Await", "Store.CompleteBatches"} {
		for _, when := range []vaulttest.When{vaulttest.Before, vaulttest.After} {
			for _, down := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s down %v", method, when, down), func(t *testing.T) {
					f := new(vaulttest.Faults)
					r := newRig(t, func(c *vault.Config) { c.Store, c.AccessLog = f.Store(c.Store), f.Log(c.AccessLog) })
					r.dossier()
					r.clock.Advance(time.Hour)
					f.Add(vaulttest.Fault{Method: method, Call: 1, When: when, Down: down})
					stop := r.work()
					r.eventually(func() bool { return len(f.Left()) == 0 })
					stop()
					f.Up()
					r.dossier()
					r.logged()
					all, err := r.store.Events(t.Context(), vault.EventQuery{Limit: 500})
					if err != nil {
						t.Fatal(err)
					}
					batches := map[vault.BatchID]bool{}
					for _, e := range all {
						p, err := r.store.PlacedEvent(t.Context(), e.ID)
						if err != nil {
							t.Fatal(err)
						}
						batches[p.Batch.ID] = true
						if _, err := r.EventProof(t.Context(), r.auditor, e.ID); err != nil {
							t.Errorf("%s: %v", e.Action, err)
						}
					}
					if got := r.accessLog.Size(); got != uint64(len(batches)) {
						t.Errorf("%d batches are %d leaves", len(batches), got)
					}
				})
			}
		}
	}
}

// TestAccessLogDown: while the access log does not answer, reads go on and are batched; afterwards all of them are logged.
func TestAccessLogDown(t *testing.T) {
	r := newRig(t)
	if err := r.accessLog.Hold(true); err != nil {
		t.Fatal(err)
	}
	d := r.dossier()
	r.clock.Advance(time.Hour)
	stop := r.work()
	r.eventually(func() bool {
		e, err := r.store.PlacedEvent(t.Context(), r.events(vault.OpenDossier, vault.Done)[0].ID)
		return err == nil && !e.Batch.ID.IsZero()
	})
	if _, err := r.Dossier(t.Context(), r.staff, d.ID); err != nil {
		t.Errorf("a read while the access log is down: %v", err)
	}
	stats, err := r.Stats(t.Context())
	if err != nil || stats.Unlogged < 2 || stats.OldestUnlogged < time.Hour {
		t.Errorf("%+v, %v", stats, err)
	}
	stop()
	if err := r.accessLog.Hold(false); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Hour) // past the lease of the worker that was stopped
	r.logged()
	if stats, err := r.Stats(t.Context()); err != nil || stats.Unlogged != 0 || stats.OldestUnlogged != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// TestReadsNeedTheirEvent: a read whose line in the access record cannot be written is refused before anything is read of what it is
// about, whichever read it is.
func TestReadsNeedTheirEvent(t *testing.T) {
	r, f := newFaultyRig(t)
	r.work()
	ctx := t.Context()
	d := r.dossier()
	v := r.deposit(cv(d), samplePDF())
	x, job, err := r.ExportDossier(ctx, r.staff, d.ID, vault.NewExport{Signer: r.signer.Account, Purpose: "thử"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.fulfil(job.ID); err != nil {
		t.Fatal(err)
	}
	waiting, err := r.Submit(ctx, r.staff, v.ID, r.signer.Account, "")
	if err != nil {
		t.Fatal(err)
	}
	own := r.ownDossier(vault.Cadre)
	read := r.events(vault.OpenDossier, vault.Done)[0].ID
	none := func(c io.Closer, err error) (bool, error) { return err == nil && c != nil, err }
	for _, tt := range []struct {
		name string
		act  func() (read bool, err error)
	}{
		{"Units", func() (bool, error) { u, err := r.Units(ctx, r.admin); return u != nil, err }},
		{"UnitsOn", func() (bool, error) { l, err := r.UnitsOn(ctx, r.admin, ""); return l.Units != nil, err }},
		{"UnitHistory", func() (bool, error) {
			h, err := r.UnitHistory(ctx, r.admin, r.unit.ID.String())
			return h.Names != nil, err
		}},
		{"Holdings", func() (bool, error) { h, err := r.Holdings(ctx, r.staff, d.ID, ""); return h != nil, err }},
		{"Accounts", func() (bool, error) { a, err := r.Accounts(ctx, r.admin); return a != nil, err }},
		{"Officials", func() (bool, error) { a, err := r.Officials(ctx, r.staff); return a != nil, err }},
		{"Dossiers", func() (bool, error) {
			l, err := r.Dossiers(ctx, r.staff, vault.DossierQuery{Name: "Nguyễn"})
			return l != nil, err
		}},
		{"Dossier", func() (bool, error) { l, err := r.Dossier(ctx, r.staff, d.ID); return !l.ID.IsZero(), err }},
		{"Version", func() (bool, error) { x, err := r.Version(ctx, r.staff, v.ID); return !x.ID.IsZero(), err }},
		{"Disclose", func() (bool, error) { c, err := r.Disclose(ctx, r.staff, v.ID, ""); return none(c, err) }},
		{"Receipt", func() (bool, error) { p, err := r.Receipt(ctx, r.staff, v.ID, true); return p.Manifest != nil, err }},
		{"Jobs", func() (bool, error) { j, err := r.Jobs(ctx, r.signer); return j != nil, err }},
		{"Job", func() (bool, error) { j, err := r.Job(ctx, r.signer, waiting.ID); return !j.ID.IsZero(), err }},
		{"Devices", func() (bool, error) { d, err := r.Devices(ctx, r.signer); return d != nil, err }},
		{"JobDocument", func() (bool, error) { c, err := r.JobDocument(ctx, r.signer, waiting.ID); return none(c, err) }},
		{"Export", func() (bool, error) { x, err := r.Export(ctx, r.staff, x.ID); return x.Purpose != "", err }},
		{"OpenExport", func() (bool, error) { c, err := r.OpenExport(ctx, r.staff, x.ID); return none(c, err) }},
		{"MyExports", func() (bool, error) { l, err := r.MyExports(ctx, r.appraiser); return l != nil, err }},
		{"AccessRecord", func() (bool, error) {
			l, err := r.AccessRecord(ctx, r.auditor, vault.EventQuery{})
			return l != nil, err
		}},
		{"EventProof", func() (bool, error) { p, err := r.EventProof(ctx, r.auditor, read); return p.Text != nil, err }},
		{"OwnDossiers", func() (bool, error) { o, err := r.OwnDossiers(ctx, r.subject); return o.Rules != nil, err }},
		{"OwnAccessRecord", func() (bool, error) {
			o, err := r.OwnAccessRecord(ctx, r.subject, vault.EventQuery{Dossier: own.ID})
			return o.Lines != nil, err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, when := range []vaulttest.When{vaulttest.Before, vaulttest.After} {
				opened := len(f.Trace())
				f.Add(vaulttest.Fault{Method: "Store.AddEvent", Call: 1, When: when})
				read, err := tt.act()
				if !errors.Is(err, vault.ErrUnavailable) || read {
					t.Errorf("AddEvent fails %s its effect: %v, something read %v", when, err, read)
				}
				if left := f.Left(); len(left) != 0 {
					t.Fatalf("the read wrote no event: %v", left)
				}
				after := f.Trace()[opened:]
				at := slices.IndexFunc(after, func(c vaulttest.Call) bool { return c.Method == "Store.AddEvent" })
				for _, c := range after[at+1:] {
					if strings.HasPrefix(c.Method, "Object") || strings.HasPrefix(c.Method, "KeyWrapper") || c.Method == "Store.Events" || c.Method == "Store.Devices" {
						t.Errorf("%s after the event failed", c.Method)
					}
				}
			}
			if _, err := tt.act(); err != nil && tt.name != "EventProof" { // which is in no batch yet
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}
