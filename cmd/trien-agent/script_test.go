package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"trien/certs"
)

var (
	theDesk  func() (*desk, error)
	stopDesk = func() {}
)

func TestMain(m *testing.M) {
	theDesk = sync.OnceValues(func() (*desk, error) {
		d, stop, err := newDesk()
		if stop != nil {
			stopDesk = stop
		}
		return d, err
	})
	testscript.Main(after{m}, map[string]func(){"trien-agent": main})
}

// after cleans up when all tests ran; a script's own process makes no desk.
type after struct{ *testing.M }

func (a after) Run() int {
	defer func() { stopDesk() }()
	return a.M.Run()
}

func deskFor(t testing.TB) *desk {
	t.Helper()
	d, err := theDesk()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ownTokens copies the desk's tokens for one script: SoftHSM fails at times when one process notes a wrong PIN on a token that
// another one is opening.
func ownTokens(d *desk, dir string) (conf string, err error) {
	from := filepath.Dir(strings.TrimPrefix(d.env, "SOFTHSM2_CONF="))
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		return "", err
	}
	conf = filepath.Join(dir, "softhsm2.conf")
	text, err := os.ReadFile(conf)
	if err != nil {
		return "", err
	}
	return conf, os.WriteFile(conf, bytes.ReplaceAll(text, []byte(from), []byte(dir)), 0o600)
}

// TestScripts runs the program as people do, in testdata/script. Besides the usual commands there are
//
//	server FAULT     the server misbehaves from now on ("none": no longer)
//	signed N         the server took N signatures; their documents lie in ./signed
//	sessions N       so many sessions are still open
//	delivery         what a vault delivered to the token, and how it may be spoilt (see delivery_test.go)
func TestScripts(t *testing.T) {
	d := deskFor(t)
	type key struct{}
	of := func(ts *testscript.TestScript) *server {
		s, ok := ts.Value(key{}).(*server)
		if !ok {
			ts.Fatalf("the script has no server")
		}
		return s
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			tb, ok := e.T().(testing.TB)
			if !ok {
				return errors.New("the script runs outside a test")
			}
			s := newServer(tb, d, "Quyết định bổ nhiệm", "Sơ yếu lý lịch")
			e.Values[key{}] = s
			for name, secret := range map[string]string{"password": "mat-khau-mau-12", "pin": pin, "wrong-pin": "000000"} {
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), []byte(secret+"\n"), 0o600); err != nil {
					return err
				}
			}
			if err := os.WriteFile(filepath.Join(e.WorkDir, "anchors.pem"), d.anchors.PEM(), 0o600); err != nil {
				return err
			}
			other := certs.EncodePEM(d.authority.Root())
			if err := os.WriteFile(filepath.Join(e.WorkDir, "other-ca.pem"), other, 0o600); err != nil {
				return err
			}
			issuers := certs.EncodePEM(d.authority.Intermediates()...)
			if err := os.WriteFile(filepath.Join(e.WorkDir, "issuers.pem"), issuers, 0o600); err != nil {
				return err
			}
			e.Setenv("SERVER", s.URL)
			e.Setenv("MODULE", d.module)
			conf, err := ownTokens(d, filepath.Join(e.WorkDir, ".tokens"))
			if err != nil {
				return err
			}
			e.Setenv("SOFTHSM2_CONF", conf)
			s.tokens = filepath.Join(filepath.Dir(conf), "tokens")
			return s.writeCA(filepath.Join(e.WorkDir, "ca.pem"))
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"server": func(ts *testscript.TestScript, _ bool, args []string) {
				s := of(ts)
				s.mu.Lock()
				defer s.mu.Unlock()
				s.fault = args[0]
			},
			"signed": func(ts *testscript.TestScript, _ bool, args []string) {
				s := of(ts)
				dir := ts.MkAbs("signed")
				ts.Check(os.MkdirAll(dir, 0o755))
				ts.Check(s.writeSigned(dir))
				expect(ts, "signatures taken", args, len(s.signed))
			},
			"delivery": func(ts *testscript.TestScript, _ bool, _ []string) {
				made, err := theDelivery()
				ts.Check(err)
				ts.Check(made.write(ts.MkAbs(".")))
			},
			"sessions": func(ts *testscript.TestScript, _ bool, args []string) {
				s := of(ts)
				s.mu.Lock()
				defer s.mu.Unlock()
				expect(ts, "sessions open", args, s.open)
			},
		},
	})
}

func expect(ts *testscript.TestScript, what string, args []string, got int) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got != want {
		ts.Fatalf("%s: %d, want %d", what, got, want)
	}
	fmt.Fprintf(ts.Stdout(), "%s: %d\n", what, got)
}
