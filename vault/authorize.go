package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"trien/vault/policy"
)

// builtIn are the program's own rules. That they can be read is a matter of building the program: a test holds it.
var builtIn = sync.OnceValue(func() *policy.Engine {
	e, err := policy.New(nil)
	if err != nil {
		panic("vault: " + err.Error())
	}
	return e
})

// onDossiers are the acts that are about one dossier: no rule permits them without its level of secrecy.
var onDossiers = []Action{
	OpenDossier, ReadDossier, ReadJob, ReadExport, Classify, Declassify, Deposit, Disclose, Submit, Sign, ExportDossier, Collect, Deliver, ReadReceipt,
}

// question is what an act is about, for [policy.Engine].
type question struct {
	unit    UnitID          // that holds what is acted upon, or that the act is for
	dossier *policy.Dossier // what acts on dossiers reach
	account AccountID       // whose rights the act changes
	purpose bool            // one was stated
	change  *policy.Change  // of rights or of secrecy
	signer  AccountID       // who is asked to sign
	target  Target
}

// Allowed reports whether role may do action at all, in its own unit or in another's, with what is not secret. It is what pages offer; what is
// done is decided with all that is known of it.
func Allowed(role Role, action Action, own bool) bool {
	r := policy.Request{
		Principal: policy.Principal{Account: "account", Role: string(role), Unit: "own"}, Action: string(action), Units: []string{"other"}, Now: time.Now(),
	}
	if own {
		r.Units = []string{"own"}
	}
	if slices.Contains(onDossiers, action) {
		r.Dossier, r.Change = inGeneral(), &policy.Change{Level: policy.TopSecret}
	}
	return builtIn().Decide(r).Allowed
}

// inGeneral stands for whatever dossier that is not secret.
func inGeneral() *policy.Dossier { return &policy.Dossier{Secrecy: policy.Unclassified} }

// authorize is the first line of every use case that acts on one unit's data, and on no dossier of it. A refusal is recorded before it is
// returned; where that record cannot be written the error says so, and the act is refused all the same.
func (v *Vault) authorize(ctx context.Context, a Actor, action Action, unit UnitID, t Target) error {
	return v.decide(ctx, a, action, question{unit: unit, target: t})
}

// authorizeGenerally is authorize for an act on dossiers before it is known on which: each of these is decided about by itself.
func (v *Vault) authorizeGenerally(ctx context.Context, a Actor, action Action, t Target) error {
	return v.decide(ctx, a, action, question{unit: a.Unit, dossier: inGeneral(), target: t})
}

// decide asks the rules, and records a refusal with its reason.
func (v *Vault) decide(ctx context.Context, a Actor, action Action, q question) error {
	r, d, err := v.ask(ctx, a, action, q)
	switch {
	case err != nil: // what is known does not permit it, and more cannot be known now
		return v.refuse(ctx, a, action, q.target, d.Reason, fmt.Errorf("%w: %s: %w", ErrForbidden, action, err))
	case d.Allowed:
		return nil
	}
	return v.refuse(ctx, a, action, q.target, d.Reason, v.whyNot(r, d, action))
}

// ask gathers the facts and puts the question. The units above and the grants are looked up only where they can change the answer: by the program's
// own rules what is permitted without them is with them, and of those that forbid the one about decisions alone asks for a unit.
func (v *Vault) ask(ctx context.Context, a Actor, action Action, q question) (policy.Request, policy.Decision, error) {
	r := v.request(a, action, q, []UnitID{q.unit})
	d := v.policies.Decide(r)
	forbidden := !d.Allowed && len(d.By) > 0
	if d.Allowed && !v.policies.Added() || forbidden && q.change == nil {
		return r, d, nil
	}
	units, err := v.unitsFrom(ctx, q.unit)
	if err != nil {
		return r, d, err
	}
	if r = v.request(a, action, q, units); len(units) > 1 {
		d = v.policies.Decide(r)
	}
	if d.Allowed || len(d.By) > 0 {
		return r, d, nil
	}
	if r.Grants, err = v.grants(ctx, a, q, units); err != nil {
		return r, d, err
	}
	if len(r.Grants) > 0 {
		d = v.policies.Decide(r)
	}
	return r, d, nil
}

// request is the question with all facts but the grants.
func (v *Vault) request(a Actor, action Action, q question, units []UnitID) policy.Request {
	r := policy.Request{
		Principal: v.principal(a), Action: string(action), Dossier: q.dossier, Account: idText(q.account.UUID), Now: v.now(), Purpose: q.purpose,
		Change: q.change, Signer: idText(q.signer.UUID),
	}
	for _, u := range units {
		r.Units = append(r.Units, idText(u.UUID))
	}
	return r
}

// grants are those of the actor that may open what the act is about.
func (v *Vault) grants(ctx context.Context, a Actor, q question, units []UnitID) ([]policy.Grant, error) {
	if a.Account.IsZero() || q.dossier == nil || q.target.Dossier.IsZero() {
		return nil, nil
	}
	found, err := v.store.GrantsFor(ctx, GrantQuery{
		Account: a.Account, Units: units, Register: Register(q.dossier.Register), Dossier: q.target.Dossier,
	})
	if err != nil {
		return nil, fmt.Errorf("looking for grants: %w", err)
	}
	var facts []policy.Grant
	for _, g := range found {
		facts = append(facts, g.fact())
	}
	return facts, nil
}

// whyNot tells the person no more than they may know: what to do about their own session where that is all that is wanting, else that they have
// no right to it.
func (v *Vault) whyNot(r policy.Request, d policy.Decision, action Action) error {
	switch {
	case slices.ContainsFunc(d.By, func(by policy.Rule) bool { return by.Reason == policy.ReasonMFAByRole }):
		return ErrMustEnrol
	case d.Reason == "own_work":
		return ErrOwnWork
	}
	for _, code := range v.policies.Mendable(r) {
		switch code {
		case policy.NeedDevice:
			return ErrNeedsDevice
		case policy.NeedMFA:
			return ErrNeedsMFA
		case policy.NeedPurpose:
			return ErrNeedsPurpose
		}
	}
	return fmt.Errorf("%w: %s", ErrForbidden, action)
}

// principal is the actor as rules see it.
func (v *Vault) principal(a Actor) policy.Principal {
	return policy.Principal{
		Account: idText(a.Account.UUID), Role: string(a.Role), Unit: idText(a.Unit.UUID), Clearance: level(a.Clearance), ClearedUntil: a.ClearedUntil,
		Device: !a.Device.IsZero(), MFA: a.MFA, MFAForced: slices.Contains(v.mustEnrol, a.Role),
	}
}

// unitsFrom is a unit with those above it today, the root last. One that does not stand has none above it.
func (v *Vault) unitsFrom(ctx context.Context, unit UnitID) ([]UnitID, error) {
	if unit.IsZero() {
		return []UnitID{unit}, nil
	}
	up, err := v.store.Ancestors(ctx, unit, v.now())
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("reading what unit %s stands under: %w", unit, err)
	}
	if len(up) == 0 {
		return []UnitID{unit}, nil
	}
	return up, nil
}

// dossierFact is a dossier as rules see it, at the level of all that is in it.
func dossierFact(d Dossier) *policy.Dossier {
	return &policy.Dossier{ID: idText(d.ID.UUID), Register: string(d.Register), Secrecy: level(d.Highest)}
}

// ownFact is a dossier as rules see it, without what is in it.
func ownFact(d Dossier) *policy.Dossier {
	f := dossierFact(d)
	f.Secrecy = level(d.Secrecy)
	return f
}

// recordFact is one record of a dossier as rules see it.
func recordFact(d Dossier, r Record) *policy.Dossier {
	f := ownFact(d)
	f.Secrecy, f.Kind = level(d.Secrecy.Higher(r.Secrecy)), string(r.Kind)
	return f
}

// refuse records a refusal and returns why.
func (v *Vault) refuse(ctx context.Context, a Actor, action Action, t Target, reason string, why error) error {
	e := v.event(a, action, t)
	e.Outcome, e.Reason = Refused, reason
	if err := v.store.AddEvent(ctx, e); err != nil {
		return errors.Join(why, fmt.Errorf("recording a refusal: %w", err))
	}
	return why
}

// recordRead records a read that is about to be answered. Where it cannot be written, nothing may be read.
func (v *Vault) recordRead(ctx context.Context, a Actor, action Action, t Target) error {
	if err := v.store.AddEvent(ctx, v.event(a, action, t)); err != nil {
		return fmt.Errorf("recording a read: %w", err)
	}
	return nil
}

// event starts the access-record line of an act that is done.
func (v *Vault) event(a Actor, action Action, t Target) Event {
	return Event{
		ID: EventID{newID()}, Time: v.now(), Account: a.Account, Session: a.Session, Unit: a.Unit, Role: a.Role,
		Device: a.Device, Action: action, Outcome: Done, Target: t, Source: a.Source,
	}
}
