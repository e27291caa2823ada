package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"trien/vault/catalogue"
)

// catalogueCommand is for whoever writes the registers' files: nothing here touches a vault.
func catalogueCommand(_ context.Context, args []string, s stdio) error {
	verbs := map[string]func(args []string, s stdio) error{"check": catalogueCheck, "show": catalogueShow, "export": catalogueExport}
	if len(args) == 0 || verbs[args[0]] == nil {
		fmt.Fprintln(s.err, "trien catalogue: check DIR, show [DIR], or export DIR (vault/catalogue/FILES.md says what may stand in a file)")
		return errUsage
	}
	return verbs[args[0]](args[1:], s)
}

// folderOf is the one argument of a command about registers' files.
func folderOf(verb string, args []string, s stdio) (dir, lang string, err error) {
	f := flags("catalogue "+verb, s)
	f.StringVar(&lang, "lang", "vi", "`language`: vi or en")
	if err := parse(f, args, true); err != nil {
		return "", "", err
	}
	if f.NArg() > 1 || verb != "show" && f.NArg() == 0 || lang != "vi" && lang != "en" {
		fmt.Fprintf(s.err, "trien catalogue %s: give one folder, and --lang vi or en\n", verb)
		return "", "", errUsage
	}
	return f.Arg(0), lang, nil
}

func catalogueCheck(args []string, s stdio) error {
	dir, _, err := folderOf("check", args, s)
	if err != nil {
		return err
	}
	c, err := catalogue.Load(dir)
	if err != nil {
		return err
	}
	kinds := 0
	for _, r := range c.Registers() {
		kinds += len(r.Kinds)
	}
	fmt.Fprintf(s.out, "%d registers with %d kinds, sha256 %x\n", len(c.Registers()), kinds, c.Sum())
	return nil
}

// catalogueExport writes the built-in files, each whole; it overwrites none.
func catalogueExport(args []string, s stdio) error {
	dir, _, err := folderOf("export", args, s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range catalogue.Default().Files() {
		path := filepath.Join(dir, string(f.Register)+".yaml")
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s stands already: give an empty folder", path)
		}
		if err := replaceFile(path, f.Text, 0o644); err != nil {
			return err
		}
		fmt.Fprintln(s.out, path)
	}
	return nil
}

func catalogueShow(args []string, s stdio) error {
	dir, lang, err := folderOf("show", args, s)
	if err != nil {
		return err
	}
	c, err := catalogue.Load(dir)
	if err != nil {
		return err
	}
	v := catalogueView{s.out, lang}
	for _, r := range c.Registers() {
		v.register(r)
	}
	fmt.Fprintf(s.out, "sha256 %x\n", c.Sum())
	return nil
}

// catalogueView prints a catalogue for people.
type catalogueView struct {
	out  io.Writer
	lang string
}

func (v catalogueView) say(l catalogue.Label) string {
	if v.lang == "en" {
		return l.En
	}
	return l.Vi
}

func (v catalogueView) register(r catalogue.RegisterInfo) {
	fmt.Fprintf(v.out, "%s, version %d: %s\n", r.Register, r.Version, v.say(r.Label))
	for _, who := range []struct {
		what string
		name catalogue.Label
	}{
		{"data owner", r.DataOwner}, {"business unit", r.BusinessUnit}, {"steward", r.Steward}, {"technical contact", r.TechnicalContact},
	} {
		fmt.Fprintf(v.out, "  %-18s %s\n", who.what, v.say(who.name))
	}
	for _, k := range r.Kinds {
		retired := ""
		if k.Retired {
			retired = ", retired"
		}
		fmt.Fprintf(v.out, "  kind %s: %s (%s, %s%s, %d fields)\n", k.Kind, v.say(k.Label), k.Secrecy, k.Retention, retired, len(k.Fields))
	}
	for _, c := range r.Chains {
		v.chain(c)
	}
	fmt.Fprintln(v.out)
}

func (v catalogueView) chain(c catalogue.Chain) {
	of := ""
	for _, k := range c.Kinds {
		of += " " + string(k)
	}
	fmt.Fprintf(v.out, "  chain %s%s (%s)\n", c.Event, of, v.say(c.Basis))
	fmt.Fprintf(v.out, "    0. %s%s\n", v.say(c.Start.Label), limitOf(c.Start.Term))
	for i, step := range c.Steps {
		fmt.Fprintf(v.out, "    %d. %s [%s, %s]%s\n", i+1, v.say(step.Label), step.Act, step.Form, limitOf(step.Term))
	}
}

// limitOf writes a term as "; 5 wd of received"; nothing where there is no limit.
func limitOf(t catalogue.Term) string {
	if t.Days == 0 {
		return ""
	}
	from := make([]string, len(t.From))
	for i, m := range t.From {
		from[i] = string(m)
	}
	return fmt.Sprintf("; %d wd of %s", t.Days, strings.Join(from, " or "))
}
