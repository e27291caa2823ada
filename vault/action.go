package vault

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
	Classify      Action = "classify"        // raise the secrecy of a dossier or a record
	Declassify    Action = "declassify"      // lower it
	DecideScope   Action = "decide_scope"    // what may be granted in a unit
	ListDecisions Action = "list_decisions"
	SetClearance  Action = "set_clearance"
	GrantAccess   Action = "grant_access"
	RevokeGrant   Action = "revoke_grant"
	ExplainPolicy Action = "explain_policy" // why something is allowed or refused

	BeginFactor   Action = "begin_second_factor" // one's own
	ConfirmFactor Action = "confirm_second_factor"
	RemoveFactor  Action = "remove_second_factor"
	ResetFactor   Action = "reset_second_factor" // anybody's, by the operator's command
)

// Actions lists all actions.
func Actions() []Action {
	return []Action{SignIn, SignOut, ManageAccess, ManageUnits, ReadUnits, ListAccounts, OpenDossier, ListDossiers, ReadDossier, Deposit, Disclose,
		Submit, Sign, ListJobs, ReadJob, Seal, EnrolDevice, ListDevices, RevokeDevice, ExportDossier, Renew, Reconcile, NewCatalogue, ListExports, ReadExport, Collect,
		Deliver, ReadReceipt, ReadAccess, ReadOwnAccess, Classify, Declassify, DecideScope, ListDecisions, SetClearance, GrantAccess, RevokeGrant,
		ExplainPolicy, BeginFactor, ConfirmFactor, RemoveFactor, ResetFactor}
}
