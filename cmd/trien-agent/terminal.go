package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal asks a person. It knows whether there is one.
type terminal struct {
	fd       int
	in       io.Reader
	out      io.Writer
	attended bool
}

func newTerminal(in io.Reader, out io.Writer) *terminal {
	t := &terminal{in: in, out: out}
	if f, ok := in.(*os.File); ok {
		t.fd = int(f.Fd())
		t.attended = term.IsTerminal(t.fd)
	}
	return t
}

// secret asks without echo. If ctx ends first the terminal echoes again.
func (t *terminal) secret(ctx context.Context, question string) (string, error) {
	before, err := term.GetState(t.fd)
	if err != nil {
		return "", fmt.Errorf("reading the terminal's state: %w", err)
	}
	fmt.Fprint(t.out, question)
	type typed struct {
		text []byte
		err  error
	}
	done := make(chan typed, 1)
	go func() {
		text, err := term.ReadPassword(t.fd)
		done <- typed{text, err}
	}()
	select {
	case d := <-done:
		fmt.Fprintln(t.out)
		if d.err != nil && !errors.Is(d.err, io.EOF) {
			return "", fmt.Errorf("reading from the terminal: %w", d.err)
		}
		return string(d.text), nil
	case <-ctx.Done():
		fmt.Fprintln(t.out)
		return "", errors.Join(ctx.Err(), term.Restore(t.fd, before))
	}
}

// line asks and returns one line without what ends it; empty at the end of input.
func (t *terminal) line(ctx context.Context, question string) (string, error) {
	fmt.Fprint(t.out, question)
	done := make(chan string, 1)
	go func() {
		line, _ := firstLine(t.in) // what cannot be read was not answered
		done <- line
	}()
	select {
	case line := <-done:
		return strings.TrimSpace(line), nil
	case <-ctx.Done():
		fmt.Fprintln(t.out)
		return "", ctx.Err()
	}
}

// confirm asks for a yes; anything else is no. What it is about stands above.
func (t *terminal) confirm(ctx context.Context, _, question string) (bool, error) {
	answer, err := t.line(ctx, question)
	switch strings.ToLower(answer) {
	case "c", "có", "co", "y", "yes":
		return err == nil, err
	}
	return false, err
}

// wait lets the person press Enter.
func (t *terminal) wait(ctx context.Context, question string) error {
	_, err := t.line(ctx, question)
	return err
}

// longest secret or answer that is read.
const longest = 4096

// firstLine reads no further than the line, so that the next question finds its own answer.
func firstLine(r io.Reader) (string, error) {
	var b [1]byte
	var line []byte
	for len(line) < longest {
		n, err := r.Read(b[:])
		if n == 1 {
			if b[0] == '\n' {
				break
			}
			line = append(line, b[0])
			continue
		}
		if err != nil {
			if errors.Is(err, io.EOF) && len(line) > 0 {
				break
			}
			return "", err
		}
	}
	return strings.TrimSuffix(string(line), "\r"), nil
}

// secretFile reads the first line of a file that nobody else may read.
func secretFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return "", refusal(textSecretOpen, path)
	}
	secret, err := firstLine(f)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	if secret == "" {
		return "", refusal(textSecretEmpty, path)
	}
	return secret, nil
}
