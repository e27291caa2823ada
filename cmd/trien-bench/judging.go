package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"trien/certs"
	"trien/signing"
)

// manySignatures is how many a long way through an organisation leaves on a document.
const manySignatures = 5

// judgementGoal is how long it may take to judge it.
const judgementGoal = 100 // ms

// judging measures how long it takes to judge a document with five signatures at B-LTA: all bytes accounted for, no network.
func (s *signatureBench) judging(ctx context.Context) (rows []row, err error) {
	t, err := s.manySigned(ctx)
	if err != nil {
		return nil, fmt.Errorf("signing what is to be judged: %w", err)
	}
	s.say("judging %d signatures", manySignatures)
	ours, err := startContender(ctx, contenderJudge, t, s.program, contendArgument, contenderJudge)
	if err != nil {
		return nil, err
	}
	all := []*contender{ours}
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.stop())
		}
	}()
	if s.python != "" {
		theirs, err := startContender(ctx, contenderPyHanko, t, s.python, s.script(), "judge")
		if err != nil {
			return nil, err
		}
		all = append(all, theirs)
	}
	times := map[string][]float64{}
	for round := -1; round < s.rounds; round++ { // the first round warms up
		for _, c := range all {
			took, err := c.run(s.turn)
			if err != nil {
				return nil, err
			}
			if round >= 0 {
				times[c.name] = append(times[c.name], took...)
			}
		}
	}
	name := fmt.Sprintf("judge %d signatures at B-LTA", manySignatures)
	p50, p99 := quantile(times[contenderJudge], 0.50)*1000, quantile(times[contenderJudge], 0.99)*1000
	rows = []row{atMost(name+", p50", "ms", p50, judgementGoal), atMost(name+", p99", "ms", p99, judgementGoal)}
	if theirs := times[contenderPyHanko]; len(theirs) > 0 {
		rows = append(rows, beside(name+", beside pyHanko", "ms", p50, median(theirs)*1000))
	}
	return rows, nil
}

// manySigned makes a small document with signatures of both kinds of key, each with a time-stamp, then evidence and a document time-stamp.
func (s *signatureBench) manySigned(ctx context.Context) (task, error) {
	t := task{Input: filepath.Join(s.folder, "signed-0.pdf")}
	if err := writeDocument(t.Input, 100*kb); err != nil {
		return t, err
	}
	for n := 1; n <= manySignatures; n++ {
		next := s.keys[[]string{keyRSA, keyEC}[n%2]]
		next.Input, next.Output, next.Level = t.Input, filepath.Join(s.folder, fmt.Sprintf("signed-%d.pdf", n)), levelT
		if n == manySignatures {
			next.Level = levelLTA
		}
		sign, err := newTrien(ctx, next)
		if err != nil {
			return t, err
		}
		if err := sign(); err != nil {
			return t, err
		}
		t = next
		t.Input, t.Output, t.Level = next.Output, "", ""
	}
	return t, nil
}

// newJudge judges as the stranger's verifier does an export: strictly.
func newJudge(ctx context.Context, t task) (func() error, error) {
	id, err := readIdentity(t)
	if err != nil {
		return nil, err
	}
	return func() error {
		r, err := inspectFile(ctx, t.Input, signing.InspectOptions{Anchors: id.anchors, Strict: true})
		if err != nil {
			return err
		}
		archived := 0
		for _, s := range r.Signatures {
			if s.Level == signing.LevelLTA {
				archived++
			}
		}
		if r.Indication() != signing.Passed || archived != manySignatures {
			return fmt.Errorf("the document is judged %s", r.Indication())
		}
		return nil
	}, nil
}

func inspectFile(ctx context.Context, path string, o signing.InspectOptions) (r *signing.Report, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return signing.Inspect(ctx, f, info.Size(), o)
}

// checkSigned judges what a contender wrote: a bench of signatures that do not hold measures nothing.
func checkSigned(ctx context.Context, t task, anchors *certs.Anchors) (err error) {
	r, err := inspectFile(ctx, t.Output, signing.InspectOptions{Anchors: anchors, Revocation: signing.RevocationIfPresent})
	if err != nil {
		return err
	}
	if len(r.Signatures) == 0 {
		return errors.New("it has signed nothing")
	}
	// Each signature must hold. What else others write later (pyHanko: a new date of change, with its time-stamp) is theirs to answer for.
	for _, s := range r.Signatures {
		if s.Indication != signing.Passed {
			return fmt.Errorf("what it signed is judged %s: %s", s.Indication, s.SubIndication)
		}
	}
	if level := r.Signatures[0].Level; !strings.HasPrefix(level, signing.LevelCMS) && level != t.Level { // pdfsign's are no PAdES
		return fmt.Errorf("what it signed is %s, not %s", level, t.Level)
	}
	return startsWith(t.Output, t.Input)
}

// startsWith checks that one file starts with the other.
func startsWith(path, with string) (err error) {
	long, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, long.Close()) }()
	short, err := os.Open(with)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, short.Close()) }()
	a, b := make([]byte, 1<<20), make([]byte, 1<<20)
	for {
		n, err := io.ReadFull(short, a)
		if _, err := io.ReadFull(long, b[:n]); err != nil {
			return err
		}
		if !bytes.Equal(a[:n], b[:n]) {
			return errors.New("what it signed does not start with the document")
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// writeDocument writes one of the bench's documents to a file.
func writeDocument(path string, size int64) error {
	return writeFile(path, func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(newDocument(size, 1), 0, size))
		return err
	})
}

func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := createAnew(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f)
}

// createAnew makes a file where perhaps one is: to cut off an old file and close it costs ext4 a write to the disk, which no signer needs.
func createAnew(path string) (*os.File, error) {
	if err := os.RemoveAll(path); err != nil {
		return nil, err
	}
	return os.Create(path)
}
