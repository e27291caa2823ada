package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/signing"
)

func TestParse(t *testing.T) {
	for _, args := range [][]string{{"x"}, {"--nothing"}, {"--workers", "0"}, {"--only"}} {
		if _, err := parse(args, io.Discard); !errors.Is(err, errUsage) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := parse([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("help: %v", err)
	}
	o, err := parse([]string{"--quick", "--only", "scan", "--out", "here"}, io.Discard)
	if err != nil || !o.quick || o.only != "scan" || !filepath.IsAbs(o.out) || !filepath.IsAbs(o.python) || o.workers != 2 {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestCatalogue holds the list to what the matrix must show.
func TestCatalogue(t *testing.T) {
	all := catalogue()
	names, producers, quick := map[string]bool{}, map[string]bool{}, 0
	for _, in := range all {
		if names[in.name] {
			t.Errorf("two inputs are called %s", in.name)
		}
		names[in.name], producers[in.producer] = true, true
		if in.quick {
			quick++
			if in.needs != "" {
				t.Errorf("%s is for quick runs and needs %s", in.name, in.needs)
			}
		}
		if in.needs != "" && versionOf[in.needs] == nil {
			t.Errorf("nobody knows how %s tells its version", in.needs)
		}
		if strings.HasPrefix(in.name, "refused-") != (in.refused != nil) {
			t.Errorf("%s: the name does not say whether it is refused", in.name)
		}
	}
	if len(all) < 60 || len(producers) < 15 || quick < 10 {
		t.Errorf("%d inputs of %d producers, %d quick", len(all), len(producers), quick)
	}
	if _, err := selected(all, options{only: "no such input"}); !errors.Is(err, errUsage) {
		t.Error(err)
	}
}

// passed is a result that everybody accepts.
func passed() result {
	r := result{Name: "good", Producer: "a", Untouched: true, Levels: map[string]map[string]verdict{}}
	for _, level := range levels {
		r.Levels[level] = map[string]verdict{}
		for _, v := range validators {
			r.Levels[level][v] = accepted("fine")
		}
	}
	return r
}

func TestReport(t *testing.T) {
	excused := passed()
	excused.Name = "excused"
	excused.Levels[signing.LevelB][byPdfsig] = accepted("", "pdfsig-timestamp")
	excused.Levels[signing.LevelB][byTS] = verdict{Absent: true}
	rejectedOnce := passed()
	rejectedOnce.Name = "rejected"
	rejectedOnce.Levels[levelTwice][byQpdf] = rejected("broken  at %d", 7)
	unjudged := passed()
	delete(unjudged.Levels[signing.LevelT], byPyHanko)
	touched := passed()
	touched.Untouched = false
	r := report{Results: []result{
		passed(), excused, rejectedOnce, unjudged, touched,
		{Name: "refused", Producer: "b", Untouched: true, Refusal: "encrypted", Expected: true},
		{Name: "surprise", Producer: "b", Untouched: true, Refusal: "damaged"},
		{Name: "unmade", Producer: "b", Untouched: true, Problem: "no such program"},
	}}
	r.count()
	if got := r.Totals; got.Inputs != 8 || got.Producers != 2 || got.Signed != 2 || got.Refused != 1 || got.Failed != 5 || got.Files != 25 || got.Verdicts != 25*7-2 {
		t.Errorf("%+v", got)
	}
	if len(r.Exceptions) != 1 || r.Exceptions["pdfsig-timestamp"] == "" {
		t.Errorf("exceptions: %v", r.Exceptions)
	}
	var table bytes.Buffer
	r.print(&table)
	folder := t.TempDir()
	if err := r.save(folder); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(folder, "interop.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{table.String(), string(page)} {
		for _, want := range []string{"✓✓○✓✓✓·", "✓✓✓✗✓✓✓", "✓?✓✓✓✓✓", "rejected 2× qpdf: broken at 7", "encrypted", "no such program", "2 accepted by all", "5 failed"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in\n%s", want, text)
			}
		}
	}
	if !strings.Contains(table.String(), "CHANGED") || !strings.Contains(table.String(), "not expected") {
		t.Error(table.String())
	}
}

// TestWeigh: pyHanko's words count only for the place that a signature has.
func TestWeigh(t *testing.T) {
	good := foundSignature{Verdict: "PASSED", Coverage: "ENTIRE_REVISION", Changes: "LTA_UPDATES"}
	last := foundSignature{Verdict: "PASSED", Coverage: "ENTIRE_FILE", Changes: "NONE"}
	with := func(change func(*foundSignature)) []foundSignature {
		s := good
		change(&s)
		return []foundSignature{s, last}
	}
	if v := weigh([]foundSignature{good, last}, signing.LevelLTA, 0); !v.OK {
		t.Error(v.Detail)
	}
	for name, list := range map[string][]foundSignature{
		"one missing":         {last},
		"verdict":             with(func(s *foundSignature) { s.Verdict = "NO_POE" }),
		"coverage":            with(func(s *foundSignature) { s.Coverage = "CONTIGUOUS_BLOCK_FROM_START" }),
		"changed":             with(func(s *foundSignature) { s.Changes = "OTHER" }),
		"profile":             with(func(s *foundSignature) { s.Profile = []string{"no /M"} }),
		"file not covered":    {good, good},
		"one more than there": {good, good, last},
	} {
		if v := weigh(list, signing.LevelLTA, 0); v.OK {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestComplaints(t *testing.T) {
	out := "checking /x/a.pdf\nWARNING: /x/a.pdf (offset 12): odd\nWARNING: /x/a.pdf (offset 99): odd\nNo syntax or stream encoding errors found\n"
	if got := complaints(out, "/x/a.pdf", true); got != "WARNING: (offset #): odd" {
		t.Error(got)
	}
	if got := complaints("errors that qpdf cannot detect\n", "/x/a.pdf", false); got != "" {
		t.Error(got)
	}
	if got := complaints("/x/a.pdf: not a PDF\n", "/x/a.pdf", true); got != ": not a PDF" {
		t.Error(got)
	}
}
