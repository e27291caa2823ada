package vault_test

import (
	"bytes"
	"context"
	"testing"

	"trien/vault"
)

// TestEveryActRefusesWithItsReason takes every act on a secret dossier and lets one fact be missing at a time. Each time the act is refused, and the
// access record says why.
func TestEveryActRefusesWithItsReason(t *testing.T) {
	r := newRig(t, withOffers)
	r.work()
	d, v := r.secretDossier()
	job, err := r.Submit(t.Context(), r.full(r.staff), v.ID, r.signer.Account, "")
	if err != nil {
		t.Fatal(err)
	}
	x, xjob, err := r.ExportDossier(t.Context(), r.full(r.staff), d.ID, vault.NewExport{Signer: r.signer.Account, Recipient: r.appraiser.Account, Purpose: "thử"})
	if err != nil {
		t.Fatal(err)
	}
	far := r.far // of another unit, and of whichever role is asked for
	missing := map[string]func(a vault.Actor) vault.Actor{
		"unit":      func(a vault.Actor) vault.Actor { a.Unit, a.Account = far.Unit, far.Account; return a },
		"mfa":       func(a vault.Actor) vault.Actor { a.MFA = false; return a },
		"device":    func(a vault.Actor) vault.Actor { a.Device = vault.DeviceID{}; return a },
		"term":      func(a vault.Actor) vault.Actor { a.ClearedUntil = r.clock.Now(); return a },
		"clearance": func(a vault.Actor) vault.Actor { a.Clearance = vault.Unclassified; return a },
	}
	told := map[string]error{"mfa": vault.ErrNeedsMFA, "device": vault.ErrNeedsDevice}
	type act func(ctx context.Context, a vault.Actor) error
	deposit := func(n vault.NewDeposit) act {
		return func(ctx context.Context, a vault.Actor) error {
			_, err := r.Deposit(ctx, a, n, bytes.NewReader(samplePDF()))
			return err
		}
	}
	secret := cv(d)
	secret.Secrecy = vault.Secret
	for _, tt := range []struct {
		name   string
		action vault.Action
		who    vault.Actor
		not    string // a fact that it does not depend on
		act    act
	}{
		{"OpenDossier", vault.OpenDossier, r.staff, "unit", func(ctx context.Context, a vault.Actor) error {
			_, err := r.OpenDossier(ctx, a, vault.NewDossier{Register: vault.Party, Secrecy: vault.Secret, Subject: vault.Subject{Name: "A"}})
			return err
		}},
		{"Dossier", vault.ReadDossier, r.staff, "", func(ctx context.Context, a vault.Actor) error { _, err := r.Dossier(ctx, a, d.ID); return err }},
		{"Version", vault.ReadDossier, r.staff, "", func(ctx context.Context, a vault.Actor) error { _, err := r.Version(ctx, a, v.ID); return err }},
		{"Deposit of a record", vault.Deposit, r.staff, "", deposit(secret)},
		{"Disclose", vault.Disclose, r.staff, "", func(ctx context.Context, a vault.Actor) error {
			_, err := r.Disclose(ctx, a, v.ID, "thử")
			return err
		}},
		{"Receipt", vault.ReadReceipt, r.staff, "", func(ctx context.Context, a vault.Actor) error { _, err := r.Receipt(ctx, a, v.ID, true); return err }},
		{"Submit", vault.Submit, r.staff, "", func(ctx context.Context, a vault.Actor) error {
			_, err := r.Submit(ctx, a, v.ID, r.signer.Account, "")
			return err
		}},
		{"Job", vault.Sign, r.signer, "", func(ctx context.Context, a vault.Actor) error { _, err := r.Job(ctx, a, job.ID); return err }},
		{"Job of an export", vault.Sign, r.signer, "", func(ctx context.Context, a vault.Actor) error { _, err := r.Job(ctx, a, xjob.ID); return err }},
		{"JobDocument", vault.Sign, r.signer, "", func(ctx context.Context, a vault.Actor) error { _, err := r.JobDocument(ctx, a, job.ID); return err }},
		{"Offer", vault.Sign, r.signer, "", func(ctx context.Context, a vault.Actor) error { _, err := r.Offer(ctx, a, job.ID, "kho"); return err }},
		{"ExportDossier", vault.ExportDossier, r.staff, "", func(ctx context.Context, a vault.Actor) error {
			_, _, err := r.ExportDossier(ctx, a, d.ID, vault.NewExport{Signer: r.signer.Account, Purpose: "thử"})
			return err
		}},
		{"Export", vault.Collect, r.staff, "", func(ctx context.Context, a vault.Actor) error { _, err := r.Export(ctx, a, x.ID); return err }},
		{"Export to its recipient", vault.Collect, r.appraiser, "unit", func(ctx context.Context, a vault.Actor) error { _, err := r.Export(ctx, a, x.ID); return err }},
		{"Classify", vault.Classify, r.staff, "", func(ctx context.Context, a vault.Actor) error {
			return r.SetSecrecy(ctx, a, d.ID, v.Record, vault.TopSecret, "QĐ 1")
		}},
		{"Declassify", vault.Declassify, r.owner, "", func(ctx context.Context, a vault.Actor) error {
			return r.SetSecrecy(ctx, a, d.ID, v.Record, vault.Secret, "QĐ 2")
		}},
		{"WithdrawJob", vault.Submit, r.staff, "", func(ctx context.Context, a vault.Actor) error { return r.WithdrawJob(ctx, a, job.ID) }},
		{"Deposit of a version", vault.Deposit, r.staff, "", deposit(vault.NewDeposit{Record: v.Record, Origin: vault.Declared})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for reason, without := range missing {
				if reason == tt.not {
					continue
				}
				before := len(r.events(tt.action, vault.Refused))
				err := tt.act(t.Context(), without(r.full(tt.who)))
				want(t, err, vault.ErrForbidden)
				if more := told[reason]; more != nil {
					want(t, err, more)
				}
				after := r.events(tt.action, vault.Refused)
				if len(after) != before+1 || after[0].Reason != reason {
					t.Errorf("without %s: %d refusals, the last for %q", reason, len(after)-before, after[0].Reason)
				}
			}
			if err := tt.act(t.Context(), r.full(tt.who)); err != nil {
				t.Errorf("with all facts: %v", err)
			}
		})
	}
	if _, err := r.Disclose(t.Context(), r.full(r.staff), v.ID, ""); err == nil {
		t.Error("a secret was disclosed for no purpose")
	} else {
		want(t, err, vault.ErrNeedsPurpose)
	}
}
