package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestUnnamed: plaintext appears whole under its name or not at all, takes no other file's place unasked, and leaves nothing beside it; on file systems without
// unnamed files too.
func TestUnnamed(t *testing.T) {
	passing := func(path string) (*unnamed, error) {
		f, err := os.CreateTemp(filepath.Dir(path), ".trien-*.part")
		return &unnamed{File: f, path: path, passing: true}, err
	}
	for name, create := range map[string]func(string) (*unnamed, error){"unnamed": newUnnamed, "with a passing name": passing} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "out.pdf")
			attempt := func(content string, keep, over bool) error {
				t.Helper()
				f, err := create(path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.discard()
				if _, err := f.WriteString(content); err != nil {
					t.Fatal(err)
				}
				if _, err := os.Stat(path); content == "one" && !os.IsNotExist(err) {
					t.Errorf("it has its name already: %v", err)
				}
				if !keep {
					return nil
				}
				return f.keep(over)
			}
			is := func(want string) {
				t.Helper()
				got, err := os.ReadFile(path)
				if err != nil || string(got) != want {
					t.Errorf("%q, %v; want %q", got, err, want)
				}
				info, err := os.Stat(path)
				if err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("mode %v, %v", info.Mode(), err)
				}
				if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
					t.Errorf("in the folder: %v, %v", list, err)
				}
			}
			if err := attempt("one", false, false); err != nil {
				t.Error(err)
			}
			if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
				t.Errorf("left %v, %v", list, err)
			}
			if err := attempt("one", true, false); err != nil {
				t.Error(err)
			}
			is("one")
			if err := attempt("two", true, false); !errors.Is(err, os.ErrExist) {
				t.Errorf("over another file: %v", err)
			}
			is("one")
			if err := attempt("three", true, true); err != nil {
				t.Error(err)
			}
			is("three")
		})
	}
	if _, err := newUnnamed(filepath.Join(t.TempDir(), "no", "such", "folder")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}
