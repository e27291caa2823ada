package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"text/tabwriter"

	"trien/signing/token"
)

// pinTries is how often a person at a terminal is asked; tokens lock after about five.
const pinTries = 3

// openToken asks the PIN and logs in. A last try is spent only by a person who was warned.
func (a *agent) openToken(ctx context.Context, want *x509.Certificate) (*token.Token, error) {
	for try := 1; ; try++ {
		info, err := a.findToken(ctx, want)
		if err != nil {
			return nil, err
		}
		pin, err := a.pin(ctx, info.Info)
		if err != nil {
			return nil, err
		}
		t, err := token.Open(token.Config{Module: info.module, Label: info.Label, Serial: info.Serial, PIN: pin})
		if err == nil {
			return t, nil
		}
		if _, nobody := a.pinAsker(); !errors.Is(err, token.ErrPIN) || nobody != nil || try == pinTries {
			return nil, err
		}
		fmt.Fprintln(a.err, a.say.words(showWrongPIN))
	}
}

// pinAsker is who types the PIN; errNobody if an option says where it stands.
func (a *agent) pinAsker() (person, error) {
	if a.pinFile != "" || a.pinStdin {
		return nil, errNobody
	}
	return a.asker()
}

func (a *agent) pin(ctx context.Context, info token.Info) (string, error) {
	who, nobody := a.pinAsker()
	if nobody != nil && !errors.Is(nobody, errNobody) {
		return "", nobody
	}
	question := a.say.words(askPIN, plain(info.Label))
	switch {
	case info.PINLocked:
		return "", token.ErrPINLocked
	case info.LastTry && who == nil:
		return "", wrapped(token.ErrPIN, textLastTry)
	case info.LastTry:
		if yes, err := who.confirm(ctx, question, a.say.words(askLastTry)); err != nil || !yes {
			return "", errors.Join(context.Canceled, err)
		}
	case info.FewTries:
		fmt.Fprintln(a.err, a.say.words(showFew))
		question = a.say.words(showFew) + "\n" + question
	}
	switch {
	case info.PINPad:
		return "", nil // the reader asks it itself
	case a.pinFile != "":
		return secretFile(a.pinFile)
	case a.pinStdin:
		pin, err := firstLine(a.in)
		if err != nil {
			return "", fmt.Errorf("reading the PIN: %w", err)
		}
		return pin, nil
	case who == nil:
		return "", usage(textNoTerminal, "pin-file")
	case who == person(a.tty):
		question = a.say.words(askPIN, plain(info.Label)) // the warning stands above
	}
	return who.secret(ctx, question)
}

// certificates shows the identities on the token, so that an administrator can register the right one.
func (a *agent) certificates(ctx context.Context) error {
	if a.pinFile != "" && a.pinStdin {
		return usage(textNotBoth, "pin-file", "pin-stdin")
	}
	if err := a.recall(); err != nil {
		return err
	}
	t, err := a.openToken(ctx, nil)
	if err != nil {
		return err
	}
	identities, err := t.Identities()
	if err := errors.Join(err, t.Close()); err != nil {
		return err
	}
	fmt.Fprintln(a.out, a.say.words(showKeyOf, plain(t.Info().Label), plain(t.Info().Serial)))
	if len(identities) == 0 {
		fmt.Fprintln(a.out, a.say.words(showNoKeys))
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, a.say.words(showHead))
	for _, i := range identities {
		c := i.Certificate
		sum := sha256.Sum256(c.Raw)
		fmt.Fprintf(w, "%s\t%s\t%s\t%x\t%s\t%s\n", plain(i.Label), plain(c.Subject.CommonName), plain(c.Issuer.CommonName), c.SerialNumber, a.validity(c),
			spaced(hex.EncodeToString(sum[:])))
	}
	_ = w.Flush() // to the person's terminal
	if a.pem {
		for _, i := range identities {
			if err := pem.Encode(a.out, &pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate.Raw}); err != nil {
				return fmt.Errorf("writing a certificate: %w", err)
			}
		}
	}
	return nil
}

func (a *agent) validity(c *x509.Certificate) string {
	text := phrase{"%s – %s", "%s – %s"}
	if now := a.now(); now.After(c.NotAfter) {
		text = showExpired
	} else if now.Before(c.NotBefore) {
		text = showFuture
	}
	return a.say.words(text, day(c.NotBefore), day(c.NotAfter))
}
