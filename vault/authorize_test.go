package vault_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"trien/vault"
)

// allowedTable is the whole decision: for each role, the actions it may do in its own unit; those with a + also elsewhere.
const allowedTable = `
staff: sign_out+ open_dossier list_dossiers read_dossier deposit disclose submit export collect_export deliver_export read_receipt read_units+
official: sign_out+ read_units+ list_dossiers read_dossier deposit disclose submit sign enrol_device list_devices revoke_device export collect_export deliver_export read_receipt
appraiser: sign_out+
auditor: sign_out+ read_receipt+ read_access+ read_units+
system_administrator: sign_out+ manage_access+ manage_units+ read_units+ revoke_device+
subject: sign_out+ read_own_access+
`

// allowedSince are the roles and acts that came after: to the table above they add, and take nothing away.
const allowedSince = `
staff: classify
official: classify
auditor: explain_policy+
data_administrator: sign_out+ read_units+ list_decisions explain_policy
data_owner: sign_out+ read_units+ decide_scope list_decisions list_dossiers read_dossier read_receipt classify declassify
data_steward: sign_out+ read_units+ open_dossier list_dossiers read_dossier deposit disclose submit read_receipt classify
`

// TestRights compares every role × action × own unit or not with the table above (R-16.1, R-16.3-5).
func TestRights(t *testing.T) {
	expected := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(allowedTable + allowedSince)) {
		role, actions, some := strings.Cut(strings.TrimSpace(line), ": ")
		if !some {
			continue
		}
		for _, a := range strings.Fields(actions) {
			name, everywhere := strings.CutSuffix(a, "+")
			expected[fmt.Sprint(role, name, true)] = true
			expected[fmt.Sprint(role, name, false)] = everywhere
		}
	}
	for _, role := range vault.Roles() { // of everybody's own
		for _, action := range []vault.Action{vault.BeginFactor, vault.ConfirmFactor, vault.RemoveFactor} {
			expected[fmt.Sprint(role, action, true)], expected[fmt.Sprint(role, action, false)] = true, true
		}
	}
	n := 0
	for _, role := range append(vault.Roles(), "", "root") {
		for _, action := range append(vault.Actions(), "", "everything") {
			for _, own := range []bool{true, false} {
				n++
				if got, want := vault.Allowed(role, action, own), expected[fmt.Sprint(role, action, own)]; got != want {
					t.Errorf("%s %s own unit %v: got %v, want %v", role, action, own, got, want)
				}
			}
		}
	}
	t.Logf("%d decisions", n)
}

// TestEveryUseCaseAuthorises calls each use case as everybody who must not, and finds the refusal in the access record.
func TestEveryUseCaseAuthorises(t *testing.T) {
	r := newRig(t)
	r.work()
	d := r.dossier()
	v := r.deposit(cv(d), samplePDF())
	job, err := r.Submit(t.Context(), r.staff, v.ID, r.signer.Account, "")
	if err != nil {
		t.Fatal(err)
	}
	x, _, err := r.ExportDossier(t.Context(), r.staff, d.ID, vault.NewExport{Signer: r.signer.Account, Purpose: "thử"})
	if err != nil {
		t.Fatal(err)
	}
	nobody := vault.Actor{}
	records := []vault.Actor{r.admin, r.appraiser, r.auditor, r.far, nobody} // who may not touch the dossier
	others := []vault.Actor{r.staff, r.signer, r.appraiser, r.auditor, r.far, nobody}
	call := func(f func(ctx context.Context, a vault.Actor) error) func(context.Context, vault.Actor) error {
		return f
	}
	for _, tt := range []struct {
		name   string
		action vault.Action
		who    []vault.Actor
		act    func(ctx context.Context, a vault.Actor) error
	}{
		{"SignOut", vault.SignOut, []vault.Actor{nobody}, r.SignOut},
		{"FactorState", vault.BeginFactor, []vault.Actor{nobody}, call(func(ctx context.Context, a vault.Actor) error { _, err := r.FactorState(ctx, a); return err })},
		{"BeginFactor", vault.BeginFactor, []vault.Actor{nobody}, call(func(ctx context.Context, a vault.Actor) error { _, err := r.BeginFactor(ctx, a); return err })},
		{"ConfirmFactor", vault.ConfirmFactor, []vault.Actor{nobody}, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.ConfirmFactor(ctx, a, "123456")
			return err
		})},
		{"RemoveFactor", vault.RemoveFactor, []vault.Actor{nobody}, call(func(ctx context.Context, a vault.Actor) error { return r.RemoveFactor(ctx, a, "123456") })},
		{"CreateUnit", vault.ManageAccess, others, call(func(ctx context.Context, a vault.Actor) error { _, err := r.CreateUnit(ctx, a, "X"); return err })},
		{"Units", vault.ManageAccess, others, call(func(ctx context.Context, a vault.Actor) error { _, err := r.Units(ctx, a); return err })},
		{"ActOnUnits", vault.ManageUnits, others, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.ActOnUnits(ctx, a, vault.NewUnitAct{})
			return err
		})},
		{"ImportUnits", vault.ManageUnits, others, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.ImportUnits(ctx, a, strings.NewReader(""), true)
			return err
		})},
		{"UnitsOn", vault.ReadUnits, []vault.Actor{r.appraiser, r.subject, nobody}, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.UnitsOn(ctx, a, "")
			return err
		})},
		{"UnitHistory", vault.ReadUnits, []vault.Actor{r.appraiser, r.subject, nobody}, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.UnitHistory(ctx, a, r.unit.ID.String())
			return err
		})},
		{"Holdings", vault.ReadDossier, records, call(func(ctx context.Context, a vault.Actor) error { _, err := r.Holdings(ctx, a, d.ID, ""); return err })},
		{"CreateAccount", vault.ManageAccess, others, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.CreateAccount(ctx, a, vault.NewAccount{})
			return err
		})},
		{"Accounts", vault.ManageAccess, others, call(func(ctx context.Context, a vault.Actor) error { _, err := r.Accounts(ctx, a); return err })},
		{"SetCertificate", vault.ManageAccess, others, call(func(ctx context.Context, a vault.Actor) error {
			return r.SetCertificate(ctx, a, r.staff.Account, nil)
		})},
		{"SetDeliveryCertificate", vault.ManageAccess, others, call(func(ctx context.Context, a vault.Actor) error {
			return r.SetDeliveryCertificate(ctx, a, r.staff.Account, nil)
		})},
		{"Officials", vault.Submit, []vault.Actor{r.admin, r.appraiser, r.auditor, nobody}, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.Officials(ctx, a)
			return err
		})},
		{"OpenDossier", vault.OpenDossier, []vault.Actor{r.admin, r.signer, r.appraiser, r.auditor, nobody}, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.OpenDossier(ctx, a, vault.NewDossier{Register: vault.Party, Subject: vault.Subject{Name: "A"}})
			return err
		})},
		{"Dossiers", vault.ListDossiers, []vault.Actor{r.admin, r.appraiser, r.auditor, nobody}, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.Dossiers(ctx, a, vault.DossierQuery{})
			return err
		})},
		{"Dossier", vault.ReadDossier, records, call(func(ctx context.Context, a vault.Actor) error { _, err := r.Dossier(ctx, a, d.ID); return err })},
		{"Version", vault.ReadDossier, records, call(func(ctx context.Context, a vault.Actor) error { _, err := r.Version(ctx, a, v.ID); return err })},
		{"Deposit", vault.Deposit, records, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.Deposit(ctx, a, cv(d), bytes.NewReader(samplePDF()))
			return err
		})},
		{"Disclose", vault.Disclose, records, call(func(ctx context.Context, a vault.Actor) error { _, err := r.Disclose(ctx, a, v.ID, ""); return err })},
		{"Receipt", vault.ReadReceipt, []vault.Actor{r.admin, r.appraiser, r.far, nobody}, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.Receipt(ctx, a, v.ID, false)
			return err
		})},
		{"Submit", vault.Submit, records, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.Submit(ctx, a, v.ID, r.signer.Account, "")
			return err
		})},
		{"WithdrawJob", vault.Submit, records, call(func(ctx context.Context, a vault.Actor) error { return r.WithdrawJob(ctx, a, job.ID) })},
		{"Jobs", vault.Sign, append(records[:3:3], r.staff, nobody), call(func(ctx context.Context, a vault.Actor) error { _, err := r.Jobs(ctx, a); return err })},
		{"Job", vault.Sign, append(records, r.staff), call(func(ctx context.Context, a vault.Actor) error { _, err := r.Job(ctx, a, job.ID); return err })},
		{"JobDocument", vault.Sign, append(records, r.staff), call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.JobDocument(ctx, a, job.ID)
			return err
		})},
		{"Fulfil", vault.Sign, append(records, r.staff), call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.Fulfil(ctx, a, job.ID, vault.Signature{})
			return err
		})},
		{"ExportDossier", vault.ExportDossier, records, call(func(ctx context.Context, a vault.Actor) error {
			_, _, err := r.ExportDossier(ctx, a, d.ID, vault.NewExport{Signer: r.signer.Account, Purpose: "x"})
			return err
		})},
		{"Export", vault.Collect, records, call(func(ctx context.Context, a vault.Actor) error { _, err := r.Export(ctx, a, x.ID); return err })},
		{"OpenExport", vault.Collect, records, call(func(ctx context.Context, a vault.Actor) error { _, err := r.OpenExport(ctx, a, x.ID); return err })},
		{"DeliverExport", vault.Deliver, records, call(func(ctx context.Context, a vault.Actor) error { _, err := r.DeliverExport(ctx, a, x.ID); return err })},
		{"AccessRecord", vault.ReadAccess, []vault.Actor{r.admin, r.staff, r.signer, r.appraiser, r.far, nobody}, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.AccessRecord(ctx, a, vault.EventQuery{})
			return err
		})},
		{"EventProof", vault.ReadAccess, []vault.Actor{r.admin, r.staff, r.signer, r.appraiser, r.far, nobody}, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.EventProof(ctx, a, r.events(vault.Submit, vault.Done)[0].ID)
			return err
		})},
		{"EventProof of no event", vault.ReadAccess, []vault.Actor{r.admin, r.staff, r.signer, r.appraiser, r.far, nobody}, call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.EventProof(ctx, a, vault.EventID{UUID: d.ID.UUID})
			return err
		})},
		{"OwnDossiers", vault.ReadOwnAccess, append(others, r.admin), call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.OwnDossiers(ctx, a)
			return err
		})},
		{"OwnAccessRecord", vault.ReadOwnAccess, append(others, r.admin), call(func(ctx context.Context, a vault.Actor) error {
			_, err := r.OwnAccessRecord(ctx, a, vault.EventQuery{Dossier: d.ID})
			return err
		})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, a := range tt.who {
				before := len(r.events(tt.action, vault.Refused))
				err := tt.act(t.Context(), a)
				want(t, err, vault.ErrForbidden)
				after := r.events(tt.action, vault.Refused)
				if len(after) != before+1 || after[0].Account != a.Account {
					t.Errorf("%s as %q: the refusal is not in the access record", tt.name, a.Role)
				}
			}
		})
	}
	if objects := r.stored(); len(objects) != 2 {
		t.Errorf("refused acts left objects behind: %v", objects)
	}
}

func TestARefusalThatCannotBeRecordedIsStillARefusal(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.AccessRecord(ctx, r.staff, vault.EventQuery{})
	want(t, err, vault.ErrForbidden)
	want(t, err, context.Canceled)
}

func TestOfficialsAreThoseWhoCanSign(t *testing.T) {
	r := newRig(t)
	got, err := r.Officials(t.Context(), r.staff)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, []vault.Actor{r.signer}, func(a vault.Account, b vault.Actor) bool { return a.ID == b.Account }) {
		t.Errorf("got %v", got)
	}
}
