package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"unicode"

	"trien/ledger"
	"trien/ledger/audit"
	"trien/ledger/tiles"
	"trien/vault/bundle"
)

// commands are what a first argument may name instead of a dossier. (A dossier of such a name is written as ./log.)
var commands = map[string]func(ctx context.Context, args []string, stdout, stderr io.Writer) error{
	"log": logCommand, "version": versionCommand, "event": eventCommand, "reconcile": reconcileCommand, "fork": forkCommand, "text": textCommand,
}

// errHelp asks for the help of a command.
var errHelp = errors.New("help")

// takeFlags reads flags before and after the arguments that are none, and after "--" none. Errors wrap errUsage, or are errHelp.
func takeFlags(flags *flag.FlagSet, args []string) (rest []string, err error) {
	flags.SetOutput(io.Discard)
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, errHelp
			}
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		left := flags.Args()
		if consumed := len(args) - len(left); consumed > 0 && args[consumed-1] == "--" {
			return append(rest, left...), nil
		}
		if len(left) > 0 {
			rest, left = append(rest, left[0]), left[1:]
		}
		args = left
	}
	return rest, nil
}

// asked is what all commands about the log have in common.
type asked struct {
	policyFile, ca, lang string
	json                 bool

	policy *ledger.Policy
}

func (a *asked) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.StringVar(&a.policyFile, "policy", "", "")
	f.StringVar(&a.ca, "ca", "", "")
	f.StringVar(&a.lang, "lang", "vi", "")
	f.BoolVar(&a.json, "json", false, "")
	return f
}

// parse reads the flags and the policy, and returns the other arguments. If it has shown help, done is true.
func (a *asked) parse(f *flag.FlagSet, args []string, stdout io.Writer, help string) (rest []string, done bool, err error) {
	rest, err = takeFlags(f, args)
	switch {
	case errors.Is(err, errHelp):
		_, err := io.WriteString(stdout, help)
		return nil, true, err
	case err != nil:
		return nil, false, err
	case a.lang != "vi" && a.lang != "en":
		return nil, false, fmt.Errorf("%w: --lang is vi or en", errUsage)
	case a.policyFile == "":
		return rest, false, nil
	}
	text, err := readTrusted(a.policyFile)
	if err != nil {
		return nil, false, err
	}
	if a.policy, err = ledger.ParsePolicy(text); err != nil {
		return nil, false, fmt.Errorf("%w: %s: %w", errUsage, a.policyFile, err)
	}
	return rest, false, nil
}

// one is the only argument of a command.
func one(rest []string, name string) (string, error) {
	if len(rest) != 1 {
		return "", fmt.Errorf("%w: name one %s, and flags", errUsage, name)
	}
	return rest[0], nil
}

// needPolicy: without a policy nobody can be believed.
func (a *asked) needPolicy() error {
	if a.policy == nil {
		return fmt.Errorf("%w: --policy is missing: the log's policy, from a source that you trust", errUsage)
	}
	return nil
}

// open reads the published log at a URL or in a folder.
func (a *asked) open(location string) (*tiles.Client, error) {
	var c tiles.HTTPConfig
	if a.ca != "" {
		pem, err := readTrusted(a.ca)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: %s holds no certificate", errUsage, a.ca)
		}
		c.Roots = roots
	}
	client, err := tiles.OpenClient(location, c)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return client, nil
}

// concluded carries an outcome to the exit code, once it is printed.
func concluded(o audit.Outcome) error {
	if o == audit.Passed {
		return nil
	}
	return outcomeError{bundle.Outcome(o)}
}

// cleaned brings a text from outside to one line without control and direction characters: a server's answer must not move a cursor.
func cleaned(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "\u25a1"))
}
