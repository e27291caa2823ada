package vault

import (
	"context"
	"errors"
	"fmt"
)

// Action is an act that the vault allows or refuses, and records.
type Action string

// The actions.
const (
	SignIn        Action = "sign_in"
	SignOut       Action = "sign_out"
	ManageAccess  Action = "manage_access" // units without an act, accounts, certificates
	ManageUnits   Action = "manage_units"  // acts on units: see [UnitAct]
	ReadUnits     Action = "read_units"    // the organisation tree and its past
	ListAccounts  Action = "list_accounts" // or units
	OpenDossier   Action = "open_dossier"  // start a dossier
	ListDossiers  Action = "list_dossiers"
	ReadDossier   Action = "read_dossier" // its records and versions, not their content
	Deposit       Action = "deposit"
	Disclose      Action = "disclose" // read a version's content
	Submit        Action = "submit"   // ask an official to approve a version
	Sign          Action = "sign"     // one's own signing jobs
	ListJobs      Action = "list_jobs"
	ReadJob       Action = "read_job"
	Seal          Action = "seal" // a use of the organisation's key, by nobody's right: it follows a signature
	EnrolDevice   Action = "enrol_device"
	ListDevices   Action = "list_devices" // one's own
	RevokeDevice  Action = "revoke_device"
	ExportDossier Action = "export"
	Renew         Action = "renew_export"     // a new time-stamp, by the operator's command
	Reconcile     Action = "reconcile"        // of all versions with the ledger, by the operator's command
	NewCatalogue  Action = "change_catalogue" // other registers' files are put to use, by the operator's command
	ListExports   Action = "list_exports"
	ReadExport    Action = "read_export"
	Collect       Action = "collect_export" // download a signed export
	Deliver       Action = "deliver_export" // the same, enclosed for one's own delivery certificate
	ReadReceipt   Action = "read_receipt"
	ReadAccess    Action = "read_access"     // the access record
	ReadOwnAccess Action = "read_own_access" // the access record of one's own dossiers
)

// Actions lists all actions.
func Actions() []Action {
	return []Action{SignIn, SignOut, ManageAccess, ManageUnits, ReadUnits, ListAccounts, OpenDossier, ListDossiers, ReadDossier, Deposit, Disclose,
		Submit, Sign, ListJobs, ReadJob, Seal, EnrolDevice, ListDevices, RevokeDevice, ExportDossier, Renew, Reconcile, NewCatalogue,
		ListExports, ReadExport, Collect, Deliver, ReadReceipt, ReadAccess, ReadOwnAccess}
}

// scope is how far a role's right to an action reaches.
type scope int

const (
	nowhere scope = iota
	ownUnit
	everywhere
)

// rights is the whole policy for now: role × action → scope. What is not in it is refused. Policies with tasks,
// secrecy, grants and terms take this table's place behind the same [Vault.authorize].
var rights = map[Role]map[Action]scope{
	Staff: {
		SignOut: everywhere, OpenDossier: ownUnit, ListDossiers: ownUnit, ReadDossier: ownUnit, Deposit: ownUnit,
		Disclose: ownUnit, Submit: ownUnit, ExportDossier: ownUnit, Collect: ownUnit, Deliver: ownUnit,
		ReadReceipt: ownUnit, ReadUnits: everywhere,
	},
	Official: {
		SignOut: everywhere, ReadUnits: everywhere, ListDossiers: ownUnit, ReadDossier: ownUnit, Deposit: ownUnit, Disclose: ownUnit,
		Submit: ownUnit, Sign: ownUnit, EnrolDevice: ownUnit, ListDevices: ownUnit, RevokeDevice: ownUnit, ExportDossier: ownUnit, Collect: ownUnit,
		Deliver: ownUnit, ReadReceipt: ownUnit,
	},
	// Exports made for an appraiser reach further than the unit: see [Vault.OpenExport].
	Appraiser: {SignOut: everywhere},
	// An auditor verifies and reads no content.
	Auditor:             {SignOut: everywhere, ReadReceipt: everywhere, ReadAccess: everywhere, ReadUnits: everywhere},
	SystemAdministrator: {SignOut: everywhere, ManageAccess: everywhere, ManageUnits: everywhere, ReadUnits: everywhere, RevokeDevice: everywhere},
	// Which dossiers are one's own: see [Vault.OwnAccessRecord].
	RoleSubject: {SignOut: everywhere, ReadOwnAccess: everywhere},
}

// Allowed is the decision alone: whether role may do action in its own unit, or in another's.
func Allowed(role Role, action Action, own bool) bool {
	switch rights[role][action] {
	case everywhere:
		return true
	case ownUnit:
		return own
	default:
		return false
	}
}

// authorize is the first line of every use case that acts on one unit's data. A refusal is recorded before it is returned;
// where that record cannot be written the error says so, and the act is refused all the same.
func (v *Vault) authorize(ctx context.Context, a Actor, action Action, unit UnitID, t Target) error {
	if Allowed(a.Role, action, unit == a.Unit) {
		return nil
	}
	return v.refuse(ctx, a, action, t, "role", fmt.Errorf("%w: %s", ErrForbidden, action))
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
