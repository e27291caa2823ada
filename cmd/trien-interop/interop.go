package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"trien/signing"
)

// result is what became of an input.
type result struct {
	Name      string                        `json:"name"`
	Producer  string                        `json:"producer"`
	What      string                        `json:"what"`
	Size      int64                         `json:"size"`
	SHA256    string                        `json:"sha256"`
	Before    int                           `json:"signatures_before"`
	Refusal   string                        `json:"refusal,omitempty"` // ours, before signing
	Expected  bool                          `json:"refusal_expected,omitempty"`
	Levels    map[string]map[string]verdict `json:"levels,omitempty"`
	Problem   string                        `json:"problem,omitempty"`
	Visible   bool                          `json:"visible"`         // the person's signature; the organisation's is the other way round
	Untouched bool                          `json:"input_untouched"` // its bytes begin every result, or nothing was written
	Seconds   float64                       `json:"seconds"`
}

func interop(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	began := time.Now()
	inputs, err := selected(catalogue(), o)
	if err != nil {
		return err
	}
	if err := checkMachine(inputs, o); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(o.scratch, "trien-interop-")
	if err != nil {
		return err
	}
	if o.keep {
		fmt.Fprintf(stderr, "the documents are left in %s\n", folder)
	} else {
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	trust, documents := filepath.Join(folder, "trust"), filepath.Join(folder, "documents")
	if err := errors.Join(os.Mkdir(trust, 0o700), os.Mkdir(documents, 0o700)); err != nil {
		return err
	}
	l, err := openLab(ctx, trust)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.stop()) }()
	r := report{Version: version, Time: began.UTC().Truncate(time.Second), Quick: o.quick, Results: make([]result, len(inputs))}
	if r.Tools, err = toolVersions(ctx, o, inputs); err != nil {
		return err
	}
	next := make(chan int)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(next)
		for _, i := range largestFirst(inputs) {
			select {
			case next <- i:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	var done atomic.Int32
	for n := range o.workers {
		g.Go(func() error {
			w, err := openWorker(ctx, o, l, filepath.Join(folder, fmt.Sprintf("worker%d", n)))
			if err != nil {
				return err
			}
			for i := range next {
				if r.Results[i], err = w.work(ctx, inputs[i], documents); err != nil {
					return errors.Join(fmt.Errorf("%s: %w", inputs[i].name, err), w.close())
				}
				fmt.Fprintf(stderr, "%d of %d: %s, %.0f s\n", done.Add(1), len(inputs), inputs[i].name, r.Results[i].Seconds)
			}
			return w.close()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	r.Seconds = time.Since(began).Seconds()
	r.count()
	r.print(stdout)
	if err := r.save(o.out); err != nil {
		return err
	}
	if r.Totals.Failed > 0 {
		return fmt.Errorf("%w: %d of %d documents", errNotAll, r.Totals.Failed, len(r.Results))
	}
	return nil
}

// largestFirst is the order of work, so that nobody waits for the largest at the end.
func largestFirst(inputs []input) []int {
	var first, then []int
	for i, in := range inputs {
		if in.large {
			first = append(first, i)
		} else {
			then = append(then, i)
		}
	}
	return append(first, then...)
}

// checkMachine names everything that is missing at once.
func checkMachine(inputs []input, o options) error {
	programs := []string{"pdfsig", "certutil", "qpdf", "mutool", "openssl", "pdfunite", o.python}
	for _, in := range inputs {
		if in.needs != "" {
			programs = append(programs, in.needs)
		}
	}
	missing := map[string]bool{}
	var err error
	for _, p := range programs {
		if _, e := exec.LookPath(p); e != nil && !missing[p] {
			missing[p] = true
			err = errors.Join(err, fmt.Errorf("%w: %s (make interop installs it)", errMachine, p))
		}
	}
	return err
}

// worker makes, signs and judges one document at a time.
type worker struct {
	lab   *lab
	maker *maker
	bench *bench
	keep  bool
}

func openWorker(ctx context.Context, o options, l *lab, folder string) (*worker, error) {
	w := &worker{lab: l, keep: o.keep}
	var err error
	if w.maker, err = openMaker(ctx, o, l, filepath.Join(folder, "maker")); err != nil {
		return nil, err
	}
	if w.bench, err = openBench(ctx, o, l, filepath.Join(folder, "bench")); err != nil {
		return nil, errors.Join(err, w.maker.python.close())
	}
	return w, nil
}

func (w *worker) close() error { return errors.Join(w.maker.python.close(), w.bench.judge.close()) }

// work does one input. What is wrong with the document or with us is in the result; an error is the machine's.
func (w *worker) work(ctx context.Context, in input, documents string) (r result, err error) {
	began := time.Now()
	r = result{Name: in.name, Producer: in.producer, What: in.what, Before: in.before, Visible: in.visible()}
	path := filepath.Join(documents, in.name+".pdf")
	if err := in.make(ctx, w.maker, path); err != nil {
		if errors.Is(err, errProducer) && ctx.Err() == nil {
			r.Problem = shorten(err.Error())
			return r, nil
		}
		return r, err
	}
	d, err := openDocument(path)
	if err != nil {
		return r, err
	}
	defer func() {
		err = errors.Join(err, d.file.Close())
		if !w.keep || in.large {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	r.Size = d.size
	if r.SHA256, err = d.hash(r.Size); err != nil {
		return r, err
	}
	if err := w.climb(ctx, d, in, &r); err != nil {
		return r, err
	}
	if d.size < r.Size {
		r.Untouched = false
	} else if sum, err := d.hash(r.Size); err != nil {
		return r, err
	} else {
		r.Untouched = sum == r.SHA256
	}
	r.Seconds = time.Since(began).Seconds()
	return r, nil
}

// climb signs the document to every level and has each judged, or notes why it is not signed.
func (w *worker) climb(ctx context.Context, d *document, in input, r *result) error {
	base, err := w.bench.baseline(ctx, d, in)
	if err != nil {
		return err
	}
	r.Levels = map[string]map[string]verdict{}
	var machine error
	err = w.lab.climb(ctx, d, in, func(level string) error {
		r.Levels[level], machine = w.bench.all(ctx, d, level, base)
		return machine
	})
	switch {
	case machine != nil:
		return machine
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return nil
	case len(r.Levels) == 0 && d.size == r.Size && isRefusal(err):
		r.Refusal, r.Levels = shorten(err.Error()), nil
		r.Expected = in.refused != nil && errors.Is(err, in.refused)
	default:
		r.Problem = shorten(fmt.Sprintf("signing to %s: %v", levels[len(r.Levels)], err))
	}
	return nil
}

// isRefusal tells errors that say what is wrong with the document.
func isRefusal(err error) bool {
	return errors.Is(err, signing.ErrEncrypted) || errors.Is(err, signing.ErrDamaged) || errors.Is(err, signing.ErrUnsupported)
}
