package vault_test

import (
	"fmt"
	"testing"
	"time"

	"trien/vault"
	"trien/vault/vaulttest"
)

// exportJob is an export that waits for its signer.
func (r *rig) exportJob() vault.Job {
	r.t.Helper()
	d := r.dossier()
	r.deposit(cv(d), samplePDF())
	r.publish()
	_, j, err := r.ExportDossier(r.t.Context(), r.staff, d.ID, vault.NewExport{Signer: r.signer.Account, Purpose: "bổ nhiệm"})
	if err != nil {
		r.t.Fatal(err)
	}
	return j
}

// sealed counts the calls of the key.
func sealed(f *vaulttest.Faults) int {
	n := 0
	for _, c := range f.Trace() {
		if c.Method == "Sealer.Seal" {
			n++
		}
	}
	return n
}

func TestEachUseOfTheSealIsRecorded(t *testing.T) {
	r, f := newFaultyRig(t)
	j := r.exportJob()
	f.Add(vaulttest.Fault{Method: "Sealer.Seal", Call: 1, When: vaulttest.Before})
	want(t, r.fulfil(j.ID), vault.ErrUnavailable)
	if err := r.fulfil(j.ID); err != nil {
		t.Fatal(err)
	}
	done, refused := r.events(vault.Seal, vault.Done), r.events(vault.Seal, vault.Refused)
	if len(done) != 2 || len(refused) != 1 || sealed(f) != 2 {
		t.Fatalf("%d uses of the key, %d in the record, %d refused", sealed(f), len(done), len(refused))
	}
	for _, e := range done {
		if e.Purpose != "bổ nhiệm" || e.Target.Export != j.Export || e.Target.Dossier != j.Dossier || e.Account != r.signer.Account {
			t.Errorf("got %+v", e)
		}
	}
	if refused[0].Reason != "key" || refused[0].Target.Export != j.Export {
		t.Errorf("got %+v", refused[0])
	}
}

// TestNoUseOfTheSealIsUnrecorded fails each line of the access record that a signature of an export writes, before and after its effect:
// the key is never used more often than the record says.
func TestNoUseOfTheSealIsUnrecorded(t *testing.T) {
	r, f := newFaultyRig(t)
	j := r.exportJob()
	before := len(f.Trace())
	if err := r.fulfil(j.ID); err != nil {
		t.Fatal(err)
	}
	events := 0
	for _, c := range f.Trace()[before:] {
		if c.Method == "Store.AddEvent" {
			events++
		}
	}
	if events == 0 {
		t.Fatal("nothing is recorded")
	}
	for call := 1; call <= events; call++ {
		for _, when := range []vaulttest.When{vaulttest.Before, vaulttest.After} {
			t.Run(fmt.Sprint(call, when), func(t *testing.T) {
				r, f := newFaultyRig(t)
				j := r.exportJob()
				f.Add(vaulttest.Fault{Method: "Store.AddEvent", Call: call, When: when})
				err := r.fulfil(j.ID)
				want(t, err, vault.ErrUnavailable)
				if n := sealed(f); n > 0 {
					t.Errorf("the key was used %d times though the record could not be written", n)
				}
				if err := r.fulfil(j.ID); err != nil {
					t.Errorf("again: %v", err)
				}
				if uses, lines := sealed(f), len(r.events(vault.Seal, vault.Done)); uses != 1 || lines < uses {
					t.Errorf("%d uses, %d in the record", uses, lines)
				}
			})
		}
	}
}

func TestSealHasARate(t *testing.T) {
	r := newRig(t, func(c *vault.Config) { c.Limits.SealsPerMinute = 1 })
	first, second := r.exportJob(), r.exportJob()
	if err := r.fulfil(first.ID); err != nil {
		t.Fatal(err)
	}
	err := r.fulfil(second.ID)
	want(t, err, vault.ErrSealRate)
	want(t, err, vault.ErrUnavailable)
	refused := r.events(vault.Seal, vault.Refused)
	if len(refused) != 1 || refused[0].Reason != "rate" || refused[0].Target.Export != second.Export {
		t.Errorf("got %+v", refused)
	}
	r.clock.Advance(time.Minute)
	if err := r.fulfil(second.ID); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}
