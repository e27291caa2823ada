package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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

// openBench starts pyHanko and makes the store of pdfsig.
func openBench(ctx context.Context, o options, l *lab, folder string) (*bench, error) {
	b := &bench{lab: l, folder: folder}
	if err := b.openStore(ctx); err != nil {
		return nil, err
	}
	var err error
	b.judge, err = startPeer(ctx, o.python, folder, "judge.py", judgeSource, l.trust)
	return b, err
}

// openStore makes the store that tells pdfsig whom to trust.
func (b *bench) openStore(ctx context.Context) error {
	b.nss = filepath.Join(b.folder, "nss")
	if err := os.MkdirAll(b.nss, 0o700); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"-N", "-d", "sql:" + b.nss, "--empty-password"},
		{"-A", "-d", "sql:" + b.nss, "-n", "root", "-t", "C,C,C", "-i", b.lab.root()},
	} {
		if out, err := exec.CommandContext(ctx, "certutil", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("certutil: %w: %s", err, out)
		}
	}
	return nil
}

// baseline is what an input was like before we signed it.
type baseline struct {
	before  int    // signatures in it
	again   bool   // input.again
	pss     bool   // input.pss
	trusted int    // of the signatures, how many pdfsig calls valid and trusted
	stamps  int    // and how many document time-stamps it lists
	valid   int    // how many MuPDF calls valid
	qpdf    string // what qpdf complains of
	mupdf   string
	pyHanko string // why its strict reader does not take it
}

func (b *bench) baseline(ctx context.Context, d *document, in input) (baseline, error) {
	base, path := baseline{before: in.before, again: in.again, pss: in.pss}, d.file.Name()
	var err error
	if base.qpdf, err = qpdfComplaints(ctx, path); err != nil {
		return base, err
	}
	if base.mupdf, err = mupdfComplaints(ctx, path); err != nil {
		return base, err
	}
	var a judgeAnswer
	if err := b.judge.ask(judgeQuestion{Path: path}, &a); err != nil {
		return base, err
	}
	base.pyHanko = a.Problem
	if in.before > 0 {
		p, err := b.pdfsig(ctx, path)
		if err != nil {
			return base, err
		}
		base.trusted, base.stamps = p.trusted, p.stamps
		base.valid, _, err = mupdfSignatures(ctx, path)
		return base, err
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
	if out[byMuPDF], err = b.mupdf(ctx, path, level, base); err != nil {
		return nil, err
	}
	out[byCMS], out[byTS] = b.openSSL(ctx, d, level, found, base)
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
	for i, s := range r.Signatures {
		if s.Indication != signing.Passed {
			return rejected("%s %s %s %v", s.Field, s.Indication, s.SubIndication, s.Findings), nil
		}
		// An earlier signature can bring evidence that raises ours.
		if i >= base.before && s.Kind == signing.KindSignature && (slices.Index(levels, s.Level) < slices.Index(levels, want) || base.before == 0 && s.Level != want) {
			return rejected("level %s", s.Level), nil
		}
	}
	if r.Indication() != signing.Passed {
		return rejected("%s %v", r.Indication(), r.Findings), nil
	}
	return accepted(string(r.Indication())), nil
}

// openSSL judges each of our containers over the bytes that pyHanko says it covers, and every time-stamp.
func (b *bench) openSSL(ctx context.Context, d *document, level string, found []foundSignature, base baseline) (containers, stamps verdict) {
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
	signatures, documentStamps := counts(level)
	wantTS := signatures + documentStamps
	if level == signing.LevelB {
		wantTS = 0
	}
	return tally(cms, signatures, wrongCMS), tally(ts, wantTS, wrongTS)
}

// tally makes a verdict of n checks, of which there should be want, and their complaints.
func tally(n, want int, wrong []string) verdict {
	switch {
	case len(wrong) > 0:
		return rejected("%s", strings.Join(wrong, "; "))
	case n != want:
		return rejected("%d found where %d belong", n, want)
	case n == 0:
		return verdict{Absent: true}
	}
	return accepted(fmt.Sprintf("%d verified", n))
}

// run calls OpenSSL and returns what it says if it does not verify.
func (b *bench) run(ctx context.Context, in io.Reader, args ...string) []string {
	cmd := exec.CommandContext(ctx, "openssl", args...) //nolint:gosec // judge.py names files in the folder that it was given
	cmd.Stdin = in
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return []string{fmt.Sprintf("%s: %v: %s", args[0], err, out.String())}
	}
	return nil
}
