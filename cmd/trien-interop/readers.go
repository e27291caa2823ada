package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

var (
	signatureBlock = regexp.MustCompile(`(?m)^Signature #\d+:`)
	pdfsigLine     = regexp.MustCompile(`(?:Signature Field Name|Signature Type|Signature Validation|Certificate Validation): .*`)
	complaint      = regexp.MustCompile(`(?i)^(warning|error):`)
	number         = regexp.MustCompile(`\d+`)
)

type pdfsigResult struct {
	trusted, stamps int
	text            string
}

// pdfsig counts signatures that poppler calls valid with a trusted certificate, and document time-stamps, which it cannot judge.
func (b *bench) pdfsig(ctx context.Context, path string) (pdfsigResult, error) {
	out, _, err := ask(ctx, "pdfsig", "-no-ocsp", "-nssdir", b.nss, path)
	if err != nil {
		return pdfsigResult{}, err
	}
	var r pdfsigResult
	for _, block := range signatureBlock.Split(out, -1)[1:] {
		r.text += strings.Join(pdfsigLine.FindAllString(block, -1), ", ") + "; "
		switch {
		case strings.Contains(block, "Signature Type: unknown"), strings.Contains(block, "Signature Type: ETSI.RFC3161"):
			r.stamps++
		case strings.Contains(block, "Signature Validation: Signature is Valid.") && strings.Contains(block, "Certificate Validation: Certificate is Trusted."):
			r.trusted++
		}
	}
	return r, nil
}

func (b *bench) pdfsigVerdict(ctx context.Context, path, level string, base baseline) (verdict, error) {
	r, err := b.pdfsig(ctx, path)
	if err != nil {
		return verdict{}, err
	}
	signatures, stamps := counts(level)
	var excused []string
	want := base.trusted + signatures
	if base.again && level == levelTwice && strings.Contains(r.text, "Signature is Valid., Certificate Validation: Unknown issue with Certificate") {
		want, excused = want-1, []string{"pdfsig-same-signer"}
	}
	if r.trusted != want || r.stamps != base.stamps+stamps {
		return rejected("%s", r.text), nil
	}
	v := accepted(fmt.Sprintf("%d valid and trusted", r.trusted), excused...)
	if stamps > 0 {
		v.Excused = append(v.Excused, "pdfsig-timestamp")
	}
	return v, nil
}

// structure compares a reader's complaints with those it had before we signed.
func (b *bench) structure(ctx context.Context, path, before string, complaints func(context.Context, string) (string, error)) (verdict, error) {
	now, err := complaints(ctx, path)
	switch {
	case err != nil:
		return verdict{}, err
	case now == "":
		return accepted("clean"), nil
	case now == before:
		return accepted(now, "input-flaw"), nil
	}
	return rejected("%s; before: %s", now, cmp.Or(before, "nothing")), nil
}

// qpdfComplaints returns qpdf's warnings and errors; empty if it has none.
func qpdfComplaints(ctx context.Context, path string) (string, error) {
	out, failed, err := ask(ctx, "qpdf", "--check", path)
	return complaints(out, path, failed), err
}

// mupdfComplaints likewise for MuPDF, which reads all pages for it.
func mupdfComplaints(ctx context.Context, path string) (string, error) {
	out, failed, err := ask(ctx, "mutool", "info", path)
	return complaints(out, path, failed), err
}

// ask runs a program that may say no by its exit code.
func ask(ctx context.Context, name string, args ...string) (out string, failed bool, err error) {
	text, err := exec.CommandContext(ctx, name, args...).CombinedOutput() //nolint:gosec // the paths are ours
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		return "", false, fmt.Errorf("%s: %w", name, err)
	}
	return string(text), status != nil, nil
}

// mupdf: no complaint about the structure, and every signature's digest and value valid.
func (b *bench) mupdf(ctx context.Context, path, level string, base baseline) (verdict, error) {
	v, err := b.structure(ctx, path, base.mupdf, mupdfComplaints)
	if err != nil || !v.OK {
		return v, err
	}
	valid, text, err := mupdfSignatures(ctx, path)
	if err != nil {
		return verdict{}, err
	}
	signatures, stamps := counts(level)
	want := base.valid + signatures
	if base.pss {
		want--
		v.Excused = append(v.Excused, "mutool-pss")
	}
	if valid != want {
		return rejected("%s", text), nil
	}
	v.Detail += fmt.Sprintf("; %d signatures valid", valid)
	if stamps > 0 {
		v.Excused = append(v.Excused, "mutool-timestamp")
	}
	return v, nil
}

// mupdfSignatures counts the signatures that MuPDF calls valid.
func mupdfSignatures(ctx context.Context, path string) (valid int, text string, err error) {
	out, _, err := ask(ctx, "mutool", "sign", "-v", path)
	return strings.Count(out, "The signature is valid") + strings.Count(out, "The document is unchanged"), out, err
}

// complaints picks the lines that warn. Offsets and counts differ from revision to revision: numbers do not count.
func complaints(out, path string, failed bool) string {
	var lines []string
	for line := range strings.Lines(out) {
		line = number.ReplaceAllString(strings.TrimSpace(strings.ReplaceAll(line, path, "")), "#")
		if complaint.MatchString(line) && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 && failed {
		return shorten(strings.ReplaceAll(out, path, ""))
	}
	slices.Sort(lines)
	return shorten(strings.Join(lines, "; "))
}
