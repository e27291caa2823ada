package catalogue

// Register is the code of a component database that owns dossiers.
type Register string

// The six registers of Article 3. A folder of files may add others.
const (
	Party      Register = "party"
	Cadre      Register = "cadre"
	Protection Register = "protection"
	Health     Register = "health"
	Training   Register = "training"
	Research   Register = "research"
)

// Kind is the code of what a record is, for example "party.member_slip": its register's, a dot and a word.
type Kind string

// Label is a text in the two languages of the product.
type Label struct {
	Vi string `yaml:"vi"`
	En string `yaml:"en"`
}

// RegisterInfo is all that stands in a register's file.
type RegisterInfo struct {
	Register Register `yaml:"register"`
	// Version counts the file's changes: every change of its bytes raises it.
	Version int   `yaml:"version"`
	Label   Label `yaml:"label"`
	// Who answers for the register (R-8.1, Annex 1).
	DataOwner        Label       `yaml:"data_owner"`        // decides the scope of use
	BusinessUnit     Label       `yaml:"business_unit"`     // answers for content
	Steward          Label       `yaml:"steward"`           // makes, checks and reconciles
	TechnicalContact Label       `yaml:"technical_contact"` // runs the system
	Subject          SubjectRule `yaml:"-"`
	Sources          []Source    `yaml:"sources"`
	Kinds            []KindInfo  `yaml:"kinds"`
	Chains           []Chain     `yaml:"chains"`
	Duties           []Duty      `yaml:"duties"`
}

// Kind returns what is known of a kind of this register's records.
func (i RegisterInfo) Kind(k Kind) (KindInfo, bool) {
	for _, info := range i.Kinds {
		if info.Kind == k {
			return info, true
		}
	}
	return KindInfo{}, false
}

// Chain returns by which steps a record of a kind becomes official on an event: the chain that names the kind, else the one that
// names none.
func (i RegisterInfo) Chain(e Event, k Kind) (Chain, bool) {
	general := -1
	for n, c := range i.Chains {
		if c.Event != e {
			continue
		}
		if len(c.Kinds) == 0 {
			general = n
		}
		for _, named := range c.Kinds {
			if named == k {
				return c, true
			}
		}
	}
	if general < 0 {
		return Chain{}, false
	}
	return i.Chains[general], true
}

// Source is where a datum is authoritative outside the registers.
type Source struct {
	Source string `yaml:"source"`
	Label  Label  `yaml:"label"`
}

// KindInfo is what is known of a kind of record.
type KindInfo struct {
	Kind  Kind  `yaml:"kind"`
	Label Label `yaml:"label"`
	// Retired kinds take no new record. Those that stand stay readable and may have new versions.
	Retired   bool      `yaml:"retired"`
	Secrecy   Secrecy   `yaml:"secrecy"` // of a new record, unless it is set higher
	Retention Retention `yaml:"retention"`
	Readers   []Reader  `yaml:"readers"` // by default; a grant or a task opens it to others
	// ClosedToSubject kinds are not shown to the person they are about (R-13.2a).
	ClosedToSubject bool    `yaml:"closed_to_subject"`
	Fields          []Field `yaml:"fields"`
}

// Reader is a body or person that reads a kind without being granted it.
type Reader string

// The readers.
const (
	ReadHolder      Reader = "holder"       // the unit that holds the dossier
	ReadSuperiors   Reader = "superiors"    // the units above it
	ReadCompetent   Reader = "competent"    // the unit competent to manage the subject
	ReadOwner       Reader = "owner"        // the register's business unit
	ReadAppraiser   Reader = "appraiser"    // while it has a task to appraise this person (R-15.3d)
	ReadSubjectSelf Reader = "subject_self" // the person it is about, unless it is closed to them
)

// Field is a datum of a kind of record. It is mandatory unless it says otherwise.
type Field struct {
	Field    string     `yaml:"field"`
	Label    Label      `yaml:"label"`
	Type     FieldType  `yaml:"type"`
	Choices  []Choice   `yaml:"choices"` // of type choice
	Optional bool       `yaml:"optional"`
	When     *Condition `yaml:"when"` // mandatory only where this holds
	// Before says by when it is mandatory; empty: when the record is made.
	Before Stage `yaml:"before"`
	// Source is the code of the register, or of the [Source] in the same file, that is right where others disagree.
	Source string `yaml:"source"`
}

// FieldType says how a value is written.
type FieldType string

// The types. A date is yyyy-mm-dd, a year four digits, a number digits with at most one point, a yes_no "true" or "false".
const (
	Text   FieldType = "text"
	Date   FieldType = "date"
	Year   FieldType = "year"
	Number FieldType = "number"
	YesNo  FieldType = "yes_no"
	OneOf  FieldType = "choice"
)

// Choice is one value that a field of type choice may have.
type Choice struct {
	Choice string `yaml:"choice"`
	Label  Label  `yaml:"label"`
}

// Condition holds where another field of the same kind has the value.
type Condition struct {
	Field string `yaml:"field"`
	Is    string `yaml:"is"`
}

// Stage is a moment in a record's life by which fields must be filled in.
type Stage string

// The stages, in their order.
const (
	Making  Stage = ""         // the record is made
	AsBasis Stage = "as_basis" // it is used as the basis of a decision (R-12.6e)
)

// Missing lists the fields that are mandatory at a stage, by the values given, and empty.
func (k KindInfo) Missing(values map[string]string, at Stage) []Field {
	var missing []Field
	for _, f := range k.Fields {
		due := f.Before == Making || at == AsBasis
		if f.Optional || !due || values[f.Field] != "" || f.When != nil && values[f.When.Field] != f.When.Is {
			continue
		}
		missing = append(missing, f)
	}
	return missing
}
