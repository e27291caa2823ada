package vault_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/vault"
	"trien/vault/catalogue"
	"trien/vault/vaulttest"
)

// changedRegister is the built-in catalogue with one file changed.
func changedRegister(t *testing.T, r vault.Register, pairs ...string) *vault.Catalogue {
	t.Helper()
	dir := t.TempDir()
	for _, f := range catalogue.Default().Files() {
		if f.Register == r {
			text := strings.NewReplacer(pairs...).Replace(string(f.Text))
			if err := os.WriteFile(filepath.Join(dir, string(r)+".yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	c, err := catalogue.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// on is another vault over the rig's store, with its own catalogue.
func (r *rig) on(c *vault.Catalogue) *vault.Vault {
	return vault.New(vault.Config{Store: r.store, Objects: r.objects, Keys: vaulttest.NewMemoryKeys(), Log: r.log, Clock: r.clock, Catalogue: c})
}

// that registers or kinds changed is in the record that goes to the ledger, with the hash of what they changed to.
func TestUseCatalogueIsRecordedOnce(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	other := changedRegister(t, vault.Research, "\nversion: 1\n", "\nversion: 2\n")
	for _, c := range []*vault.Catalogue{nil, nil, other, other, nil} {
		if err := r.on(c).UseCatalogue(ctx); err != nil {
			t.Fatal(err)
		}
	}
	events := r.events(vault.NewCatalogue, vault.Done)
	if len(events) != 3 {
		t.Fatalf("%d events, want 3", len(events))
	}
	sum := other.Sum()
	if want := "sha256-" + hex.EncodeToString(sum[:]); events[1].Reason != want {
		t.Errorf("%s, want %s", events[1].Reason, want)
	}
}

func TestUseCatalogueKeepsWhatHasRecords(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	without := changedRegister(t, vault.Cadre, "\nversion: 1\n", "\nversion: 2\n", "cadre.curriculum_vitae", "cadre.other")
	if err := r.on(without).UseCatalogue(ctx); err != nil {
		t.Fatalf("a kind that nobody has used: %v", err)
	}
	d := r.ownDossier(vault.Cadre)
	record := r.deposit(cv(d), samplePDF()).Record
	if err := r.on(nil).UseCatalogue(ctx); err != nil {
		t.Fatal(err)
	}
	err := r.on(without).UseCatalogue(ctx)
	want(t, err, vault.ErrKindUsed)
	if !strings.HasSuffix(err.Error(), ": cadre.curriculum_vitae") {
		t.Errorf("%v does not name the kind alone", err)
	}
	if n := len(r.events(vault.NewCatalogue, vault.Done)); n != 2 {
		t.Errorf("%d events, want 2: a refused catalogue leaves none", n)
	}
	same := changedRegister(t, vault.Cadre, "Curriculum vitae", "CV")
	want(t, r.on(same).UseCatalogue(ctx), vault.ErrCatalogueVersion)

	// Retired, it stays readable and takes new versions, and no new records.
	retired := changedRegister(t, vault.Cadre, "\nversion: 1\n", "\nversion: 3\n", "kind: cadre.curriculum_vitae\n", "kind: cadre.curriculum_vitae\n    retired: true\n")
	v := r.on(retired)
	if err := v.UseCatalogue(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = v.Deposit(ctx, r.staff, vault.NewDeposit{Record: record, Origin: vault.Declared}, bytes.NewReader(samplePDF()))
	if err != nil {
		t.Errorf("a new version of a record of a retired kind: %v", err)
	}
	_, err = v.Deposit(ctx, r.staff, cv(d), bytes.NewReader(samplePDF()))
	want(t, err, vault.ErrInvalid)
}

// A node that dies anywhere in its start leaves the change whole or not at all, and the next start does not record it again.
func TestUseCatalogueThatFails(t *testing.T) {
	for _, method := range []string{"Store.Ready", "Store.CatalogueInUse", "Store.KindsInUse", "Store.UseCatalogue"} {
		for _, when := range []vaulttest.When{vaulttest.Before, vaulttest.After} {
			r := newRig(t)
			if err := r.on(changedRegister(t, vault.Research, "\nversion: 1\n", "\nversion: 2\n")).UseCatalogue(t.Context()); err != nil {
				t.Fatal(err)
			}
			faults := new(vaulttest.Faults)
			faults.Add(vaulttest.Fault{Method: method, Call: 1, When: when})
			v := vault.New(vault.Config{Store: faults.Store(r.store), Log: r.log, Clock: r.clock})
			want(t, v.UseCatalogue(t.Context()), vault.ErrUnavailable)
			if err := v.UseCatalogue(t.Context()); err != nil {
				t.Errorf("%s fails %s: %v", method, when, err)
			}
			if n := len(r.events(vault.NewCatalogue, vault.Done)); n != 2 {
				t.Errorf("%s fails %s: %d events, want 2", method, when, n)
			}
		}
	}
}
