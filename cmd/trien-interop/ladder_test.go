package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestLadder signs what is made by hand to every level, with all validators that need no Python.
func TestLadder(t *testing.T) {
	trust := t.TempDir()
	l, err := openLab(t.Context(), trust)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.stop(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{lab: l, folder: t.TempDir()}
	if err := b.openStore(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, in := range byHands() {
		if in.large || in.name == "hand-2000-pages" {
			continue
		}
		t.Run(in.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.pdf")
			if err := in.make(t.Context(), &maker{lab: l, folder: t.TempDir()}, path); err != nil {
				t.Fatal(err)
			}
			d, err := openDocument(path)
			if err != nil {
				t.Fatal(err)
			}
			defer d.file.Close()
			size := d.size
			before, err := d.hash(size)
			if err != nil {
				t.Fatal(err)
			}
			climb(t, l, b, d, in)
			if after, err := d.hash(size); err != nil || after != before {
				t.Errorf("the input changed: %v", err)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		for _, in := range refusals() {
			if in.producer != "by hand" {
				continue
			}
			path := filepath.Join(t.TempDir(), "a.pdf")
			if err := in.make(t.Context(), &maker{lab: l, folder: t.TempDir()}, path); err != nil {
				t.Fatal(err)
			}
			d, err := openDocument(path)
			if err != nil {
				t.Fatal(err)
			}
			size := d.size
			err = l.climb(t.Context(), d, in, func(string) error { return os.ErrInvalid })
			if !errors.Is(err, in.refused) || d.size != size {
				t.Errorf("%s: %v", in.name, err)
			}
			_ = d.file.Close()
		}
	})
}

func climb(t *testing.T, l *lab, b *bench, d *document, in input) {
	t.Helper()
	path := d.file.Name()
	var base baseline
	var err error
	if base.qpdf, err = qpdfComplaints(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if base.mupdf, err = mupdfComplaints(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = l.climb(t.Context(), d, in, func(level string) error {
		n++
		us, err1 := b.ourselves(t.Context(), d, level, base)
		poppler, err2 := b.pdfsigVerdict(t.Context(), path, level, base)
		qpdf, err3 := b.structure(t.Context(), path, base.qpdf, qpdfComplaints)
		mupdf, err4 := b.mupdf(t.Context(), path, level, base)
		for name, v := range map[string]verdict{byUs: us, byPdfsig: poppler, byQpdf: qpdf, byMuPDF: mupdf} {
			if !v.OK {
				t.Errorf("%s: %s: %s", level, name, v.Detail)
			}
		}
		return errors.Join(err1, err2, err3, err4)
	})
	if err != nil || n != len(levels) {
		t.Errorf("%d levels: %v", n, err)
	}
}
