// Command trien-samples draws synthetic dossiers of invented people into a folder, one folder for each person and register.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"trien/vault/vaulttest/samples"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "trien-samples:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage")

type options struct {
	out       string
	people    uint64
	seed      uint64
	registers string
	small     bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o options
	f := flag.NewFlagSet("trien-samples", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.out, "out", "out/samples", "folder to draw into")
	f.Uint64Var(&o.people, "people", 2, "how many people")
	f.Uint64Var(&o.seed, "seed", 1, "of the first person; the same seed draws the same bytes")
	f.StringVar(&o.registers, "registers", strings.Join(samples.Registers(), ","), "of which to draw dossiers")
	f.BoolVar(&o.small, "small", false, "small files, as the tests use them")
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return errUsage
	}
	registers := strings.Split(o.registers, ",")
	for _, r := range registers {
		if !slices.Contains(samples.Registers(), r) {
			fmt.Fprintf(stderr, "trien-samples: no register %q; there are %s\n", r, strings.Join(samples.Registers(), ", "))
			return errUsage
		}
	}
	if f.NArg() > 0 {
		fmt.Fprintf(stderr, "trien-samples: what is %q?\n", f.Arg(0))
		return errUsage
	}
	size := samples.Full
	if o.small {
		size = samples.Small
	}
	var all []job
	for seed := o.seed; seed < o.seed+o.people; seed++ {
		for _, register := range registers {
			d := samples.New(seed, register, size)
			folder := filepath.Join(o.out, fmt.Sprintf("%03d", seed), register)
			for _, file := range d.Files {
				all = append(all, job{filepath.Join(folder, file.Name), file})
			}
		}
	}
	return draw(ctx, all, stdout)
}

type job struct {
	path string
	file samples.File
}

// draw draws on every processor; each holds one page in memory.
func draw(ctx context.Context, all []job, stdout io.Writer) error {
	began := time.Now()
	var mu sync.Mutex
	var total int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for _, j := range all {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := save(j.path, j.file.Write)
			if err != nil {
				return fmt.Errorf("drawing %s: %w", j.path, err)
			}
			mu.Lock()
			defer mu.Unlock()
			total += n
			fmt.Fprintf(stdout, "%9.1f KB  %-32s %s\n", float64(n)/1e3, j.file.Kind, j.path)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d files, %.1f MB, %.1f s\n", len(all), float64(total)/1e6, time.Since(began).Seconds())
	return nil
}

// save leaves a whole file at path, or none.
func save(path string, write func(io.Writer) error) (int64, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return 0, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".drawing-*")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone by then, unless an error came before
	b := bufio.NewWriter(f)
	if err = write(b); err == nil {
		err = b.Flush()
	}
	n, e := f.Seek(0, io.SeekCurrent)
	if err := errors.Join(err, e, f.Chmod(0o644), f.Close()); err != nil {
		return 0, err
	}
	return n, os.Rename(f.Name(), path)
}
