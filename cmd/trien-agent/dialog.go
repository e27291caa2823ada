package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/twpayne/go-pinentry/v4"
)

// person is who is asked: at the terminal, or in windows of pinentry, which keeps a PIN out of reach of other programs' windows.
type person interface {
	// secret asks without showing what is typed.
	secret(ctx context.Context, question string) (string, error)
	// confirm asks for a yes; about is what it is about, where that is not on the screen already.
	confirm(ctx context.Context, about, question string) (bool, error)
	// wait lets the person say that something is done.
	wait(ctx context.Context, question string) error
}

// dialog asks through a program that speaks the pinentry protocol (Assuan over its standard input and output).
type dialog struct {
	program string
	say     language
}

// errNobody is that there is neither a terminal nor a screen.
var errNobody = errors.New("nobody to ask")

// Codes of libgpg-error that pinentry answers with: source pinentry, and what the person did.
const (
	codeCancelled    = 83886179
	codeNotConfirmed = 83886194
	codeTimeout      = 83886142
)

// asker chooses: the program named by --pinentry; else the terminal; else pinentry, where there is a screen. Errors wrap errNobody.
func (a *agent) asker() (person, error) {
	switch a.pinentry {
	case "none":
	case "", "auto":
		if a.tty.attended {
			return a.tty, nil
		}
		if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
			return nil, errNobody
		}
		path, err := exec.LookPath("pinentry")
		if err != nil {
			return nil, errNobody
		}
		return &dialog{path, a.say}, nil
	default:
		path, err := exec.LookPath(a.pinentry)
		if err != nil {
			return nil, wrapped(err, textPinentry, a.pinentry)
		}
		return &dialog{path, a.say}, nil
	}
	if a.tty.attended {
		return a.tty, nil
	}
	return nil, errNobody
}

func (d *dialog) secret(ctx context.Context, question string) (string, error) {
	var secret string
	err := d.ask(ctx, func(c *pinentry.Client) error {
		got, err := c.GetPIN()
		secret = got.PIN
		return err
	}, pinentry.WithDesc(plain(question)), pinentry.WithPrompt(d.say.words(dialogPrompt)))
	return secret, err
}

func (d *dialog) confirm(ctx context.Context, about, question string) (bool, error) {
	yes := false
	err := d.ask(ctx, func(c *pinentry.Client) (err error) {
		yes, err = c.Confirm("")
		return err
	}, pinentry.WithDesc(about+"\n\n"+question), pinentry.WithOK(d.say.words(dialogYes)), pinentry.WithCancel(d.say.words(dialogNo)))
	if errors.Is(err, context.Canceled) && ctx.Err() == nil {
		return false, nil // no is an answer
	}
	return yes, err
}

func (d *dialog) wait(ctx context.Context, question string) error {
	err := d.ask(ctx, func(c *pinentry.Client) error {
		_, err := c.Confirm("--one-button")
		return err
	}, pinentry.WithDesc(question), pinentry.WithOK(d.say.words(dialogRead)))
	if errors.Is(err, context.Canceled) && ctx.Err() == nil {
		return nil // closing the window says so too
	}
	return err
}

// ask runs the program for one question. Whoever closes the window has said no: context.Canceled.
func (d *dialog) ask(ctx context.Context, question func(*pinentry.Client) error, options ...pinentry.ClientOption) error {
	options = append(options, pinentry.WithBinaryName(d.program), pinentry.WithProcess(&helper{ctx: ctx}), pinentry.WithTitle("Triện"))
	if name := os.Getenv("GPG_TTY"); name != "" {
		options = append(options, pinentry.WithOption(pinentry.OptionTTYName+"="+name))
	}
	c, err := pinentry.NewClient(options...)
	if err == nil {
		err = question(c)
		if closeErr := c.Close(); err == nil && ctx.Err() == nil {
			err = closeErr
		}
	}
	var code *pinentry.AssuanError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &code) && (code.Code == codeCancelled || code.Code == codeNotConfirmed || code.Code == codeTimeout):
		return context.Canceled
	}
	// The library's error may hold the line that it did not understand: a PIN, at worst.
	return wrapped(errors.New("pinentry failed"), textPinentry, d.program)
}

// helper is the running program: it ends when ctx does.
type helper struct {
	ctx context.Context // of the one question it serves
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (h *helper) Start(name string, args []string) (err error) {
	h.cmd = exec.CommandContext(h.ctx, name, args...)
	if h.in, err = h.cmd.StdinPipe(); err != nil {
		return fmt.Errorf("starting pinentry: %w", err)
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("starting pinentry: %w", err)
	}
	h.out = bufio.NewReaderSize(out, longest)
	return h.cmd.Start()
}

func (h *helper) Write(p []byte) (int, error) { return h.in.Write(p) }

// ReadLine refuses lines longer than the protocol has (1000 bytes).
func (h *helper) ReadLine() ([]byte, bool, error) {
	line, more, err := h.out.ReadLine()
	if err == nil && more {
		err = errors.New("line too long")
	}
	return line, more, err
}

func (h *helper) Close() error {
	_ = h.in.Close() // it has been told to go
	return h.cmd.Wait()
}
