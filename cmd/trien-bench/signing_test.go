package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trien/deploy/standalone/standalonetest"
)

// TestMain lets the test program be a contender, as the bench is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == contendArgument {
		if err := contend(context.Background(), os.Args[2:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	standalonetest.Main(m)
}

// The whole bench of signatures, of small documents and without pyHanko. Every file signed is judged on the way.
func TestSignatures(t *testing.T) {
	rows, err := benchSignatures(t.Context(), options{}, planSignatures(signaturePlan{rounds: 1, turn: time.Millisecond, large: mb, objects: 1000}, 20*kb, 100*kb), filepath.Join(t.TempDir(), "s"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]row{}
	for _, r := range rows {
		if r.Value <= 0 && r.Unit != "ms" { // the clock of processor time may not have moved
			t.Errorf("%s: %g", r.Name, r.Value)
		}
		byName[r.Name] = r
	}
	for name, want := range map[string]row{
		"sign 20 KB, B-B, RSA-2048, beside pdfsign":                    {Unit: "sig/s", Goal: "ratio ≥ 3.00"},
		"sign 20 KB, B-B, P-256, beside pyHanko (not installed)":       {Unit: "sig/s"},
		"sign 20 KB, B-B, RSA-2048, beside key":                        {Unit: "sig/s"},
		"least to sign 20 KB, B-B, RSA-2048, beside pdfsign":           {Unit: "sig/s"},
		"least with a check to sign 20 KB, B-B, P-256, beside pdfsign": {Unit: "sig/s"},
		"sign 20 KB, B-LTA, RSA-2048, beside pyHanko (not installed)":  {Unit: "sig/s"},
		"sign 100 KB, B-B, P-256, beside pdfsign":                      {Unit: "sig/s", Goal: "ratio ≥ 3.00"},
		"peak memory, signing 100 KB":                                  {Unit: "MiB", Goal: "≤ 64 MiB"},
		"peak memory, signing 1000 objects":                            {Unit: "MiB", Goal: "≤ 64 MiB"},
		"judge 5 signatures at B-LTA, p99":                             {Unit: "ms", Goal: "≤ 100 ms"},
	} {
		if got, ok := byName[name]; !ok || got.Unit != want.Unit || got.Goal != want.Goal {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, goal := range []string{"sign 20 KB, B-B, RSA-2048, beside pdfsign", "sign 100 KB, B-B, P-256, beside pdfsign"} {
		if limit := byName[goal].Limit; limit == nil || *limit <= 0 {
			t.Errorf("%s: its limit is not told", goal)
		}
	}
	if m := byName["peak memory, signing 100 KB"].Met; m == nil || !*m {
		t.Errorf("signing takes %g MiB", byName["peak memory, signing 100 KB"].Value)
	}
}

// What a contender says is heard, and what it dies of too.
func TestContender(t *testing.T) {
	script := filepath.Join(t.TempDir(), "contender")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nread s; echo '[0.5, 0.25]'; read s; echo 'no such key' >&2; exit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := startContender(t.Context(), "other", task{}, script)
	if err != nil {
		t.Fatal(err)
	}
	if took, err := c.run(time.Second); err != nil || !slices.Equal(took, []float64{0.5, 0.25}) {
		t.Errorf("%v, %v", took, err)
	}
	if _, err := c.run(time.Second); err == nil || !strings.Contains(err.Error(), "no such key") {
		t.Errorf("%v", err)
	}
	if err := c.stop(); err != nil {
		t.Error(err)
	}
}

func TestContend(t *testing.T) {
	for _, args := range [][]string{nil, {"key"}, {"nobody", "{}"}} {
		if err := contend(t.Context(), args, strings.NewReader(""), io.Discard); !errors.Is(err, errUsage) {
			t.Errorf("%q: %v", args, err)
		}
	}
	if err := contend(t.Context(), []string{"key", `{"colour":"red"}`}, strings.NewReader(""), io.Discard); err == nil {
		t.Error("a task that nobody knows")
	}
	broken := errors.New("broken")
	calls := 0
	var out bytes.Buffer
	made := filepath.Join(t.TempDir(), "made")
	err := answer(strings.NewReader("0\n0\n0\n"), &out, made, func() error {
		if calls++; calls == 3 {
			return broken
		}
		f, err := os.OpenFile(made, os.O_CREATE|os.O_EXCL, 0o600) // what was made before is gone
		return errors.Join(err, f.Close())
	})
	if !errors.Is(err, broken) || strings.Count(out.String(), "\n") != 2 {
		t.Errorf("%v after %q", err, out.String())
	}
}
