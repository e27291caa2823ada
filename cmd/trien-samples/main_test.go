package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDrawsIntoFolder(t *testing.T) {
	dir := t.TempDir()
	var out, complaints bytes.Buffer
	args := []string{"--out", dir, "--small", "--people", "2", "--registers", "cadre,health"}
	if err := run(t.Context(), args, &out, &complaints); err != nil {
		t.Fatalf("%v: %s", err, complaints.String())
	}
	files, err := filepath.Glob(filepath.Join(dir, "00[12]", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 12 || !strings.Contains(out.String(), "12 files") {
		t.Errorf("%d files drawn: %v\n%s", len(files), files, out.String())
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() < 1000 || info.Mode().Perm() != 0o644 {
			t.Errorf("%s: %v, %v", f, info, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", "*", ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, args := range [][]string{{"--registers", "secret"}, {"--no-such"}, {"--small", "more"}} {
		var complaints bytes.Buffer
		if err := run(t.Context(), append(args, "--out", t.TempDir()), &bytes.Buffer{}, &complaints); !errors.Is(err, errUsage) || complaints.Len() == 0 {
			t.Errorf("%v: %v, %q", args, err, complaints.String())
		}
	}
}

func TestSaysWhyItCannotDraw(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := run(t.Context(), []string{"--small", "--out", file, "--registers", "health"}, &bytes.Buffer{}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("drawing into a file: %v", err)
	}
}
