package policy

import (
	"slices"
	"time"

	cedar "github.com/cedar-policy/cedar-go"
)

const (
	roleType    cedar.EntityType = "Role"
	unitType    cedar.EntityType = "Unit"
	accountType cedar.EntityType = "Account"
	dossierType cedar.EntityType = "Dossier"
	actionType  cedar.EntityType = "Action"
)

const nobody = "nobody"

// entities are what one question speaks of, looked up by what is there to be found and by nothing else. Of other accounts and dossiers
// than the ones in question only the id is known.
type entities struct {
	actions   cedar.EntityMap
	principal cedar.Entity
	dossier   cedar.Entity
	units     []string // one below the other, the root last
}

// Get implements [cedar.EntityGetter].
func (e *entities) Get(id cedar.EntityUID) (cedar.Entity, bool) {
	switch id.Type {
	case accountType:
		return e.principal, id == e.principal.UID
	case dossierType:
		return e.dossier, id == e.dossier.UID
	case unitType:
		for i, unit := range e.units {
			if string(id.ID) != unit {
				continue
			}
			found := cedar.Entity{UID: id}
			if i+1 < len(e.units) {
				found.Parents = cedar.NewEntityUIDSet(unitID(e.units[i+1]))
			}
			return found, true
		}
	case actionType:
		found, ok := e.actions[id]
		return found, ok
	}
	return cedar.Entity{}, false
}

func unitID(id string) cedar.EntityUID { return cedar.NewEntityUID(unitType, cedar.String(id)) }

func accountID(id string) cedar.EntityUID { return cedar.NewEntityUID(accountType, cedar.String(id)) }

func dossierID(id string) cedar.EntityUID { return cedar.NewEntityUID(dossierType, cedar.String(id)) }

// instant is a time in whole milliseconds, rounded down; what is not set is long past.
func instant(t time.Time) cedar.Datetime {
	if t.IsZero() {
		return cedar.NewDatetimeFromMillis(0)
	}
	return cedar.NewDatetimeFromMillis(t.UnixMilli())
}

// secrecy is the level of what is acted upon: what is not known is above all.
func (l Level) secrecy() cedar.Long {
	if l < Unclassified || l > TopSecret {
		return cedar.Long(TopSecret)
	}
	return cedar.Long(l - Unclassified)
}

// clearance is the level that is reached: what is not known is none above unclassified.
func (l Level) clearance() cedar.Long {
	if l < Unclassified || l > TopSecret {
		return 0
	}
	return cedar.Long(l - Unclassified)
}

// opened is the level that a grant or a decision opens: what is not known opens nothing.
func (l Level) opened() cedar.Long {
	if l < Unclassified || l > TopSecret {
		return -1
	}
	return cedar.Long(l - Unclassified)
}

// entity has a role that there is, or nobody's.
func (p Principal) entity(known []cedar.EntityUID) cedar.Entity {
	role := cedar.NewEntityUID(roleType, cedar.String(p.Role))
	if p.Account == "" || !slices.Contains(known, role) {
		role.ID = nobody
	}
	return cedar.Entity{
		UID:     accountID(p.Account),
		Parents: cedar.NewEntityUIDSet(role),
		Attributes: cedar.NewRecord(cedar.RecordMap{
			"unit": unitID(p.Unit), "clearance": p.Clearance.clearance(), "cleared_until": instant(p.ClearedUntil),
		}),
	}
}

func (d *Dossier) entity() cedar.Entity {
	attributes := cedar.RecordMap{"register": cedar.String(d.Register), "secrecy": d.Secrecy.secrecy()}
	if d.Kind != "" {
		attributes["kind"] = cedar.String(d.Kind)
	}
	if d.Author != "" {
		attributes["author"] = accountID(d.Author)
	}
	if d.Recipient != "" {
		attributes["recipient"] = accountID(d.Recipient)
	}
	return cedar.Entity{UID: dossierID(d.ID), Attributes: cedar.NewRecord(attributes)}
}

// resource is what the act is on.
func (r *Request) resource() cedar.EntityUID {
	switch {
	case r.Dossier != nil:
		return dossierID(r.Dossier.ID)
	case r.Account != "":
		return accountID(r.Account)
	}
	return unitID(r.unit())
}

func (r *Request) unit() string {
	if len(r.Units) == 0 {
		return ""
	}
	return r.Units[0]
}

// facts is the question's context, with one grant or none.
func (r *Request) facts(g *Grant) cedar.Record {
	m := cedar.RecordMap{
		"unit": unitID(r.unit()), "now": instant(r.Now), "mfa": cedar.Boolean(r.Principal.MFA), "mfa_forced": cedar.Boolean(r.Principal.MFAForced),
		"device": cedar.Boolean(r.Principal.Device), "purpose": cedar.Boolean(r.Purpose),
	}
	if g != nil {
		m["grant"] = g.record()
	}
	if r.Signer != "" {
		m["signer"] = accountID(r.Signer)
	}
	if c := r.Change; c != nil {
		m["level"] = c.Level.secrecy()
		if !c.Until.IsZero() {
			m["until"] = instant(c.Until)
		}
		if c.Register != "" {
			m["register"] = cedar.String(c.Register)
		}
		if s := c.Decision; s != nil {
			m["decision"] = cedar.NewRecord(cedar.RecordMap{
				"unit": unitID(s.Unit), "register": cedar.String(s.Register), "level": s.Level.opened(), "until": instant(s.Until),
			})
		}
	}
	return cedar.NewRecord(m)
}

func (g *Grant) record() cedar.Record {
	m := cedar.RecordMap{
		"unit": unitID(g.Unit), "register": cedar.String(g.Register), "kinds": words(g.Kinds), "secrecy": g.Secrecy.opened(),
		"forms": words(g.Forms), "task": cedar.Boolean(g.Task), "from": instant(g.From), "until": instant(g.Until),
	}
	if g.Dossier != "" {
		m["dossier"] = dossierID(g.Dossier)
	}
	return cedar.NewRecord(m)
}

func words(list []string) cedar.Set {
	values := make([]cedar.Value, len(list))
	for i, w := range list {
		values[i] = cedar.String(w)
	}
	return cedar.NewSet(values...)
}
