package policy

import (
	"slices"
	"testing"
	"time"
)

// fact is a fact that can be there or not; a request is made of any set of them.
type fact struct {
	name string
	set  func(r *Request)
}

var personal = []fact{
	{"own unit", func(r *Request) { r.Units = []string{"unit", "root"} }},
	{"cleared", func(r *Request) { r.Principal.Clearance = TopSecret }},
	{"in term", func(r *Request) { r.Principal.ClearedUntil = noon.Add(time.Hour) }},
	{"device", func(r *Request) { r.Principal.Device = true }},
	{"mfa", func(r *Request) { r.Principal.MFA = true }},
	{"purpose", func(r *Request) { r.Purpose = true }},
}

var ofDossiers = append(personal[:len(personal):len(personal)], []fact{
	{"slip", func(r *Request) {
		r.Grants = append(r.Grants, Grant{
			Unit: "root", Register: "party", Secrecy: TopSecret, Forms: []string{View, Download}, From: noon.Add(-time.Hour), Until: noon.Add(time.Hour),
		})
	}},
	{"task", func(r *Request) {
		r.Grants = append(r.Grants, Grant{
			Unit: "root", Register: "party", Dossier: "dossier", Secrecy: TopSecret, Forms: []string{View, Download}, Task: true,
			From: noon.Add(-time.Hour), Until: noon.Add(time.Hour),
		})
	}},
	{"recipient", dossier(func(d *Dossier) { d.Recipient = "me" })},
}...)

var ofRights = append(personal[:len(personal):len(personal)], fact{"decision", decided(func(s *Scope) { s.Unit = "root" })})

func factsOf(action string) []fact {
	if slices.Contains(onDossier, action) {
		return ofDossiers
	}
	return ofRights
}

func withFacts(role, action string, secrecy Level, set int) Request {
	s := scope{change: func(r *Request) {
		r.Units = []string{"far", "root"}
		for i, f := range factsOf(action) {
			if set&(1<<i) != 0 {
				f.set(r)
			}
		}
		if r.Dossier != nil {
			r.Dossier.Secrecy = secrecy
		}
	}}
	return s.ask(role, action)
}

// TestInvariants asks every role × action × secrecy × set of facts. No fact that is taken away opens anything; what is secret opens to nobody
// without clearance, term, device and second factor; the three hands stay apart whatever else there is (R-16.3-5).
func TestInvariants(t *testing.T) {
	e := engine(t)
	hands := map[string][]string{
		"system_administrator": slices.Concat(onDossier, onAccount, []string{"list_dossiers", "decide_scope"}),
		"data_administrator":   slices.Concat(onDossier, []string{"list_dossiers", "decide_scope", "manage_access"}),
		"data_owner": {
			"deposit", "disclose", "submit", "sign", "export", "collect_export", "deliver_export", "set_clearance", "grant_access", "revoke_grant", "manage_access",
		},
		"auditor": slices.Concat(slices.DeleteFunc(slices.Clone(onDossier), func(a string) bool { return a == "read_receipt" }), onAccount, []string{"manage_access"}),
		"":        e.Actions(),
	}
	const session = 1<<1 | 1<<2 | 1<<3 | 1<<4 // cleared, in term, device, mfa
	n := 0
	for _, role := range roles {
		for _, action := range e.Actions() {
			for _, secrecy := range []Level{Unclassified, Confidential, TopSecret} {
				if secrecy != Unclassified && !slices.Contains(onDossier, action) {
					continue
				}
				allowed := make([]bool, 1<<len(factsOf(action)))
				for set := range allowed {
					r := withFacts(role, action, secrecy, set)
					allowed[set] = e.decide(&r).Allowed
					n++
					if !allowed[set] {
						continue
					}
					if slices.Contains(hands[role], action) {
						t.Fatalf("%q may %s with facts %b", role, action, set)
					}
					if secrecy > Unclassified && set&session != session && role != "auditor" {
						t.Fatalf("%q may %s what is %d with facts %b", role, action, secrecy, set)
					}
				}
				for set := range allowed {
					for i, f := range factsOf(action) {
						if less := set &^ (1 << i); allowed[less] && !allowed[set] {
							t.Fatalf("%q may %s what is %d with facts %b, and not once %s is known", role, action, secrecy, less, f.name)
						}
					}
				}
			}
		}
	}
	t.Logf("%d decisions", n)
}
