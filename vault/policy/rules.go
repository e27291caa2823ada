package policy

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

// ErrPolicy says that a policy file cannot be used.
var ErrPolicy = errors.New("policy file")

//go:embed policies/*.cedar
var builtIn embed.FS

//go:embed schema.cedarschema
var schemaText []byte

// What files from outside may be.
const (
	maxFiles = 200
	maxFile  = 64 << 10 // bytes
)

// Rule is one policy: a file with its rule's id and its sentence in both languages.
type Rule struct {
	ID     string // the file's name without .cedar
	Rule   string // of the regulation, such as
	Forbid bool
	Reason string // the stable code that a refusal by it is recorded with; empty for one that permits
	Vi, En string
}

// rule is a policy with what it takes to evaluate it.
type rule struct {
	Rule
	policy *cedar.Policy
}

func (r rule) tree() *ast.Policy { return (*ast.Policy)(r.policy.AST()) }

func readSchema() (*resolved.Schema, error) {
	var s schema.Schema
	s.SetFilename("schema.cedarschema")
	if err := s.UnmarshalCedar(schemaText); err != nil {
		return nil, err
	}
	return s.Resolve()
}

// readRules reads every *.cedar of a folder, in the order of their names.
func readRules(dir fs.FS, known *resolved.Schema) ([]rule, error) {
	names, err := fs.Glob(dir, "*.cedar")
	if err != nil {
		return nil, err
	}
	if len(names) > maxFiles {
		return nil, fmt.Errorf("%w: %d files are more than %d", ErrPolicy, len(names), maxFiles)
	}
	slices.Sort(names)
	v := validate.New(known)
	rules := make([]rule, len(names))
	for i, name := range names {
		if rules[i], err = readRule(dir, name, known, v); err != nil {
			return nil, fmt.Errorf("%w %s: %w", ErrPolicy, name, err)
		}
	}
	return rules, nil
}

func readRule(dir fs.FS, name string, known *resolved.Schema, v *validate.Validator) (rule, error) {
	if info, err := fs.Stat(dir, name); err != nil || info.Size() > maxFile {
		return rule{}, errors.Join(err, fmt.Errorf("a file has at most %d bytes", maxFile))
	}
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return rule{}, err
	}
	list, err := cedar.NewPolicyListFromBytes(name, text)
	if err != nil {
		return rule{}, err
	}
	if len(list) != 1 {
		return rule{}, fmt.Errorf("it holds %d policies, not one", len(list))
	}
	said := list[0].Annotations()
	r := rule{policy: list[0], Rule: Rule{
		ID: strings.TrimSuffix(path.Base(name), ".cedar"), Rule: string(said["rule"]), Forbid: list[0].Effect() == cedar.Forbid,
		Reason: string(said["reason"]), Vi: string(said["vi"]), En: string(said["en"]),
	}}
	switch {
	case r.Rule.Rule == "" || r.Vi == "" || r.En == "":
		return rule{}, errors.New("@rule, @vi or @en is missing")
	case r.Forbid != (r.Reason != ""):
		return rule{}, errors.New("@reason belongs to what forbids, and to nothing else")
	case r.Forbid && !reasonForm(r.Reason):
		return rule{}, errors.New("@reason is one word of a-z and _")
	}
	if err := v.Policy(r.ID, r.tree()); err != nil {
		return rule{}, err
	}
	if name, unknown := r.unknownRole(known); unknown {
		return rule{}, fmt.Errorf("there is no role %q", name)
	}
	return r, nil
}

// unknownRole finds a role that the schema does not list, which the validator lets pass: a rule that forbids it would forbid nobody.
func (r rule) unknownRole(known *resolved.Schema) (name string, unknown bool) {
	look := func(id cedar.EntityUID) {
		if id.Type == roleType && !slices.Contains(known.Enums[roleType].Values, id) {
			name, unknown = string(id.ID), true
		}
	}
	tree := r.tree()
	switch s := tree.Principal.(type) {
	case ast.ScopeTypeEq:
		look(s.Entity)
	case ast.ScopeTypeIn:
		look(s.Entity)
	case ast.ScopeTypeIsIn:
		look(s.Entity)
	}
	for _, c := range tree.Conditions {
		ast.Inspect(ast.NewNode(c.Body), func(n ast.IsNode) bool {
			if v, ok := n.(ast.NodeValue); ok {
				if id, ok := v.Value.(cedar.EntityUID); ok {
					look(id)
				}
			}
			return true
		})
	}
	return name, unknown
}

func reasonForm(s string) bool {
	return len(s) <= 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// names reports whether a policy's scope may take an action: what it says beside its scope is asked when it is evaluated.
func (r rule) names(action cedar.EntityUID, groups cedar.EntityUIDSet) bool {
	in := func(e cedar.EntityUID) bool { return e == action || groups.Contains(e) }
	switch s := r.tree().Action.(type) {
	case ast.ScopeTypeEq:
		return s.Entity == action
	case ast.ScopeTypeIn:
		return in(s.Entity)
	case ast.ScopeTypeInSet:
		return slices.ContainsFunc(s.Entities, in)
	}
	return true
}
