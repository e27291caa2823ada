package postgres_test

import (
	"context"
	"testing"
	"time"

	"trien/vault"
)

// Whoever takes work or sweeps passes over what another session has locked, and does not wait for it.
func TestPassOver(t *testing.T) {
	d := newDeposited(t)
	for range 2 {
		record := vault.Record{ID: vault.RecordID{UUID: newID()}, Dossier: d.dossier.ID, Kind: "party.transfer", Created: d.now, Secrecy: vault.Unclassified}
		n := d.commit(t, record)
		n.Record = &record
		if err := d.store.CommitVersion(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"o/1", "o/2"} {
		u := vault.Upload{ID: vault.UploadID{UUID: newID()}, Account: d.account.ID, ObjectKey: key, Started: d.now}
		if _, err := d.store.BeginUpload(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := d.owner(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background()) //nolint:errcheck // it only holds the locks
	for _, sql := range []string{
		`select 1 from vault.outbox where version = '` + d.versions[1].ID.String() + `' for update`,
		`select 1 from vault.upload where object_key = 'o/1' for update`,
		`select 1 from vault.job for update`,
	} {
		if tag, err := tx.Exec(t.Context(), sql); err != nil || tag.RowsAffected() != 1 {
			t.Fatal(tag, err)
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	claimed, err := d.store.ClaimEntries(ctx, 10, d.now, time.Minute)
	if err != nil || len(claimed) != 2 || claimed[0].Version == d.versions[1].ID || claimed[1].Version == d.versions[1].ID {
		t.Errorf("%d entries claimed of three, one of them locked: %v", len(claimed), err)
	}
	later := d.now.Add(24 * time.Hour)
	if n, err := d.store.ExpireUploads(ctx, later, later); n != 1 || err != nil {
		t.Errorf("%d uploads expired of two, one of them locked: %v", n, err)
	}
	if j, err := d.store.Job(ctx, d.job.ID); err != nil || j.State != vault.Waiting {
		t.Errorf("the locked job is %s: %v", j.State, err)
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	claimed, err = d.store.ClaimEntries(ctx, 10, d.now, time.Minute)
	if err != nil || len(claimed) != 1 || claimed[0].Version != d.versions[1].ID {
		t.Errorf("%d entries claimed after the lock: %v", len(claimed), err)
	}
	if n, err := d.store.ExpireUploads(ctx, later, later); n != 1 || err != nil {
		t.Errorf("%d uploads expired after the lock: %v", n, err)
	}
	if j, err := d.store.Job(ctx, d.job.ID); err != nil || j.State != vault.Expired {
		t.Errorf("the job after the lock is %s: %v", j.State, err)
	}
}
