package vault

import (
	"context"
	"fmt"
	"slices"

	"trien/vault/policy"
)

// Inquiry asks how an act of somebody's would be decided now.
type Inquiry struct {
	Account AccountID
	Action  Action
	Dossier DossierID // zero: of the account's own unit in general
	Record  RecordID  // one of its records; zero: the dossier as such
	// What the session would be like, and whether a purpose would be stated.
	Device, MFA, Purpose bool
}

// Explain says in full how an act would be decided, by which rules, and what would change that, to data administrators and auditors. It tells of
// secrecy and grants, and never of content. It is recorded, with whom and what it was about.
func (v *Vault) Explain(ctx context.Context, a Actor, q Inquiry) (policy.Explanation, error) {
	account, err := v.store.Account(ctx, q.Account)
	if err != nil {
		return policy.Explanation{}, fmt.Errorf("reading account %s: %w", q.Account, err)
	}
	target := Target{Dossier: q.Dossier, Record: q.Record, Subject: q.Account}
	if err := v.authorize(ctx, a, ExplainPolicy, account.Unit, target); err != nil {
		return policy.Explanation{}, err
	}
	if !slices.Contains(Actions(), q.Action) {
		return policy.Explanation{}, fmt.Errorf("%w: unknown action", ErrInvalid)
	}
	event := v.event(a, ExplainPolicy, target)
	event.Purpose = string(q.Action)
	if err := v.store.AddEvent(ctx, event); err != nil {
		return policy.Explanation{}, fmt.Errorf("recording a read: %w", err)
	}
	about, err := v.inquired(ctx, account, q)
	if err != nil {
		return policy.Explanation{}, err
	}
	units, err := v.unitsFrom(ctx, about.unit)
	if err != nil {
		return policy.Explanation{}, err
	}
	them := account.actor(Session{MFA: q.MFA}, Source{})
	r := v.request(them, q.Action, about, units)
	r.Principal.Device = q.Device
	if r.Grants, err = v.grants(ctx, them, about, units); err != nil {
		return policy.Explanation{}, err
	}
	return v.policies.Explain(r), nil
}

// inquired is what the act would be about.
func (v *Vault) inquired(ctx context.Context, account Account, q Inquiry) (question, error) {
	about := question{unit: account.Unit, purpose: q.Purpose, target: Target{Dossier: q.Dossier}}
	if !slices.Contains(onDossiers, q.Action) {
		return about, nil
	}
	if q.Dossier.IsZero() {
		about.dossier = inGeneral()
		return about, nil
	}
	d, err := v.store.Dossier(ctx, q.Dossier)
	if err != nil {
		return about, fmt.Errorf("reading dossier %s: %w", q.Dossier, err)
	}
	about.unit, about.dossier = d.Unit, ownFact(d)
	if slices.Contains([]Action{ExportDossier, Collect, Deliver}, q.Action) {
		about.dossier = dossierFact(d)
	}
	if !q.Record.IsZero() {
		r, err := v.store.Record(ctx, q.Record)
		if err != nil {
			return about, fmt.Errorf("reading record %s: %w", q.Record, err)
		}
		if r.Dossier != q.Dossier {
			return about, fmt.Errorf("%w: the dossier has no such record", ErrNotFound)
		}
		about.dossier = recordFact(d, r)
	}
	return about, nil
}
