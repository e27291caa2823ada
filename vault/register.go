package vault

import "trien/vault/catalogue"

// The words of the catalogue that the domain is made of: see package catalogue.
type (
	Catalogue    = catalogue.Catalogue
	Register     = catalogue.Register
	RegisterInfo = catalogue.RegisterInfo
	Kind         = catalogue.Kind
	KindInfo     = catalogue.KindInfo
	Label        = catalogue.Label
	SubjectRule  = catalogue.SubjectRule
	Showing      = catalogue.Showing
)

// The six registers of Article 3. A vault's own may be more: see [Vault.Catalogue].
const (
	Party      = catalogue.Party
	Cadre      = catalogue.Cadre
	Protection = catalogue.Protection
	Health     = catalogue.Health
	Training   = catalogue.Training
	Research   = catalogue.Research
)

// The ways of showing a person who read their dossier.
const (
	Shown   = catalogue.Shown
	Delayed = catalogue.Delayed
	Closed  = catalogue.Closed
)
