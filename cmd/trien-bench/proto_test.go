package main

import (
	"context"
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == contendArgument {
		if err := contend(context.Background(), os.Args[2:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestProto(t *testing.T) {
	rows, err := benchSignatures(t.Context(), options{python: "/tmp/venv/v/bin/python"}, planFor(os.Getenv("FULL") == "").signing, t.TempDir(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	report{Rows: rows}.print(os.Stderr)
}
