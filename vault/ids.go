package vault

import "github.com/google/uuid"

// Identifiers are UUIDv7: they sort by the time they were made and say nothing else.
// Each noun has its own type, so that one cannot stand where another is meant.
type (
	UnitID    struct{ uuid.UUID }
	AccountID struct{ uuid.UUID }
	SessionID struct{ uuid.UUID }
	DossierID struct{ uuid.UUID }
	RecordID  struct{ uuid.UUID }
	VersionID struct{ uuid.UUID }
	UploadID  struct{ uuid.UUID }
	JobID     struct{ uuid.UUID }
	ExportID  struct{ uuid.UUID }
	EventID   struct{ uuid.UUID }
	DeviceID  struct{ uuid.UUID }
	BatchID   struct{ uuid.UUID }
	UnitActID struct{ uuid.UUID }
	// DecisionID and GrantID are of rights: see [ScopeDecision] and [Grant].
	DecisionID struct{ uuid.UUID }
	GrantID    struct{ uuid.UUID }
)

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// idText is an identifier's text; empty for none.
func idText(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

// IsZero reports whether no identifier was given.
func (id UnitID) IsZero() bool { return id.UUID == uuid.Nil }

// IsZero reports whether no identifier was given.
func (id AccountID) IsZero() bool { return id.UUID == uuid.Nil }

// IsZero reports whether no identifier was given.
func (id RecordID) IsZero() bool { return id.UUID == uuid.Nil }

// IsZero reports whether no identifier was given.
func (id VersionID) IsZero() bool { return id.UUID == uuid.Nil }

// IsZero reports whether no identifier was given.
func (id DeviceID) IsZero() bool { return id.UUID == uuid.Nil }

// IsZero reports whether no identifier was given.
func (id JobID) IsZero() bool { return id.UUID == uuid.Nil }

// IsZero reports whether no identifier was given.
func (id DossierID) IsZero() bool { return id.UUID == uuid.Nil }

// IsZero reports whether no identifier was given.
func (id BatchID) IsZero() bool { return id.UUID == uuid.Nil }

// IsZero reports whether no identifier was given.
func (id DecisionID) IsZero() bool { return id.UUID == uuid.Nil }
