package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trien/signing"
	"trien/signing/token"
	"trien/vault/bundle"
)

// What a person learns from the exit code once an envelope was opened.
var (
	errNotGenuine = errors.New("what was inside is not genuine")
	errUndecided  = errors.New("nobody can say whether what was inside is genuine")
)

// openEnvelope opens an envelope with the key on a token and judges what was inside, since an envelope proves nothing: what fails is kept nowhere.
func (a *agent) openEnvelope(ctx context.Context) error {
	if err := a.checkOpenOptions(); err != nil {
		return err
	}
	f, err := os.Open(a.file)
	if err != nil {
		return wrapped(err, textEnvelopeFile, a.file)
	}
	defer f.Close()
	recipients, err := signing.Recipients(f)
	if err != nil {
		return envelopeTrouble(err)
	}
	trust, err := a.trust(ctx)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return wrapped(err, textEnvelopeFile, a.file)
	}
	content, err := a.unseal(ctx, f, recipients)
	if err != nil {
		return envelopeTrouble(err)
	}
	content = &stoppable{ctx, content}
	if a.view {
		return a.viewOpened(ctx, content, trust)
	}
	return a.saveOpened(ctx, content, trust)
}

func (a *agent) checkOpenOptions() error {
	if err := a.recall(); err != nil {
		return err
	}
	switch {
	case a.file == "":
		return usage(textNeedFile)
	case len(a.modules) == 0:
		return usage(textNeed, "module")
	case a.pinFile != "" && a.pinStdin:
		return usage(textNotBoth, "pin-file", "pin-stdin")
	case a.view && a.to != "":
		return usage(textNotBoth, "out", "view")
	case a.view:
		_, err := a.asker()
		if errors.Is(err, errNobody) {
			return usage(textNoTerminal, "out")
		}
		return err
	case a.to == "":
		return usage(textNeed, "out")
	}
	if isFolder(a.to) {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(a.file), ".p7m"), ".pdf")
		a.to = filepath.Join(a.to, name+".pdf")
	}
	if _, err := os.Lstat(a.to); err == nil && !a.force {
		return refusal(textExists, a.to) // before a PIN is asked; keep looks again
	}
	return nil
}

// unseal asks a token for the content key. The token is not needed for what follows.
func (a *agent) unseal(ctx context.Context, envelope io.Reader, recipients []signing.Recipient) (content io.Reader, err error) {
	want, err := a.addressee(recipients)
	if err != nil {
		return nil, err
	}
	if want == nil {
		fmt.Fprintln(a.err, a.say.words(showNoneAddressed, serials(recipients)))
	}
	t, err := a.openToken(ctx, want)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	identities, err := t.Identities()
	if err != nil {
		return nil, err
	}
	for _, i := range identities {
		if i.Decrypter != nil && addressed(recipients, i.Certificate) {
			return signing.OpenEnclosed(envelope, i.Certificate, i.Decrypter)
		}
	}
	return nil, refusal(textNotForToken, plain(t.Info().Label), serials(recipients))
}

// addressee is the certificate of a recipient among those that the tokens show without a PIN; nil if they show none.
func (a *agent) addressee(recipients []signing.Recipient) (*x509.Certificate, error) {
	fit, _, err := a.places()
	if err != nil {
		return nil, err
	}
	for _, p := range fit {
		shown, err := token.Certificates(p.module, p.Info)
		if errors.Is(err, token.ErrNoToken) {
			continue // pulled out just now
		}
		if err != nil {
			return nil, err
		}
		for _, c := range shown {
			if addressed(recipients, c) {
				return c, nil
			}
		}
	}
	return nil, nil
}

func addressed(recipients []signing.Recipient, c *x509.Certificate) bool {
	return slices.ContainsFunc(recipients, func(r signing.Recipient) bool { return r.Names(c) })
}

// serials lists for whom an envelope is, as certificates are shown.
func serials(recipients []signing.Recipient) string {
	var out []string
	for _, r := range recipients {
		out = append(out, r.String())
	}
	return strings.Join(out, ", ")
}

// saveOpened leaves what was inside at the path given, only if it did not fail.
func (a *agent) saveOpened(ctx context.Context, content io.Reader, trust bundle.Trust) error {
	file, err := newUnnamed(a.to)
	if err != nil {
		return wrapped(err, textSave)
	}
	defer file.discard()
	outcome := a.receive(ctx, file.File, content, trust)
	if outcome != nil && !errors.Is(outcome, errUndecided) {
		return outcome
	}
	switch err := file.keep(a.force); {
	case errors.Is(err, os.ErrExist):
		return refusal(textExists, a.to)
	case err != nil:
		return wrapped(err, textSave)
	}
	fmt.Fprintln(a.out, a.say.words(showOpened, a.to))
	return outcome
}

// viewOpened shows what was inside from memory until the person has read it: it is written to no disk.
func (a *agent) viewOpened(ctx context.Context, content io.Reader, trust bundle.Trust) error {
	place, err := newReading()
	if err != nil {
		return err
	}
	defer place.close()
	file, err := os.OpenFile(place.path(), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return wrapped(err, textSave)
	}
	defer file.Close()
	outcome := a.receive(ctx, file, content, trust)
	if outcome != nil && !errors.Is(outcome, errUndecided) {
		return outcome
	}
	who, err := a.asker()
	if err != nil {
		return err
	}
	if err := place.open(ctx, a.viewer); err != nil {
		return err
	}
	if err := who.wait(ctx, a.say.words(askRead)); err != nil {
		return err
	}
	return outcome
}

// receive writes what was inside to file, judges it and says the verdict. Errors wrap errNotGenuine or errUndecided if it did not pass.
func (a *agent) receive(ctx context.Context, file *os.File, content io.Reader, trust bundle.Trust) error {
	size, err := io.CopyBuffer(file, content, make([]byte, 1<<20))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, signing.ErrEnclosed):
		return envelopeTrouble(err)
	case err != nil:
		return wrapped(err, textSave)
	}
	verdict, err := bundle.Verify(ctx, file, size, trust)
	if err != nil {
		return fmt.Errorf("judging what was inside: %w", err)
	}
	if err := verdict.WriteText(a.out, string(a.say)); err != nil {
		return fmt.Errorf("saying the verdict: %w", err)
	}
	// Nobody encloses anything but a PDF: another thing is what a changed envelope opens to.
	other := slices.ContainsFunc(verdict.Findings, func(f bundle.Finding) bool { return f.Code == "not_a_pdf" })
	switch {
	case verdict.Outcome == bundle.Failed || other:
		return wrapped(errNotGenuine, textNotGenuine)
	case verdict.Outcome != bundle.Passed:
		return wrapped(errUndecided, textUndecided)
	}
	return nil
}

// envelopeTrouble gives the errors of an envelope their words.
func envelopeTrouble(err error) error {
	switch {
	case errors.Is(err, signing.ErrUnsupported):
		return wrapped(err, textEnvelopeKind, plain(err.Error()))
	case errors.Is(err, signing.ErrEnclosed):
		return wrapped(err, textEnvelope)
	}
	return err
}

// stoppable ends a long reading when ctx ends.
type stoppable struct {
	ctx context.Context // of the one command it serves
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
