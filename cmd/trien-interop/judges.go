package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"trien/signing"
)

// Validators in the order of the table's columns.
const (
	byUs      = "trien"
	byPyHanko = "pyHanko"
	byPdfsig  = "pdfsig"
	byQpdf    = "qpdf"
	byMuPDF   = "mutool"
	byCMS     = "openssl cms"
	byTS      = "openssl ts"
)

var validators = []string{byUs, byPyHanko, byPdfsig, byQpdf, byMuPDF, byCMS, byTS}

// verdict of one validator on one file. Excused names the exceptions (exceptions.go) without which it would not be OK. Absent: there was
// nothing for it to judge.
type verdict struct {
	OK      bool     `json:"ok"`
	Absent  bool     `json:"absent,omitempty"`
	Detail  string   `json:"detail,omitempty"`
	Excused []string `json:"excused,omitempty"`
}

func accepted(detail string, excused ...string) verdict {
	return verdict{OK: true, Detail: detail, Excused: excused}
}

func rejected(format string, args ...any) verdict {
	return verdict{Detail: shorten(fmt.Sprintf(format, args...))}
}

func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 600 {
		return string(r[:600]) + "…"
	}
	return s
}

// bench is what one worker judges with.
type bench struct {
	lab    *lab
	judge  *peer
	folder string // of its own
	nss    string // certificate store for pdfsig
}

// openBench starts pyHanko and makes the store that tells pdfsig whom to trust.
func openBench(ctx context.Context, o options, l *lab, folder string) (*bench, error) {
	b := &bench{lab: l, folder: folder, nss: filepath.Join(folder, "nss")}
	if err := os.MkdirAll(b.nss, 0o700); err != nil {
		return nil, err
	}
	for _, args := range [][]string{
		{"-N", "-d", "sql:" + b.nss, "--empty-password"},
		{"-A", "-d", "sql:" + b.nss, "-n", "root", "-t", "C,C,C", "-i", l.root()},
	} {
		if out, err := exec.CommandContext(ctx, "certutil", args...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("certutil: %w: %s", err, out)
		}
	}
	var err error
	b.judge, err = startPeer(ctx, o.python, folder, "judge.py", judgeSource, l.trust)
	return b, err
}

// baseline is what an input was like before we signed it.
type baseline struct {
	before     int    // signatures in it
	trusted    int    // of those, how many pdfsig calls valid and trusted
	qpdf       string // what qpdf complains of
	mupdf      string
	unreadable bool // none of our business, but pdfsig cannot open it
}

func (b *bench) baseline(ctx context.Context, path string, before int) (baseline, error) {
	base := baseline{before: before}
	var err error
	if base.qpdf, err = qpdfComplaints(ctx, path); err != nil {
		return base, err
	}
	if base.mupdf, err = mupdfComplaints(ctx, path); err != nil {
		return base, err
	}
	if before > 0 {
		p, err := b.pdfsig(ctx, path)
		if err != nil {
			return base, err
		}
		base.trusted = p.trusted
	}
	return base, nil
}

// all has every validator judge the document at a level.
func (b *bench) all(ctx context.Context, d *document, level string, base baseline) (map[string]verdict, error) {
	out := map[string]verdict{}
	var err error
	if out[byUs], err = b.ourselves(ctx, d, level, base); err != nil {
		return nil, err
	}
	path := d.file.Name()
	found, v, err := b.pyHanko(path, level, base)
	if err != nil {
		return nil, err
	}
	out[byPyHanko] = v
	if out[byPdfsig], err = b.pdfsigVerdict(ctx, path, level, base); err != nil {
		return nil, err
	}
	if out[byQpdf], err = b.structure(ctx, path, base.qpdf, qpdfComplaints); err != nil {
		return nil, err
	}
	if out[byMuPDF], err = b.structure(ctx, path, base.mupdf, mupdfComplaints); err != nil {
		return nil, err
	}
	out[byCMS], out[byTS] = b.openSSL(ctx, d, found, base)
	return out, ctx.Err()
}

// counts of our signatures and document time-stamps at a level.
func counts(level string) (signatures, stamps int) {
	switch level {
	case signing.LevelLTA:
		return 1, 1
	case levelTwice:
		return 2, 1
	}
	return 1, 0
}

// ourselves judges with package signing. B-B and B-T carry no statements on revocation, and the certificates were issued a moment ago.
func (b *bench) ourselves(ctx context.Context, d *document, level string, base baseline) (verdict, error) {
	o := signing.InspectOptions{Anchors: b.lab.anchors, Strict: base.before == 0}
	want := level
	switch level {
	case signing.LevelB, signing.LevelT:
		o.Revocation = signing.RevocationIfPresent
	case signing.LevelLT:
		o.Strict = false // the security store stands outside of every signature until it is time-stamped
	case levelTwice:
		want = signing.LevelLTA
	}
	if base.before > 0 {
		o.Revocation = signing.RevocationIfPresent
	}
	r, err := signing.Inspect(ctx, d.file, d.size, o)
	if err != nil {
		return verdict{}, err
	}
	signatures, stamps := counts(level)
	if len(r.Signatures) != base.before+signatures+stamps {
		return rejected("%d signatures", len(r.Signatures)), nil
	}
	if r.Indication() != signing.Passed {
		var why []string
		for _, s := range r.Signatures {
			why = append(why, fmt.Sprintf("%s %s %s %v", s.Field, s.Indication, s.SubIndication, s.Findings))
		}
		return rejected("%s %v %s", r.Indication(), r.Findings, strings.Join(why, "; ")), nil
	}
	for _, s := range r.Signatures[base.before:] {
		if s.Kind == signing.KindSignature && s.Level != want {
			return rejected("level %s", s.Level), nil
		}
	}
	return accepted(string(r.Indication())), nil
}

var (
	signatureBlock = regexp.MustCompile(`(?m)^Signature #\d+:`)
	// repairs are what a reader says when it does not take a file as it is.
	complaint = regexp.MustCompile(`(?i)(warning|error)`)
)

type pdfsigResult struct {
	trusted, stamps int
	text            string
}

// pdfsig counts signatures that poppler calls valid with a trusted certificate, and document time-stamps, which it cannot judge.
func (b *bench) pdfsig(ctx context.Context, path string) (pdfsigResult, error) {
	out, err := exec.CommandContext(ctx, "pdfsig", "-no-ocsp", "-nssdir", b.nss, path).CombinedOutput()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		return pdfsigResult{}, fmt.Errorf("pdfsig: %w", err)
	}
	r := pdfsigResult{text: string(out)}
	for _, block := range signatureBlock.Split(r.text, -1)[1:] {
		switch {
		case strings.Contains(block, "Signature Type: ETSI.RFC3161"):
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
	if r.trusted != base.trusted+signatures || r.stamps != stamps {
		return rejected("%s", r.text), nil
	}
	v := accepted(fmt.Sprintf("%d valid and trusted", r.trusted))
	if stamps > 0 {
		v.Excused = []string{"pdfsig-timestamp"}
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
	return rejected("%s; before: %s", now, before), nil
}

// qpdfComplaints returns qpdf's warnings and errors; empty if it has none.
func qpdfComplaints(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, "qpdf", "--check", path).CombinedOutput()
	return complaints(string(out), filepath.Base(path), err)
}

// mupdfComplaints likewise for MuPDF, which reads all pages for it.
func mupdfComplaints(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, "mutool", "info", path).CombinedOutput()
	return complaints(string(out), filepath.Base(path), err)
}

var numbers = regexp.MustCompile(`\d+`)

// complaints picks the lines that warn. Offsets and counts differ from revision to revision: numbers do not count.
func complaints(out, name string, err error) (string, error) {
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		return "", err
	}
	var lines []string
	for line := range strings.Lines(out) {
		if complaint.MatchString(line) && !strings.Contains(line, "No syntax or stream encoding errors found") {
			line = numbers.ReplaceAllString(strings.TrimSpace(line[strings.LastIndex(line, name)+1:]), "#")
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) == 0 && err != nil {
		return shorten(out), nil
	}
	return shorten(strings.Join(lines, "; ")), nil
}

// openSSL judges each of our containers over the bytes that pyHanko says it covers, and every time-stamp.
func (b *bench) openSSL(ctx context.Context, d *document, found []foundSignature, base baseline) (containers, stamps verdict) {
	var cms, ts int
	var wrongCMS, wrongTS []string
	for i, s := range found {
		if i < base.before {
			continue
		}
		if len(s.ByteRange) != 4 {
			return rejected("%s has no byte range", s.Field), rejected("%s has no byte range", s.Field)
		}
		r := s.ByteRange
		covered := io.MultiReader(io.NewSectionReader(d.file, r[0], r[1]), io.NewSectionReader(d.file, r[2], r[3]))
		if s.Type == "DocTimeStamp" {
			ts++
			wrongTS = append(wrongTS, b.run(ctx, covered, "ts", "-verify", "-token_in", "-in", s.Container, "-data", "/dev/stdin", "-CAfile", b.lab.root())...)
			continue
		}
		cms++
		wrongCMS = append(wrongCMS, b.run(ctx, covered, "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", s.Container,
			"-content", "/dev/stdin", "-CAfile", b.lab.root(), "-purpose", "any", "-out", os.DevNull)...)
		if s.Token != "" {
			ts++
			wrongTS = append(wrongTS, b.run(ctx, nil, "ts", "-verify", "-token_in", "-in", s.Token, "-data", s.Stamped, "-CAfile", b.lab.root())...)
		}
	}
	return tally(cms, wrongCMS), tally(ts, wrongTS)
}

// tally makes a verdict of n checks and their complaints.
func tally(n int, wrong []string) verdict {
	switch {
	case len(wrong) > 0:
		return rejected("%s", strings.Join(wrong, "; "))
	case n == 0:
		return verdict{Absent: true}
	}
	return accepted(fmt.Sprintf("%d verified", n))
}

// run calls OpenSSL and returns what it says if it does not verify.
func (b *bench) run(ctx context.Context, in io.Reader, args ...string) []string {
	cmd := exec.CommandContext(ctx, "openssl", args...)
	cmd.Stdin = in
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return []string{fmt.Sprintf("%s: %v: %s", args[0], err, out.String())}
	}
	return nil
}
