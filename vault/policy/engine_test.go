package policy

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

func engine(t testing.TB) *Engine {
	t.Helper()
	e, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var noon = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)

const added = `@rule("R-6.2") @reason("night") @vi("a") @en("b") forbid (principal, action == Action::"disclose", resource);`

// Rules from outside forbid, are whole, and speak of what there is; else the program does not start.
func TestAddedRules(t *testing.T) {
	for name, c := range map[string]struct{ file, text, wrong string }{
		"forbids":            {"x.cedar", added, ""},
		"permits":            {"x.cedar", `@rule("R-1") @vi("a") @en("b") permit (principal, action, resource);`, "permit nothing"},
		"taken name":         {"forbid-33-mfa.cedar", added, "rule of this name"},
		"two in a file":      {"x.cedar", added + added, "holds 2 policies"},
		"none in a file":     {"x.cedar", "// later", "holds 0 policies"},
		"without a rule":     {"x.cedar", strings.Replace(added, `@rule("R-6.2")`, "", 1), "@rule, @vi or @en"},
		"without a sentence": {"x.cedar", strings.Replace(added, `@vi("a")`, "", 1), "@rule, @vi or @en"},
		"without a reason":   {"x.cedar", strings.Replace(added, `@reason("night")`, "", 1), "@reason"},
		"odd reason":         {"x.cedar", strings.Replace(added, "night", "At night", 1), "@reason"},
		"unknown action":     {"x.cedar", strings.Replace(added, "disclose", "read", 1), "read"},
		"unknown role":       {"x.cedar", strings.Replace(added, "principal,", `principal in Role::"root",`, 1), "root"},
		"unknown role said":  {"x.cedar", strings.Replace(added, ";", ` when { principal in Role::"boss" };`, 1), "boss"},
		"unknown fact":       {"x.cedar", strings.Replace(added, ";", ` when { context.score > 3 };`, 1), "score"},
		"unsafe fact":        {"x.cedar", strings.Replace(added, ";", ` when { context.grant.task };`, 1), "grant"},
		"no policy":          {"x.cedar", "permit all", "parse"},
		"too long":           {"x.cedar", added + strings.Repeat(" ", maxFile), "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := New(fstest.MapFS{c.file: {Data: []byte(c.text)}, "README": {Data: []byte("no policy")}})
			if c.wrong == "" {
				if err != nil {
					t.Fatal(err)
				}
				r := scopeOf(t, "own").ask("staff", "disclose")
				if d := e.Decide(r); d.Allowed || d.Reason != "night" || d.By[0].Rule != "R-6.2" {
					t.Errorf("got %+v", d)
				}
				return
			}
			if !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %v, want %s", err, c.wrong)
			}
		})
	}
	if _, err := New(fstest.MapFS{"x.cedar": {Data: []byte(added)}, "y.cedar": {Data: []byte(added)}}); err != nil {
		t.Error(err)
	}
}

// The rules that POLICY.md shows are rules.
func TestExamplesOfTheHandbook(t *testing.T) {
	text, err := os.ReadFile("POLICY.md")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for i, block := range strings.Split(string(text), "```cedar\n")[1:] {
		rule, _, _ := strings.Cut(block, "```")
		files[fmt.Sprintf("example-%d.cedar", i)] = &fstest.MapFile{Data: []byte(rule)}
	}
	e, err := New(files)
	if err != nil || len(files) != 1 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	if d := e.Decide(scopeOf(t, "own-research").ask("staff", "export")); d.Allowed || d.Reason != "research_export" {
		t.Errorf("got %+v", d)
	}
}

// Where a second factor is forced, a session without one enrols it and ends.
func TestForcedSecondFactor(t *testing.T) {
	e := engine(t)
	for _, role := range roles[:len(roles)-1] {
		for _, action := range e.Actions() {
			own := slices.Contains([]string{"begin_second_factor", "confirm_second_factor", "sign_out"}, action)
			d := e.Decide(scopeOf(t, "forced").ask(role, action))
			if d.Allowed != own || !own && !slices.ContainsFunc(d.By, func(by Rule) bool { return by.Reason == ReasonMFAByRole }) {
				t.Errorf("%s %s: %+v", role, action, d)
			}
			with, without := e.Decide(scopeOf(t, "forced-mfa").ask(role, action)), e.Decide(scopeOf(t, "own").ask(role, action))
			if with.Allowed != without.Allowed {
				t.Errorf("%s %s: with a second factor %+v, where none is forced %+v", role, action, with, without)
			}
		}
	}
}

// A rule that fails refuses, although Cedar would go on without it.
func TestARuleThatFailsRefuses(t *testing.T) {
	e, err := New(fstest.MapFS{"x.cedar": {Data: []byte(strings.Replace(added, ";", ` when { 9223372036854775807 + principal.clearance > 0 };`, 1))}})
	if err != nil {
		t.Fatal(err)
	}
	r := scopeOf(t, "own").ask("staff", "disclose")
	r.Principal.Clearance = Secret // which overflows
	if d := e.Decide(r); d.Allowed || d.Reason != ReasonError {
		t.Errorf("got %+v", d)
	}
}

// Every question of the golden table says what the schema knows, and no more.
func TestQuestionsFitTheSchema(t *testing.T) {
	e := engine(t)
	v := validate.New(e.schema)
	check := func(r Request) error {
		var g *Grant
		if len(r.Grants) > 0 {
			g = &r.Grants[0]
		}
		request := cedar.Request{Principal: accountID(r.Principal.Account), Action: e.byName[r.Action].uid, Resource: r.resource(), Context: r.facts(g)}
		errs := []error{v.Request(request), v.Entity(r.Principal.entity(e.schema.Enums[roleType].Values))}
		if r.Dossier != nil {
			errs = append(errs, v.Entity(r.Dossier.entity()))
		}
		return errors.Join(errs...)
	}
	for _, role := range roles {
		for _, action := range e.Actions() {
			for _, s := range scopes() {
				if err := check(s.ask(role, action)); err != nil {
					t.Errorf("%s %s %s: %v", role, action, s.name, err)
				}
			}
		}
	}
}

func TestWhatIsNotKnownIsRefused(t *testing.T) {
	e := engine(t)
	whole := scopeOf(t, "secret").ask("official", "disclose")
	if d := e.Decide(whole); !d.Allowed {
		t.Fatalf("got %+v", d)
	}
	for name, change := range map[string]func(r *Request){
		"role":      func(r *Request) { r.Principal.Role = "" },
		"odd role":  func(r *Request) { r.Principal.Role = "root" },
		"account":   func(r *Request) { r.Principal.Account = "" },
		"own unit":  func(r *Request) { r.Principal.Unit = "" },
		"unit":      func(r *Request) { r.Units = nil },
		"action":    func(r *Request) { r.Action = "" },
		"dossier":   func(r *Request) { r.Dossier = nil },
		"secrecy":   func(r *Request) { r.Dossier.Secrecy = 0 },
		"level":     func(r *Request) { r.Dossier.Secrecy = 9 },
		"clearance": func(r *Request) { r.Principal.Clearance = 0 },
		"odd level": func(r *Request) { r.Principal.Clearance = 9 },
		"term":      func(r *Request) { r.Principal.ClearedUntil = time.Time{} },
		"device":    func(r *Request) { r.Principal.Device = false },
		"mfa":       func(r *Request) { r.Principal.MFA = false },
		"purpose":   func(r *Request) { r.Purpose = false },
	} {
		r, d := whole, *whole.Dossier
		r.Dossier = &d
		change(&r)
		if d := e.Decide(r); d.Allowed || d.Reason == "" {
			t.Errorf("without %s: %+v", name, d)
		}
	}
}

// Who has no role that there is may not even sign out.
func TestOddRolesAreNobody(t *testing.T) {
	for _, role := range []string{"", "root", "nobody"} {
		if d := engine(t).Decide(scopeOf(t, "own").ask(role, "sign_out")); d.Allowed {
			t.Errorf("%q: %+v", role, d)
		}
	}
}

func TestExplain(t *testing.T) {
	e := engine(t)
	for _, c := range []struct{ scope, role, action, reason, ways string }{
		{"own", "staff", "disclose", "", ""},
		{"elsewhere", "staff", "disclose", "unit", "unit | purpose grant"},
		{"secret-no-clearance", "official", "disclose", "clearance", "clearance"},
		{"secret-no-device", "official", "disclose", "device", "device"},
		{"secret-bare", "official", "disclose", "clearance", "purpose mfa device clearance"},
		{"secret-bare", "staff", "read_dossier", "clearance", "mfa device clearance"},
		{"slip-ended", "staff", "disclose", "term", "term | unit | grant"},
		{"elsewhere", "appraiser", "read_dossier", "role", "task"},
		{"own", "system_administrator", "disclose", "hands", ""},
		{"own", "data_administrator", "set_clearance", "decision", "decision"},
		{"decision-self", "data_administrator", "set_clearance", "own_rights", "another"},
		{"own-work", "staff", "submit", "own_work", "another"},
	} {
		x := e.Explain(scopeOf(t, c.scope).ask(c.role, c.action))
		var ways []string
		for _, w := range x.Ways {
			var codes []string
			for _, n := range w {
				codes = append(codes, n.Code)
			}
			ways = append(ways, strings.Join(codes, " "))
		}
		if got := strings.Join(ways, " | "); x.Reason != c.reason || got != c.ways {
			t.Errorf("%s %s %s: refused by %q, would need %q; want %q, %q", c.role, c.action, c.scope, x.Reason, got, c.reason, c.ways)
		}
	}
}

// A person is told what to do about their own session only where that is all that was wanting.
func TestMendable(t *testing.T) {
	e := engine(t)
	for scope, want := range map[string]string{
		"secret-no-device": "device", "secret-no-mfa": "mfa", "secret-no-purpose": "purpose",
		"secret-bare": "", "secret-no-clearance": "", "secret-ended": "", "secret-elsewhere": "", "secret-elsewhere-bare": "", "elsewhere": "",
	} {
		if got := strings.Join(e.Mendable(scopeOf(t, scope).ask("official", "disclose")), " "); got != want {
			t.Errorf("%s: got %q, want %q", scope, got, want)
		}
	}
}
