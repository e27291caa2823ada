package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// report is what out/interop.json holds.
type report struct {
	Version    string            `json:"version"`
	Time       time.Time         `json:"time"`
	Seconds    float64           `json:"seconds"`
	Quick      bool              `json:"quick"`
	Tools      map[string]string `json:"tools"` // validators and producers, with their versions
	Totals     totals            `json:"totals"`
	Exceptions map[string]string `json:"exceptions"` // those that were needed
	Results    []result          `json:"inputs"`
}

type totals struct {
	Inputs    int            `json:"inputs"`
	Producers int            `json:"producers"`
	Signed    int            `json:"signed"`  // accepted at every level by everybody
	Refused   int            `json:"refused"` // by us, before signing, for the reason expected
	Failed    int            `json:"failed"`
	Files     int            `json:"files"`    // signed files judged
	Verdicts  int            `json:"verdicts"` // of others and us on them
	Excused   map[string]int `json:"excused"`  // verdicts by exception
}

// ok: accepted by all at all levels, or refused by us as it must be; and the input's bytes are as they were.
func (r result) ok() bool {
	if r.Problem != "" || !r.Untouched {
		return false
	}
	if r.Refusal != "" {
		return r.Expected
	}
	for _, level := range levels {
		for _, v := range validators {
			if j, judged := r.Levels[level][v]; !judged || !j.OK && !j.Absent {
				return false
			}
		}
	}
	return true
}

func (r *report) count() {
	t := totals{Inputs: len(r.Results), Excused: map[string]int{}}
	producers := map[string]bool{}
	for _, in := range r.Results {
		producers[in.Producer] = true
		switch {
		case !in.ok():
			t.Failed++
		case in.Refusal != "":
			t.Refused++
		default:
			t.Signed++
		}
		for _, level := range in.Levels {
			t.Files++
			for _, v := range level {
				if !v.Absent {
					t.Verdicts++
				}
				for _, e := range v.Excused {
					t.Excused[e]++
				}
			}
		}
	}
	t.Producers = len(producers)
	r.Totals, r.Exceptions = t, map[string]string{}
	for e := range t.Excused {
		r.Exceptions[e] = exceptions[e]
	}
}

// cell shows a level's verdicts, a sign for each validator.
func (r result) cell(level string) string {
	var b strings.Builder
	for _, v := range validators {
		j, judged := r.Levels[level][v]
		switch {
		case !judged:
			b.WriteString("?")
		case j.Absent:
			b.WriteString("·")
		case !j.OK:
			b.WriteString("✗")
		case len(j.Excused) > 0:
			b.WriteString("○")
		default:
			b.WriteString("✓")
		}
	}
	return b.String()
}

const nameWidth = 26

// row is the table's line for an input.
func (r result) row(w io.Writer) {
	fmt.Fprintf(w, "%s %8s  ", pad(r.Name, nameWidth), bytesText(r.Size))
	switch {
	case r.Refusal != "" && r.Expected:
		fmt.Fprintf(w, "refused: %s\n", r.Refusal)
	case r.Refusal != "":
		fmt.Fprintf(w, "REFUSED, which is not expected: %s\n", r.Refusal)
	case r.Problem != "":
		fmt.Fprintf(w, "FAILED: %s\n", r.Problem)
	default:
		for _, level := range levels {
			fmt.Fprint(w, pad(r.cell(level), len(validators)+1))
		}
		if !r.Untouched {
			fmt.Fprint(w, " the input was CHANGED")
		}
		fmt.Fprintln(w)
	}
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

func bytesText(n int64) string {
	switch {
	case n >= 10e6:
		return fmt.Sprintf("%d MB", n/1e6)
	case n >= 1000:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%d B", n)
}

func legend() string {
	return "Signs in each column: " + strings.Join(validators, ", ") + " (mutool: structure, digests and signature values; it cannot be told whom to trust). " +
		"✓ accepts, ○ accepts with an exception explained below, ✗ rejects, · nothing to judge"
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "%s %8s  ", pad("INPUT", nameWidth), "SIZE")
	for _, level := range levels {
		fmt.Fprint(w, pad(level, len(validators)+1))
	}
	fmt.Fprintln(w)
	for _, in := range r.Results {
		in.row(w)
	}
	fmt.Fprintln(w, legend())
	for _, in := range r.Results {
		for _, line := range in.rejections() {
			fmt.Fprintln(w, line)
		}
	}
	fmt.Fprintf(w, "%s\n%s", r.summary(), r.explained("exception "))
}

// rejections explains each ✗.
func (r result) rejections() []string {
	var out []string
	for _, level := range levels {
		for _, v := range validators {
			if j, judged := r.Levels[level][v]; judged && !j.OK && !j.Absent {
				out = append(out, fmt.Sprintf("%s %s %s: %s", r.Name, level, v, j.Detail))
			}
		}
	}
	return out
}

func (r *report) summary() string {
	t := r.Totals
	return fmt.Sprintf("%d inputs of %d producers: %d accepted by all at all levels (%d files, %d verdicts), %d refused by us before signing, %d failed; %.0f s",
		t.Inputs, t.Producers, t.Signed, t.Files, t.Verdicts, t.Refused, t.Failed, r.Seconds)
}

// explained are the exceptions that were needed, one a line.
func (r *report) explained(before string) string {
	var b strings.Builder
	for _, e := range slices.Sorted(maps.Keys(r.Exceptions)) {
		fmt.Fprintf(&b, "%s%s (%d verdicts): %s\n", before, e, r.Totals.Excused[e], r.Exceptions[e])
	}
	return b.String()
}

// save writes interop.json and interop.md; each is the whole file or the old one.
func (r *report) save(folder string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var md strings.Builder
	r.markdown(&md)
	return errors.Join(replace(filepath.Join(folder, "interop.json"), append(text, '\n')), replace(filepath.Join(folder, "interop.md"), []byte(md.String())))
}

func replace(path string, data []byte) error {
	if err := os.WriteFile(path+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (r *report) markdown(w io.Writer) {
	fmt.Fprintf(w, "# Signatures that other programs accept\n\n%s, version %s. %s.\n", r.Time.Format("2006-01-02 15:04 MST"), r.Version, r.summary())
	fmt.Fprintf(w, "\n%s.\n\n| input | producer | what | size |", legend())
	for _, level := range levels {
		fmt.Fprintf(w, " %s |", level)
	}
	fmt.Fprintf(w, "\n|%s\n", strings.Repeat("---|", 4+len(levels)))
	for _, in := range r.Results {
		fmt.Fprintf(w, "| %s | %s | %s | %s |", in.Name, in.Producer, in.What, bytesText(in.Size))
		if in.Refusal != "" || in.Problem != "" {
			fmt.Fprintf(w, " refused: %s%s |%s\n", in.Refusal, in.Problem, strings.Repeat(" |", len(levels)-1))
			continue
		}
		for _, level := range levels {
			fmt.Fprintf(w, " %s |", in.cell(level))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n## Exceptions\n\n%s", r.explained("- "))
	fmt.Fprintf(w, "\n## Versions\n\n| program | version |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(r.Tools)) {
		fmt.Fprintf(w, "| %s | %s |\n", name, r.Tools[name])
	}
	for _, in := range r.Results {
		for _, line := range in.rejections() {
			fmt.Fprintf(w, "\n- %s", line)
		}
	}
}
