package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/api/wire"
	"trien/vault"
)

const ownRule = `@rule("Quy chế nội bộ, Điều 4") @reason("research_export")
@vi("Hồ sơ nghiên cứu khoa học không được xuất.") @en("Research dossiers are not exported.")
forbid (principal, action == Action::"export", resource is Dossier) when { resource.register == "research" };
`

func policyFolder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "research.cedar"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestPoliciesOfTheConfiguration(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	open := func(dir string) error {
		path := filepath.Join(t.TempDir(), "trien.yaml")
		changed := strings.Replace(string(text), "\npolicies: \"\"\n", "\npolicies: "+dir+"\n", 1)
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := loadConfig(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.settings()
		return err
	}
	for name, tt := range map[string]struct{ dir, want string }{
		"permits":    {policyFolder(t, strings.Replace(strings.Replace(ownRule, "forbid", "permit", 1), `@reason("research_export")`, "", 1)), "permit nothing"},
		"no policy":  {policyFolder(t, "permit all"), "research.cedar"},
		"no folder":  {filepath.Join(t.TempDir(), "none"), "which is no folder"},
		"good rules": {policyFolder(t, ownRule), "database.url_file"}, // what comes next in the example is not there
	} {
		if err := open(tt.dir); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want one that says %q", name, err, tt.want)
		}
	}
}

func TestPolicyRules(t *testing.T) {
	var out, complaints bytes.Buffer
	s := stdio{out: &out, err: &complaints}
	if err := run(t.Context(), []string{"policy", "rules", "--policies", policyFolder(t, ownRule)}, s); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"forbid  R-7  forbid-33-mfa\n", "permit  R-15.3d  permit-task\n", "research\n  Hồ sơ nghiên cứu khoa học không được xuất.\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	for _, args := range [][]string{{"policy"}, {"policy", "guess"}, {"policy", "explain", "--login", "x"}} {
		if err := run(t.Context(), args, s); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

// TestPolicyExplain asks a running vault, by the command, and finds who asked in the access record.
func TestPolicyExplain(t *testing.T) {
	dir := vaultFolder(t)
	s := startStandalone(t, dir)
	defer s.stop()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(addAuditor(t, s, dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	auditor := s.signIn("kiemtoan", readText(t, password))
	me, err := auditor.Me(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, code := runProgram(t, "trien", "policy", "explain", "--server", s.url, "--ca", s.ca, "--login", "kiemtoan", "--password-file", password,
		"--account", me.Account, "--action", "disclose")
	if code != 0 || !strings.Contains(out, "refused: hands\n  Bị từ chối theo:\n  Refused by:\n  - R-16.3-5 (forbid-13-auditor)\n") ||
		!strings.Contains(out, "Nothing would allow it to this role.") {
		t.Errorf("exit %d\n%s", code, out)
	}
	events := allEvents(t, auditor)
	found := false
	for _, e := range events {
		found = found || e.Action == string(vault.ExplainPolicy) && e.Target.Subject == me.Account && e.Purpose == "disclose"
	}
	if !found {
		t.Error("who asked is not in the access record")
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPrintExplanation(t *testing.T) {
	label := func(s string) wire.Label { return wire.Label{Vi: s + " vi", En: s + " en"} }
	var b bytes.Buffer
	err := printExplanation(&b, wire.Explanation{
		Reason: "mfa", By: []wire.Rule{{ID: "forbid-33-mfa", Rule: "R-7", Effect: "forbid", Label: label("rule")}},
		Ways: [][]wire.Need{{{Code: "mfa", Label: label("mfa")}, {Code: "purpose", Label: label("purpose")}}, {{Code: "task", Label: label("task")}}},
	})
	const want = `refused: mfa
  Bị từ chối theo:
  Refused by:
  - R-7 (forbid-33-mfa)
      rule vi
      rule en
  Cần có (một trong các dòng):
  Would need (any one of the lines):
  + mfa vi; purpose vi
    mfa en; purpose en
  + task vi
    task en
`
	if err != nil || b.String() != want {
		t.Errorf("got %v\n%s", err, b.String())
	}
}
