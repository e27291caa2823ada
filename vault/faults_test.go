package vault_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"trien/ledger"
	"trien/vault"
	"trien/vault/vaulttest"
)

// stage is a use case of the main job, and what has to stand before it.
type stage struct {
	name    string
	prepare func(*rig) any
	act     func(*rig, any) error
	retry   bool // whether doing it again after a failure must succeed
}

func as[T any](given any) T {
	v, ok := given.(T)
	if !ok {
		panic("a stage was given something else than it prepared")
	}
	return v
}

var stages = []stage{
	{
		name:    "deposit",
		prepare: func(r *rig) any { n := cv(r.dossier()); n.IdempotencyKey = "k"; return n },
		act: func(r *rig, n any) error {
			_, err := r.Deposit(r.t.Context(), r.staff, as[vault.NewDeposit](n), bytes.NewReader(samplePDF()))
			return err
		},
		retry: true,
	},
	{
		name:    "deposit a second version",
		prepare: func(r *rig) any { return r.deposit(cv(r.dossier()), samplePDF()).Record },
		act: func(r *rig, record any) error {
			n := vault.NewDeposit{Record: as[vault.RecordID](record), Origin: vault.Declared, IdempotencyKey: "k"}
			_, err := r.Deposit(r.t.Context(), r.staff, n, bytes.NewReader(samplePDF()))
			return err
		},
		retry: true,
	},
	{
		name:    "submit",
		prepare: func(r *rig) any { return r.deposit(cv(r.dossier()), samplePDF()).ID },
		act: func(r *rig, id any) error {
			_, err := r.Submit(r.t.Context(), r.staff, as[vault.VersionID](id), r.signer.Account, "")
			return err
		},
		retry: true,
	},
	{
		name: "approve",
		prepare: func(r *rig) any {
			j, err := r.Submit(r.t.Context(), r.staff, r.deposit(cv(r.dossier()), samplePDF()).ID, r.signer.Account, "")
			if err != nil {
				r.t.Fatal(err)
			}
			return j.ID
		},
		act: func(r *rig, id any) error { return r.fulfil(as[vault.JobID](id)) },
	},
	{
		name: "export",
		prepare: func(r *rig) any {
			d := r.dossier()
			r.deposit(cv(d), samplePDF())
			r.publish()
			return d.ID
		},
		act: func(r *rig, id any) error {
			_, _, err := r.ExportDossier(r.t.Context(), r.staff, as[vault.DossierID](id), vault.NewExport{Signer: r.signer.Account, Purpose: "thử"})
			return err
		},
		retry: true,
	},
	{
		name: "seal",
		prepare: func(r *rig) any {
			d := r.dossier()
			r.deposit(cv(d), samplePDF())
			r.publish()
			_, j, err := r.ExportDossier(r.t.Context(), r.staff, d.ID, vault.NewExport{Signer: r.signer.Account, Purpose: "thử"})
			if err != nil {
				r.t.Fatal(err)
			}
			return j.ID
		},
		act: func(r *rig, id any) error { return r.fulfil(as[vault.JobID](id)) },
	},
	{
		name:    "bind a delivery certificate",
		prepare: func(r *rig) any { return r.recipientCertificate(recipientKey().Public()).Raw },
		act: func(r *rig, der any) error {
			return r.SetDeliveryCertificate(r.t.Context(), r.admin, r.appraiser.Account, as[[]byte](der))
		},
		retry: true,
	},
	{
		name:    "import units",
		prepare: func(*rig) any { return unitHeading + "TU;Tỉnh ủy;province;;01/01/1990;1;01/01/1990\n" },
		act: func(r *rig, table any) error {
			_, err := r.ImportUnits(r.t.Context(), r.admin, strings.NewReader(as[string](table)), false)
			return err
		},
		retry: true, // a unit that stands as its line says is left as it is
	},
	{
		name: "merge units",
		prepare: func(r *rig) any {
			r.dossier()
			r.importUnits(unitHeading+"TU;Tỉnh ủy;province;;01/01/1990;1;01/01/1990\n", false)
			return unitAct(vault.NewUnitAct{Kind: vault.MergeUnits, Units: []string{r.unit.ID.String()}, Into: "TU"}, "2020-01-01")
		},
		act: func(r *rig, n any) error {
			_, err := r.ActOnUnits(r.t.Context(), r.admin, as[vault.NewUnitAct](n))
			return err
		},
	},
	{
		name: "deliver",
		prepare: func(r *rig) any {
			r.receiving(r.appraiser)
			return r.signedExport().ID
		},
		act: func(r *rig, id any) error {
			d, err := r.DeliverExport(r.t.Context(), r.appraiser, as[vault.ExportID](id))
			if err != nil {
				return err
			}
			_, err = d.WriteTo(io.Discard)
			return errors.Join(err, d.Close())
		},
		retry: true,
	},
}

// fulfil signs a job as the agent would; it fails where a port does.
func (r *rig) fulfil(id vault.JobID) error {
	ctx := r.t.Context()
	j, err := r.Job(ctx, r.signer, id)
	if err != nil {
		return err
	}
	doc, err := r.JobDocument(ctx, r.signer, id)
	if err != nil {
		return err
	}
	if err := doc.Close(); err != nil {
		return err
	}
	s, err := r.signatureOf(j)
	if err != nil {
		return err
	}
	_, err = r.Fulfil(ctx, r.signer, id, s)
	return err
}

// publish brings all that is pending into the ledger.
func (r *rig) publish() {
	r.t.Helper()
	stop := r.work()
	defer stop()
	r.eventually(func() bool {
		n, _, err := r.store.PendingEntries(r.t.Context())
		return err == nil && n == 0
	})
}

func newFaultyRig(t *testing.T) (*rig, *vaulttest.Faults) {
	f := new(vaulttest.Faults)
	r := newRig(t, func(c *vault.Config) {
		c.Store, c.Objects, c.Keys, c.Log, c.Sealer = f.Store(c.Store), f.Objects(c.Objects), f.KeyWrapper(c.Keys), f.Log(c.Log), f.Sealer(c.Sealer)
	})
	return r, f
}

// TestFaults fails every call that a use case makes of the world, before and after its effect, once alone and once as if
// the process had been killed there. Then nothing acknowledged may be lost, nothing that was refused may be left, and the
// same request must go through.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of faults")
	}
	cases, missed := 0, 0
	for _, s := range stages {
		t.Run(s.name, func(t *testing.T) {
			r, f := newFaultyRig(t)
			given := s.prepare(r)
			before := len(f.Trace())
			if err := s.act(r, given); err != nil {
				t.Fatalf("without a fault: %v", err)
			}
			calls := map[string]int{}
			for _, c := range f.Trace()[before:] {
				calls[c.Method]++
			}
			for method, n := range calls {
				for _, call := range someOf(n) {
					for _, when := range []vaulttest.When{vaulttest.Before, vaulttest.After} {
						for _, down := range []bool{false, true} {
							cases++
							fault := vaulttest.Fault{Method: method, Call: call, When: when, Down: down}
							t.Run(fmt.Sprintf("%s %d %s down %v", method, call, when, down), func(t *testing.T) {
								if !s.fail(t, fault) {
									missed++
								}
							})
						}
					}
				}
			}
		})
	}
	// Two runs may differ in how often they read, and a call that fails by itself has no "after"; more than that would
	// mean that the table tests nothing.
	if missed*20 > cases {
		t.Errorf("%d of %d faults were never met", missed, cases)
	}
	t.Logf("%d faults, %d of them not met", cases, missed)
}

// someOf numbers the calls to fail: the first, the second, the middle one and the last.
func someOf(n int) []int {
	seen, out := map[int]bool{}, []int{}
	for _, c := range []int{1, 2, (n + 1) / 2, n} {
		if c <= n && !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	return out
}

// fail runs the stage with one fault, and reports whether the run came to it.
func (s stage) fail(t *testing.T, fault vaulttest.Fault) bool {
	r, f := newFaultyRig(t)
	given := s.prepare(r)
	f.Add(fault)
	err := s.act(r, given)
	f.Up()
	if len(f.Left()) > 0 {
		return false // and the fault would strike what follows
	}
	r.clock.Advance(time.Hour)
	if err != nil && s.retry {
		if again := s.act(r, given); again != nil {
			t.Errorf("failed with %v, and then again with %v", err, again)
		}
	}
	r.clock.Advance(time.Hour)
	if _, err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.publish()
	r.consistent()
	return true
}

// consistent reads all versions and finished exports back, and wants no other object to exist.
func (r *rig) consistent() {
	r.t.Helper()
	ctx := r.t.Context()
	tree, err := r.store.UnitTree(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := tree.Check(); err != nil {
		r.t.Error(err)
	}
	objects := map[string]bool{}
	list, err := r.store.Dossiers(ctx, vault.DossierQuery{Unit: r.unit.ID, Limit: 100})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, d := range list {
		view, err := r.Dossier(ctx, r.staff, d.ID)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, record := range view.Records {
			if len(record.Versions) == 0 {
				r.t.Error("a record has no version")
			}
			for i, v := range record.Versions {
				if v.Number != i+1 {
					r.t.Errorf("version %d has number %d", i+1, v.Number)
				}
				r.read(r.staff, v.ID)
				if _, err := r.Receipt(ctx, r.staff, v.ID, false); err != nil {
					r.t.Errorf("version without receipt: %v", err)
				}
				objects[v.Object.Key] = true
			}
		}
		for _, x := range view.Exports {
			if x.State == vault.Expired || x.State == vault.Withdrawn {
				continue
			}
			if objects[x.Object.Key] = true; x.State != vault.Signed {
				continue
			}
			c, err := r.OpenExport(ctx, r.staff, x.ID)
			if err != nil {
				r.t.Fatal(err)
			}
			sum := sha256.New()
			if _, err := io.Copy(sum, io.NewSectionReader(c, 0, c.Size)); err != nil || ledger.Hash(sum.Sum(nil)) != x.SHA256 {
				r.t.Errorf("export reads back wrong: %v", err)
			}
			if err := c.Close(); err != nil {
				r.t.Error(err)
			}
		}
	}
	for _, key := range r.stored() {
		if !objects[key] {
			r.t.Errorf("object %s belongs to nothing", key)
		}
		delete(objects, key)
	}
	for key := range objects {
		r.t.Errorf("object %s is missing", key)
	}
}
