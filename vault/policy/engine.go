package policy

import (
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"time"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
)

// Reasons of refusals that no rule's @reason names.
const (
	ReasonRole  = "role"  // no rule permits this role the act
	ReasonUnit  = "unit"  // one does, in another unit
	ReasonTerm  = "term"  // one did, until a term ended
	ReasonError = "error" // a rule could not be evaluated
)

// Decision is an answer.
type Decision struct {
	Allowed bool
	// By are the rules that decided, in the order of their ids: those that permit, or those that forbid. Empty: none permits.
	By     []Rule
	Reason string // the first one of a refusal; empty if it is allowed
}

// Engine holds the rules. It does not change: any number may ask it at once.
type Engine struct {
	rules   []rule
	added   bool
	schema  *resolved.Schema
	actions cedar.EntityMap
	byName  map[string]*choice
}

// choice is what is to be asked about one action.
type choice struct {
	uid       cedar.EntityUID
	rules     ruleList
	resources []cedar.EntityType
}

// ruleList implements [cedar.PolicyIterator].
type ruleList []rule

func (l ruleList) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for _, r := range l {
			if !yield(cedar.PolicyID(r.ID), r.policy) {
				return
			}
		}
	}
}

// New returns an engine of the program's own rules, and of those in extra, which may be nil. A rule in extra must forbid, and have an id
// of its own: nothing from outside can permit what the program's rules do not, nor take one of them away. Errors wrap [ErrPolicy].
func New(extra fs.FS) (*Engine, error) {
	known, err := readSchema()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	own, err := fs.Sub(builtIn, "policies")
	if err != nil {
		return nil, err
	}
	e := &Engine{schema: known, actions: cedar.EntityMap{}, byName: map[string]*choice{}}
	if e.rules, err = readRules(own, known); err != nil {
		return nil, err
	}
	if extra != nil {
		added, err := readRules(extra, known)
		if err != nil {
			return nil, err
		}
		for _, r := range added {
			switch {
			case !r.Forbid:
				return nil, fmt.Errorf("%w %s: what is added may forbid, and permit nothing", ErrPolicy, r.ID)
			case slices.ContainsFunc(e.rules, func(o rule) bool { return o.ID == r.ID }):
				return nil, fmt.Errorf("%w %s: there is a rule of this name", ErrPolicy, r.ID)
			}
		}
		e.rules, e.added = append(e.rules, added...), len(added) > 0
	}
	slices.SortFunc(e.rules, func(a, b rule) int { return strings.Compare(a.ID, b.ID) })
	e.index()
	return e, nil
}

// index sorts the rules by the actions whose scope they are in.
func (e *Engine) index() {
	for uid, action := range e.schema.Actions {
		groups := cedar.NewEntityUIDSet(e.groups(uid)...)
		e.actions[uid] = cedar.Entity{UID: uid, Parents: groups}
		if action.AppliesTo == nil {
			continue
		}
		c := &choice{uid: uid, resources: action.AppliesTo.Resources}
		for _, r := range e.rules {
			if r.names(uid, groups) {
				c.rules = append(c.rules, r)
			}
		}
		e.byName[string(uid.ID)] = c
	}
}

// groups are all that an action is in, directly or not. The schema was checked for cycles.
func (e *Engine) groups(uid cedar.EntityUID) []cedar.EntityUID {
	var all []cedar.EntityUID
	for parent := range e.schema.Actions[uid].Entity.Parents.All() {
		all = append(append(all, parent), e.groups(parent)...)
	}
	return all
}

// Rules lists the rules by id.
func (e *Engine) Rules() []Rule {
	list := make([]Rule, len(e.rules))
	for i, r := range e.rules {
		list[i] = r.Rule
	}
	return list
}

// Added reports whether there are other rules than the program's own: they may forbid by any fact.
func (e *Engine) Added() bool { return e.added }

// Actions lists the names of all actions that can be asked about.
func (e *Engine) Actions() []string {
	var names []string
	for name := range e.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Decide answers a question. Each of the grants is asked about by itself: no two of them together open what neither does.
func (e *Engine) Decide(r Request) Decision {
	d := e.decide(&r)
	if !d.Allowed && len(d.By) == 0 && d.Reason == "" {
		d.Reason = e.missing(r)
	}
	return d
}

// decide leaves the reason open where nothing permits.
func (e *Engine) decide(r *Request) Decision {
	c, known := e.byName[r.Action]
	if !known || !slices.Contains(c.resources, r.resource().Type) {
		return Decision{}
	}
	facts := &entities{actions: e.actions, principal: r.Principal.entity(e.schema.Enums[roleType].Values), units: r.Units}
	if r.Dossier != nil {
		facts.dossier = r.Dossier.entity()
	}
	d := c.ask(facts, r, nil)
	for i := range r.Grants {
		if d.Allowed || len(d.By) > 0 {
			break
		}
		d = c.ask(facts, r, &r.Grants[i])
	}
	return d
}

func (c *choice) ask(facts *entities, r *Request, g *Grant) Decision {
	allowed, said := cedar.Authorize(c.rules, facts, cedar.Request{
		Principal: facts.principal.UID, Action: c.uid, Resource: r.resource(), Context: r.facts(g),
	})
	// To Cedar a rule that fails is one that is not there. To us it may be the one that forbids.
	if len(said.Errors) > 0 {
		return Decision{Reason: ReasonError}
	}
	d := Decision{Allowed: bool(allowed)}
	for _, by := range said.Reasons {
		i := slices.IndexFunc(c.rules, func(o rule) bool { return o.ID == string(by.PolicyID) })
		d.By = append(d.By, c.rules[i].Rule)
	}
	if !d.Allowed && len(d.By) > 0 {
		d.Reason = d.By[0].Reason
	}
	return d
}

// missing says why nothing permits: what one fact more would have done is asked.
func (e *Engine) missing(r Request) string {
	if len(r.Grants) > 0 {
		if longer := withTerm(r); e.decide(&longer).Allowed {
			return ReasonTerm
		}
	}
	if own := withOwnUnit(r); own.Principal.Unit != "" && e.decide(&own).Allowed {
		return ReasonUnit
	}
	return ReasonRole
}

// withOwnUnit is the question as if the principal were of the unit.
func withOwnUnit(r Request) Request {
	r.Units = []string{r.Principal.Unit}
	return r
}

// withTerm is the question as if no term had ended.
func withTerm(r Request) Request {
	later := r.Now.Add(time.Hour)
	r.Principal.ClearedUntil = later
	r.Grants = slices.Clone(r.Grants)
	for i := range r.Grants {
		r.Grants[i].Until = later
	}
	return r
}
