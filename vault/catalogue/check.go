package catalogue

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

const (
	maxLabel = 300 // bytes
	maxKind  = 64
	maxDays  = 366
)

// Codes are what the ledger takes for a word; without a dash, which other formats do not take.
var (
	registerForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	wordForm     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)
)

// checker collects all that is wrong with one file.
type checker struct {
	name  string
	text  []byte
	tree  *ast.File
	wrong []error
}

// place is where in the file something stands.
type place struct {
	k    *checker
	path string
}

func (k *checker) at(format string, args ...any) place { return place{k, fmt.Sprintf(format, args...)} }

func (p place) at(format string, args ...any) place {
	return place{p.k, p.path + fmt.Sprintf(format, args...)}
}

// say adds an error with the line of the place, or of what it should have stood in.
func (p place) say(format string, args ...any) {
	what := strings.TrimPrefix(strings.TrimPrefix(p.path, "$"), ".")
	if what != "" {
		what += ": "
	}
	p.k.wrong = append(p.k.wrong, fileError(p.k.name, p.k.line(p.path), "%s%s", what, fmt.Sprintf(format, args...)))
}

// line finds the line of a path in the file; where the path leads to nothing, that of the nearest one above it.
func (k *checker) line(at string) int {
	if k.tree == nil {
		tree, err := parser.ParseBytes(k.text, 0)
		if err != nil {
			return 1
		}
		k.tree = tree
	}
	for at != "$" && at != "" {
		if p, err := yaml.PathString(at); err == nil {
			if node, err := p.FilterFile(k.tree); err == nil && node != nil {
				return node.GetToken().Position.Line
			}
		}
		at = at[:max(0, strings.LastIndexAny(at, ".["))]
	}
	return 1
}

func (p place) label(l Label) {
	for _, language := range []struct{ code, text string }{{"vi", l.Vi}, {"en", l.En}} {
		at := p.at(".%s", language.code)
		switch {
		case language.text == "":
			at.say("is missing")
		case len(language.text) > maxLabel || language.text != strings.TrimSpace(language.text) || strings.ContainsFunc(language.text, unicode.IsControl):
			at.say("is not one line of at most %d bytes without spaces around it", maxLabel)
		}
	}
}

// oneOf refuses a value that is not one of those that are known.
func oneOf[T ~string](p place, value T, known ...T) {
	if !slices.Contains(known, value) {
		words := make([]string, len(known))
		for i, w := range known {
			words[i] = string(w)
		}
		p.say("%q is none of: %s", string(value), strings.Join(words, ", "))
	}
}

// unique refuses a code that came before, or is no word.
func (p place) unique(code string, seen map[string]bool) {
	switch {
	case !wordForm.MatchString(code):
		p.say("%q is no code: a lower-case letter, then letters, digits and _, at most 48", code)
	case seen[code]:
		p.say("%q stands twice", code)
	}
	seen[code] = true
}

func (k *checker) register(c *Catalogue, r RegisterInfo) {
	top := k.at("$")
	switch {
	case !registerForm.MatchString(string(r.Register)):
		top.at(".register").say("%q is no code: a lower-case letter, then letters, digits and _, at most 32", string(r.Register))
	case path.Base(k.name) != string(r.Register)+".yaml":
		top.at(".register").say("the file of register %q is named %s.yaml", string(r.Register), string(r.Register))
	}
	if r.Version < 1 {
		top.at(".version").say("is a whole number, raised with each change of the file")
	}
	for _, l := range []struct {
		key  string
		text Label
	}{
		{"label", r.Label}, {"data_owner", r.DataOwner}, {"business_unit", r.BusinessUnit}, {"steward", r.Steward},
		{"technical_contact", r.TechnicalContact},
	} {
		top.at(".%s", l.key).label(l.text)
	}
	sources := map[string]bool{}
	for _, other := range c.registers {
		sources[string(other.Register)] = true
	}
	for i, s := range r.Sources {
		at := top.at(".sources[%d]", i)
		at.at(".source").unique(s.Source, sources)
		at.at(".label").label(s.Label)
	}
	if len(r.Kinds) == 0 {
		top.at(".kinds").say("a register has at least one kind of record")
	}
	seen := map[Kind]bool{}
	for i, kind := range r.Kinds {
		at := top.at(".kinds[%d]", i)
		if seen[kind.Kind] {
			at.at(".kind").say("%q stands twice", string(kind.Kind))
		}
		seen[kind.Kind] = true
		at.kind(r.Register, kind, sources)
	}
	k.chains(r)
	seenDuties := map[string]bool{}
	for i, d := range r.Duties {
		at := top.at(".duties[%d]", i)
		at.at(".duty").unique(d.Duty, seenDuties)
		at.at(".label").label(d.Label)
		at.at(".basis").label(d.Basis)
		if d.Months < 1 || d.Months > 120 {
			at.at(".every_months").say("is between 1 and 120")
		}
		at.hands(d.Unit, d.Who)
	}
}

func (p place) kind(r Register, k KindInfo, sources map[string]bool) {
	word, own := strings.CutPrefix(string(k.Kind), string(r)+".")
	if !own || !wordForm.MatchString(word) || len(k.Kind) > maxKind {
		p.at(".kind").say("%q is no code: %s, a dot, then a lower-case letter, letters, digits and _", string(k.Kind), string(r))
	}
	p.at(".label").label(k.Label)
	oneOf(p.at(".secrecy"), k.Secrecy, Unclassified, Confidential, Secret, TopSecret)
	if !k.Retention.valid() {
		p.at(".retention").say("%q is neither permanent nor years such as 20y", string(k.Retention))
	}
	if len(k.Readers) == 0 {
		p.at(".readers").say("is missing: nobody could read it without a grant")
	}
	for i, reader := range k.Readers {
		at := p.at(".readers[%d]", i)
		oneOf(at, reader, ReadHolder, ReadSuperiors, ReadCompetent, ReadOwner, ReadAppraiser, ReadSubjectSelf)
		if reader == ReadSubjectSelf && k.ClosedToSubject {
			at.say("the kind is closed to the person it is about")
		}
	}
	fields := map[string]bool{}
	for i, f := range k.Fields {
		at := p.at(".fields[%d]", i)
		at.at(".field").unique(f.Field, fields)
		at.field(k, f)
		if !sources[f.Source] {
			at.at(".source").say("%q is neither a register nor one of this file's sources", f.Source)
		}
	}
}

func (p place) field(k KindInfo, f Field) {
	p.at(".label").label(f.Label)
	oneOf(p.at(".type"), f.Type, Text, Date, Year, Number, YesNo, OneOf)
	if f.Before != Making {
		oneOf(p.at(".before"), f.Before, AsBasis)
	}
	if (f.Type == OneOf) != (len(f.Choices) > 0) {
		p.at(".choices").say("belong to type choice, and to no other")
	}
	choices := map[string]bool{}
	for i, c := range f.Choices {
		p.at(".choices[%d].choice", i).unique(c.Choice, choices)
		p.at(".choices[%d].label", i).label(c.Label)
	}
	if f.Optional && (f.When != nil || f.Before != Making) {
		p.at(".optional").say("a field is either optional, or mandatory on a condition")
	}
	if f.When != nil {
		p.condition(k, f)
	}
}

// condition refuses one that can never hold.
func (p place) condition(k KindInfo, f Field) {
	at := p.at(".when.field")
	i := slices.IndexFunc(k.Fields, func(o Field) bool { return o.Field == f.When.Field })
	if i < 0 || f.When.Field == f.Field {
		at.say("%q is no other field of %s", f.When.Field, string(k.Kind))
		return
	}
	switch other := k.Fields[i]; other.Type {
	case YesNo:
		oneOf(p.at(".when.is"), f.When.Is, "true", "false")
	case OneOf:
		if !slices.ContainsFunc(other.Choices, func(c Choice) bool { return c.Choice == f.When.Is }) {
			p.at(".when.is").say("%q is no choice of %s", f.When.Is, f.When.Field)
		}
	case Text, Date, Year, Number:
		at.say("%s is neither of type yes_no nor of type choice", f.When.Field)
	}
}
