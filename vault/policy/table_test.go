package policy

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

var roles = []string{
	"staff", "official", "appraiser", "auditor", "system_administrator", "data_administrator", "data_owner", "data_steward", "subject", "",
}

// scope is one situation: what differs from an unclassified dossier of the principal's own unit, in a session by password.
type scope struct {
	name   string
	change func(r *Request)
}

func scopeOf(t testing.TB, name string) scope {
	t.Helper()
	list := scopes()
	i := slices.IndexFunc(list, func(s scope) bool { return s.name == name })
	if i < 0 {
		t.Fatalf("there is no scope %s", name)
	}
	return list[i]
}

// onDossier, onAccount: what an action is on; what is in neither is on a unit.
var (
	onDossier = strings.Fields(`open_dossier read_dossier read_job read_export classify declassify deposit disclose submit sign export
		collect_export deliver_export read_receipt`)
	onAccount = strings.Fields(`set_clearance grant_access revoke_grant`)
)

func (s scope) ask(role, action string) Request {
	r := Request{
		Principal: Principal{Account: "me", Role: role, Unit: "unit", Clearance: Unclassified}, Action: action, Units: []string{"unit", "root"}, Now: noon,
	}
	if slices.Contains(onDossier, action) {
		r.Dossier = &Dossier{ID: "dossier", Register: "party", Secrecy: Unclassified}
	}
	if slices.Contains(onAccount, action) {
		r.Account = "other"
		r.Change = &Change{Level: Secret, Until: noon.Add(24 * time.Hour), Register: "party"}
	}
	if action == "classify" || action == "declassify" {
		r.Change = &Change{Level: TopSecret}
	}
	s.change(&r)
	return r
}

// dossier changes the dossier, where there is one.
func dossier(change func(d *Dossier)) func(r *Request) {
	return func(r *Request) {
		if r.Dossier != nil {
			change(r.Dossier)
		}
	}
}

func units(list ...string) func(r *Request) { return func(r *Request) { r.Units = list } }

func all(changes ...func(r *Request)) func(r *Request) {
	return func(r *Request) {
		for _, change := range changes {
			change(r)
		}
	}
}

// secret is a secret dossier, and everything that it takes.
var secret = all(dossier(func(d *Dossier) { d.Secrecy = Secret }), func(r *Request) {
	p := &r.Principal
	p.Clearance, p.ClearedUntil, p.Device, p.MFA, r.Purpose = Secret, noon.Add(time.Hour), true, true, true
})

// slip is a dossier of another unit with a grant that opens it, changed as given.
func slip(change func(g *Grant)) func(r *Request) {
	return func(r *Request) {
		g := Grant{
			Unit: "far", Register: "party", Secrecy: TopSecret, Forms: []string{View, Download}, From: noon.Add(-time.Hour), Until: noon.Add(time.Hour),
		}
		change(&g)
		r.Units, r.Grants, r.Purpose = []string{"far", "root"}, []Grant{g}, true
	}
}

func task(change func(g *Grant)) func(r *Request) {
	return slip(func(g *Grant) {
		g.Task, g.Dossier = true, "dossier"
		change(g)
	})
}

// decided is a decision of the owner that covers what is to be changed, changed as given.
func decided(change func(s *Scope)) func(r *Request) {
	return func(r *Request) {
		if r.Change != nil && r.Account != "" {
			r.Change.Decision = &Scope{Unit: "unit", Level: Secret, Until: noon.Add(48 * time.Hour)}
			change(r.Change.Decision)
		}
	}
}

func same[T any](*T) {}

// scopes are the columns of the table.
func scopes() []scope {
	var list []scope
	add := func(name string, change func(r *Request)) { list = append(list, scope{name, change}) }
	add("own", func(*Request) {})
	for _, register := range []string{"cadre", "protection", "health", "training", "research"} {
		add("own-"+register, dossier(func(d *Dossier) { d.Register = register }))
	}
	add("below", units("low", "unit", "root"))
	add("above", units("root"))
	add("elsewhere", units("far", "root"))
	add("kind", dossier(func(d *Dossier) { d.Kind = "party.member_slip" }))
	add("full-session", func(r *Request) { r.Principal.Device, r.Principal.MFA, r.Purpose = true, true, true })

	add("forced", func(r *Request) { r.Principal.MFAForced = true })
	add("forced-mfa", func(r *Request) { r.Principal.MFAForced, r.Principal.MFA = true, true })

	add("secret", secret)
	add("secret-no-clearance", all(secret, func(r *Request) { r.Principal.Clearance = Unclassified }))
	add("secret-low-clearance", all(secret, func(r *Request) { r.Principal.Clearance = Confidential }))
	add("secret-ended", all(secret, func(r *Request) { r.Principal.ClearedUntil = noon }))
	add("secret-no-device", all(secret, func(r *Request) { r.Principal.Device = false }))
	add("secret-no-mfa", all(secret, func(r *Request) { r.Principal.MFA = false }))
	add("secret-no-purpose", all(secret, func(r *Request) { r.Purpose = false }))
	add("secret-bare", dossier(func(d *Dossier) { d.Secrecy = Secret }))
	add("secret-below", all(secret, units("low", "unit", "root")))
	add("secret-elsewhere", all(secret, units("far", "root")))
	add("secret-elsewhere-bare", all(dossier(func(d *Dossier) { d.Secrecy = Secret }), units("far", "root")))
	add("confidential", all(secret, dossier(func(d *Dossier) { d.Secrecy = Confidential })))
	add("confidential-bare", dossier(func(d *Dossier) { d.Secrecy = Confidential }))
	add("top-secret", all(secret, dossier(func(d *Dossier) { d.Secrecy = TopSecret }), func(r *Request) { r.Principal.Clearance = TopSecret }))
	add("top-secret-low-clearance", all(secret, dossier(func(d *Dossier) { d.Secrecy = TopSecret })))
	add("unknown-secrecy", all(secret, dossier(func(d *Dossier) { d.Secrecy = Unknown })))

	add("slip", slip(same[Grant]))
	add("slip-below", slip(func(g *Grant) { g.Unit = "root" }))
	add("slip-ended", slip(func(g *Grant) { g.Until = noon }))
	add("slip-not-yet", slip(func(g *Grant) { g.From = noon.Add(time.Minute) }))
	add("slip-other-unit", slip(func(g *Grant) { g.Unit = "farther" }))
	add("slip-other-register", slip(func(g *Grant) { g.Register = "cadre" }))
	add("slip-other-dossier", slip(func(g *Grant) { g.Dossier = "another" }))
	add("slip-this-dossier", slip(func(g *Grant) { g.Dossier = "dossier" }))
	add("slip-kind", all(slip(func(g *Grant) { g.Kinds = []string{"party.member_slip"} }), dossier(func(d *Dossier) { d.Kind = "party.member_slip" })))
	add("slip-other-kind", all(slip(func(g *Grant) { g.Kinds = []string{"party.admission"} }), dossier(func(d *Dossier) { d.Kind = "party.member_slip" })))
	add("slip-kind-whole-dossier", slip(func(g *Grant) { g.Kinds = []string{"party.member_slip"} }))
	add("slip-view", slip(func(g *Grant) { g.Forms = []string{View} }))
	add("slip-no-purpose", all(slip(same[Grant]), func(r *Request) { r.Purpose = false }))
	add("slip-secret", all(secret, slip(same[Grant])))
	add("slip-secret-no-clearance", all(secret, slip(same[Grant]), func(r *Request) { r.Principal.Clearance = Unclassified }))
	add("slip-secret-low-grant", all(secret, slip(func(g *Grant) { g.Secrecy = Confidential })))
	add("slip-no-level", slip(func(g *Grant) { g.Secrecy = Unknown }))
	add("task", task(same[Grant]))
	add("task-ended", task(func(g *Grant) { g.Until = noon }))
	add("task-other-person", task(func(g *Grant) { g.Dossier = "another" }))
	add("task-no-person", task(func(g *Grant) { g.Dossier = "" }))
	add("recipient", all(units("far", "root"), dossier(func(d *Dossier) { d.Recipient = "me" })))
	add("recipient-other", all(units("far", "root"), dossier(func(d *Dossier) { d.Recipient = "other" })))
	add("recipient-secret-bare", all(units("far", "root"), dossier(func(d *Dossier) { d.Recipient, d.Secrecy = "me", Secret })))

	add("own-work", all(dossier(func(d *Dossier) { d.Author = "other" }), func(r *Request) { r.Signer = "other" }))
	add("others-work", all(dossier(func(d *Dossier) { d.Author = "me" }), func(r *Request) { r.Signer = "other" }))
	add("lowering", all(secret, func(r *Request) {
		if r.Dossier != nil && r.Change != nil {
			r.Change.Level = Unclassified
		}
	}))
	add("decision", decided(same[Scope]))
	add("decision-below", all(decided(same[Scope]), units("low", "unit", "root")))
	add("decision-elsewhere", all(decided(func(s *Scope) { s.Unit = "far" }), units("far", "root")))
	add("decision-other-unit", decided(func(s *Scope) { s.Unit = "far" }))
	add("decision-lower", decided(func(s *Scope) { s.Level = Confidential }))
	add("decision-shorter", decided(func(s *Scope) { s.Until = noon.Add(time.Hour) }))
	add("decision-ended", decided(func(s *Scope) { s.Until = noon }))
	add("decision-register", decided(func(s *Scope) { s.Register = "party" }))
	add("decision-other-register", decided(func(s *Scope) { s.Register = "cadre" }))
	add("clearance-away", func(r *Request) {
		if r.Change != nil && r.Account != "" {
			r.Change.Level = Unclassified
		}
	})
	add("decision-self", all(decided(same[Scope]), func(r *Request) {
		if r.Account != "" {
			r.Account = "me"
		}
	}))
	return list
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not what the rules give: read the difference, then go test ./vault/policy -run Golden -update", file)
	}
}

// TestGolden holds every decision of role × action × scope, with the reason of each refusal.
func TestGolden(t *testing.T) {
	e := engine(t)
	var b strings.Builder
	decisions, allowed := 0, 0
	for _, role := range roles {
		for _, action := range e.Actions() {
			answers := map[string][]string{}
			for _, s := range scopes() {
				d := e.Decide(s.ask(role, action))
				answer := "+allowed"
				if d.Allowed {
					allowed++
				} else {
					answer = d.Reason
				}
				decisions++
				answers[answer] = append(answers[answer], s.name)
			}
			fmt.Fprintf(&b, "%s %s\n", named(role), action)
			for _, answer := range slices.Sorted(maps.Keys(answers)) {
				list := strings.Join(answers[answer], " ")
				if len(answers[answer]) == len(scopes()) {
					list = "always"
				}
				fmt.Fprintf(&b, "\t%s: %s\n", answer, list)
			}
		}
	}
	size := fmt.Sprintf("%d decisions: %d roles × %d actions × %d scopes; %d allowed", decisions, len(roles), len(e.Actions()), len(scopes()), allowed)
	compare(t, "testdata/table.golden", size+"\n\n"+b.String())
	t.Log(size)
}

func named(role string) string {
	if role == "" {
		return nobody
	}
	return role
}

// shownScopes are the columns of what people read.
var shownScopes = []string{
	"own", "below", "elsewhere", "forced", "secret", "secret-no-clearance", "secret-ended", "secret-no-device", "secret-no-mfa", "slip", "slip-ended", "task", "recipient", "decision",
}

// TestGoldenMarkdown holds what auditors read: the rules, and the heart of the table.
func TestGoldenMarkdown(t *testing.T) {
	e := engine(t)
	var b strings.Builder
	b.WriteString("# Who may do what\n\nWritten by `go test ./vault/policy -run Golden -update`; [POLICY.md](POLICY.md) says how to read it, " +
		"[testdata/table.golden](testdata/table.golden) has all scopes.\n\n## Rules\n\n" +
		"| file | rule | effect | reason | vi | en |\n|---|---|---|---|---|---|\n")
	for _, r := range e.Rules() {
		effect := "permit"
		if r.Forbid {
			effect = "forbid"
		}
		fmt.Fprintf(&b, "| [%s](policies/%s.cedar) | %s | %s | %s | %s | %s |\n", r.ID, r.ID, r.Rule, effect, r.Reason, r.Vi, r.En)
	}
	for _, role := range roles {
		fmt.Fprintf(&b, "\n## %s\n\n| act | %s |\n|---|%s\n", named(role), strings.Join(shownScopes, " | "), strings.Repeat("---|", len(shownScopes)))
		for _, action := range e.Actions() {
			cells, any := make([]string, len(shownScopes)), false
			for i, name := range shownScopes {
				d := e.Decide(scopeOf(t, name).ask(role, action))
				if cells[i] = d.Reason; d.Allowed {
					cells[i], any = "**yes**", true
				}
			}
			if any {
				fmt.Fprintf(&b, "| %s | %s |\n", action, strings.Join(cells, " | "))
			}
		}
	}
	compare(t, "TABLE.md", b.String())
}
