package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trien/vault"
	"trien/vault/catalogue"
)

func TestSubjectAccess(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	load := func(t *testing.T, rules string) (*config, error) {
		changed := strings.Replace(string(text), "\nsubject_access: {}\n", "\nsubject_access:\n  "+rules+"\n", 1)
		if changed == string(text) {
			t.Fatal("the example has changed: nothing was replaced")
		}
		path := filepath.Join(t.TempDir(), "trien.yaml")
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		return loadConfig(path)
	}
	c, err := load(t, "health: {show: delayed, delay: 30d, hide_reader: true, basis: {vi: Quy chế, en: By-law}}\n  party: {show: closed, basis: {vi: A, en: B}}\n  cadre: {show: shown}")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := c.subjectRules(catalogue.Default())
	health := vault.SubjectRule{Showing: vault.Delayed, Delay: 30 * 24 * time.Hour, HideReader: true, Basis: vault.Label{Vi: "Quy chế", En: "By-law"}}
	if err != nil || len(rules) != 3 || rules[vault.Health] != health || rules[vault.Party].Shows() != vault.Closed || rules[vault.Cadre].Shows() != vault.Shown {
		t.Errorf("%+v, %v", rules, err)
	}
	for name, tt := range map[string]struct{ rules, want string }{
		"no register":     {"helth: {show: shown}", `"helth"`},
		"no such showing": {"health: {show: hidden}", "subject_access.health: show"},
		"nothing said":    {"health: {}", "subject_access.health: show"},
		"unknown key":     {"health: {show: shown, until: 3d}", "until"},
		"no delay":        {"health: {show: delayed, basis: {vi: A, en: B}}", "delay belongs"},
		"delay of closed": {"health: {show: closed, delay: 3d, basis: {vi: A, en: B}}", "delay belongs"},
		"half a day":      {"health: {show: delayed, delay: 36h, basis: {vi: A, en: B}}", `"36h"`},
		"no days":         {"health: {show: delayed, delay: 0d, basis: {vi: A, en: B}}", `"0d"`},
		"for ever":        {"health: {show: delayed, delay: 3651d, basis: {vi: A, en: B}}", `"3651d"`},
		"no basis":        {"health: {show: closed, basis: {vi: A}}", "basis.vi and basis.en"},
		"too much basis":  {"health: {show: closed, basis: {vi: A, en: " + strings.Repeat("x", 501) + "}}", "longer"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := load(t, tt.rules); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want one that names %q", err, tt.want)
			}
		})
	}
}
