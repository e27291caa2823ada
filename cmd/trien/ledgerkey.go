package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"

	"trien/ledger"
	"trien/ledger/trillianlog"
	"trien/signing/token"
)

// tokenKey is an Ed25519 key on a PKCS#11 token.
type tokenKey struct {
	Module  string `yaml:"module"`
	Token   string `yaml:"token"`
	PINFile string `yaml:"pin_file"`
	Key     string `yaml:"key"`
	Origin  string `yaml:"origin"`
}

// flags are those of a key on a token; whose log it is says another one.
func (t *tokenKey) flags(f *flag.FlagSet, prefix string) {
	f.StringVar(&t.Module, prefix+"module", "", "PKCS#11 `module` of a token that has the Ed25519 key, instead of a file")
	f.StringVar(&t.Token, prefix+"token", "", "`label` of the token")
	f.StringVar(&t.PINFile, prefix+"pin-file", "", "`file` with its PIN")
	f.StringVar(&t.Key, prefix+"key", "", "`label` of the key")
}

// empty tells that no token is meant.
func (t *tokenKey) empty() bool { return t.Module+t.Token+t.PINFile+t.Key == "" }

// missing names the flag that is not there; empty if no token is meant, or all are there.
func (t *tokenKey) missing() string {
	if t.empty() {
		return ""
	}
	for _, f := range []struct{ name, value string }{{"module", t.Module}, {"token", t.Token}, {"pin-file", t.PINFile}, {"key", t.Key}} {
		if f.value == "" {
			return f.name
		}
	}
	return ""
}

// generate makes the key inside its token, where it stays, and returns its vkey. Errors wrap [token.ErrKeyExists] if the label has a key.
func (t *tokenKey) generate() (vkey string, err error) {
	r := fileReader{}
	pin := r.secret("pkcs11-pin-file", t.PINFile)
	if r.err != nil {
		return "", r.err
	}
	opened, err := token.Open(token.Config{Module: t.Module, Label: t.Token, PIN: pin})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	key, err := opened.GenerateEd25519(t.Key)
	if err != nil {
		return "", err
	}
	signer, err := ledger.NewSigner(t.Origin, key)
	if err != nil {
		return "", err
	}
	return signer.VerifierKey(), nil
}

// showKeyCommand prints the public halves of the keys that sign the logs' checkpoints: what the policy's first line says, and what witnesses
// and auditors are told. It asks neither a database nor a server, so that it can be run before there are any.
func showKeyCommand(args []string, s stdio) error {
	f := flags("ledger key", s)
	path := f.String("config", "", "configuration `file`: print the keys of both logs")
	name := f.String("log", "", "`name` of a log of the configuration: print the vkey of this one alone")
	file := f.String("key-file", "", "print the vkey of this key `file`")
	held := tokenKey{}
	held.flags(f, "pkcs11-")
	f.StringVar(&held.Origin, "origin", "", "`name` of the log that the key on the token is for")
	if err := parse(f, args, false); err != nil {
		return err
	}
	given := 0
	for _, one := range []bool{*path != "", *file != "", !held.empty()} {
		if one {
			given++
		}
	}
	switch missing := held.missing(); {
	case given != 1:
		return wrongUse(f, "give one of --config FILE, --key-file FILE and the --pkcs11-… flags of a key on a token")
	case missing != "":
		return wrongUse(f, "--pkcs11-"+missing+" is missing")
	case held.empty() != (held.Origin == ""):
		return wrongUse(f, "--origin goes with the --pkcs11-… flags: the key on a token has no name")
	case *name != "" && (*path == "" || *name != recordsLog && *name != accessLog):
		return wrongUse(f, fmt.Sprintf("there is no log %q in a configuration: records or access", *name))
	case *path != "":
		return showConfigured(*path, *name, s)
	}
	var c trillianlog.Config
	r := fileReader{}
	r.logKey(&c, "key-file", *file, "pkcs11", held)
	if r.err != nil {
		return r.err
	}
	_, err := fmt.Fprintln(s.out, c.VerifierKey)
	return err
}

// showConfigured prints the keys of a configuration, one line each: the log, its origin, the vkey. Of a log that is named it prints the vkey.
func showConfigured(path, name string, s stdio) error {
	c, err := loadConfig(path)
	if err != nil {
		return err
	}
	r := fileReader{}
	var keys logSettings
	r.logKeys(&keys, c)
	if r.err != nil {
		return r.err
	}
	var text strings.Builder
	for _, log := range []struct {
		name string
		key  trillianlog.Config
	}{{recordsLog, keys.records}, {accessLog, keys.access}} {
		switch name {
		case "":
			fmt.Fprintln(&text, log.name, log.key.Signer.Name(), log.key.VerifierKey)
		case log.name:
			fmt.Fprintln(&text, log.key.VerifierKey)
		}
	}
	_, err = fmt.Fprint(s.out, text.String())
	return err
}
