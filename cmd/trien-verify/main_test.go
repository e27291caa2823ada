package main

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"trien-verify": main})
}

// samples is the golden export of package bundle with the anchors and the policy it was made under.
var samples = map[string]string{
	"dossier.pdf": "export.pdf", "anchors.pem": "anchors.pem", "policy.txt": "policy.txt",
}

func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			for name, source := range samples {
				b, err := os.ReadFile(filepath.Join("..", "..", "vault", "bundle", "testdata", source))
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), b, 0o600); err != nil {
					return err
				}
			}
			return newPublisher(e)
		},
		Cmds: commandsOfScripts(),
	})
}

func commandsOfScripts() map[string]func(*testscript.TestScript, bool, []string) {
	all := maps.Clone(logCommands)
	all["exits"], all["flip"], all["sign-text"] = exits, flip, signText
	return all
}

// exits runs "exits CODE PROGRAM ARGS...": the exit code is what other programs read, so each is checked as a number.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || neg {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("running %s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// flip runs "flip FILE OFFSET": one bit of one byte; a negative offset counts from the end.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 1
	ts.Check(os.WriteFile(path, b, 0o600))
}

// An error of reading is not a verdict: it is said on stderr, and nothing on stdout.
func TestExitCodes(t *testing.T) {
	tests := []struct {
		err  error
		code int
		said string
	}{
		{nil, 0, ""},
		{outcomeError{"failed"}, 1, ""},
		{outcomeError{"cannot_say"}, 2, ""},
		{errors.New("disk is gone"), 2, "trien-verify: disk is gone\n"},
		{errUsage, 3, "trien-verify: usage\ntrien-verify --help shows how to call it.\n"},
	}
	for _, test := range tests {
		var stderr bytes.Buffer
		if code := exitCode(test.err, &stderr); code != test.code || stderr.String() != test.said {
			t.Errorf("%v exits with %d, says %q", test.err, code, stderr.String())
		}
	}
}

func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout bytes.Buffer
	sample := filepath.Join("..", "..", "vault", "bundle", "testdata", "export.pdf")
	if err := run(ctx, []string{sample}, strings.NewReader(""), &stdout, &stdout); !errors.Is(err, context.Canceled) || stdout.Len() > 0 {
		t.Errorf("after an interrupt: %v, %q", err, stdout.String())
	}
}

func FuzzParseOptions(f *testing.F) {
	f.Add("dossier.pdf --anchors a --policy p --json --lang en --at 2026-06-02T00:00:00Z")
	f.Add("--policy=p -- --dossier.pdf")
	f.Add("-h")
	f.Fuzz(func(t *testing.T, line string) {
		o, err := parseOptions(strings.Split(line, " "))
		if err != nil {
			if !errors.Is(err, errUsage) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if !o.help && !o.version && o.lang != "vi" && o.lang != "en" {
			t.Fatalf("options %+v", o)
		}
	})
}
