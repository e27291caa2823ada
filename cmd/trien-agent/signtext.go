package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"trien/certs"
	"trien/signing"
	"trien/signing/token"
)

// maxText bounds a text to be signed in bytes: a person is to read it whole.
const maxText = 64 << 10

// signText signs a text, an approval, correction or request, with a key on a token: a detached CAdES signature (B-B) beside it. The person is shown the whole
// text; one that cannot be shown as it is, is not signed.
func (a *agent) signText(ctx context.Context) error {
	if err := a.checkSignTextOptions(); err != nil {
		return err
	}
	text, err := a.readText()
	if err != nil {
		return err
	}
	var issuers []*x509.Certificate
	if a.chain != "" {
		pem, err := readTrusted(a.chain)
		if err == nil {
			issuers, err = certs.ParseCertificates(pem)
		}
		if err != nil {
			return wrapped(err, textTrustBad, plain(err.Error()))
		}
	}
	if yes, err := a.agreedText(ctx, text); err != nil {
		return err
	} else if !yes {
		fmt.Fprintln(a.out, a.say.words(showSkipped))
		return nil
	}
	cms, err := a.signatureOfText(ctx, text, issuers)
	if err != nil {
		return err
	}
	return a.keepSignature(cms)
}

func (a *agent) checkSignTextOptions() error {
	if err := a.recall(); err != nil {
		return err
	}
	switch {
	case a.file == "":
		return usage(textNeedText)
	case len(a.modules) == 0:
		return usage(textNeed, "module")
	case a.pinFile != "" && a.pinStdin:
		return usage(textNotBoth, "pin-file", "pin-stdin")
	case a.to == "":
		a.to = a.file + ".p7s"
	}
	if _, err := os.Lstat(a.to); err == nil && !a.force {
		return refusal(textExists, a.to) // before a PIN is asked; keep looks again
	}
	if a.yes {
		return nil
	}
	_, err := a.asker()
	if errors.Is(err, errNobody) || a.pinStdin {
		return usage(textNoTerminal, "yes")
	}
	return err
}

// readText reads a text that a person can be shown as it is.
func (a *agent) readText() ([]byte, error) {
	f, err := os.Open(a.file)
	if err != nil {
		return nil, wrapped(err, textEnvelopeFile, a.file)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err != nil {
		return nil, wrapped(err, textEnvelopeFile, a.file)
	}
	visible := strings.NewReplacer("\r\n", "", "\n", "", "\t", "").Replace(string(text))
	if len(text) == 0 || len(text) > maxText || plain(visible) != visible {
		return nil, refusal(textNotShown, maxText>>10)
	}
	return text, nil
}

// agreedText shows the text and asks.
func (a *agent) agreedText(ctx context.Context, text []byte) (bool, error) {
	sum := sha256.Sum256(text)
	about := fmt.Sprintf("%s\n\nSHA-256: %s", strings.TrimRight(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), spaced(hex.EncodeToString(sum[:])))
	fmt.Fprintln(a.out, about)
	if a.yes {
		return true, nil
	}
	who, err := a.asker()
	if err != nil {
		return false, err
	}
	return who.confirm(ctx, about, a.say.words(askSign))
}

// signatureOfText lets a key on the token sign attributes that are built here.
func (a *agent) signatureOfText(ctx context.Context, text []byte, issuers []*x509.Certificate) (cms []byte, err error) {
	t, err := a.openToken(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	by, err := a.identity(ctx, t)
	if err != nil {
		return nil, err
	}
	said := signing.Statement{Hint: signing.TextHint("text/plain; charset=utf-8")}
	if a.role != "" {
		said.Roles = []string{a.role}
	}
	p, err := signing.PrepareText(text, signing.TextRequest{Certificate: by.Certificate, Statement: said, Time: a.now()})
	if err != nil {
		return nil, err
	}
	attributes, err := p.Attributes()
	if err != nil {
		return nil, err
	}
	value, err := signing.SignAttributes(by.Signer, p.Algorithm, attributes)
	if err != nil {
		return nil, err
	}
	return p.Complete(ctx, text, append(by.Chain, issuers...), value, nil)
}

// identity is the key to sign a text with: the only one whose certificate can sign now, or the one that the person chooses.
func (a *agent) identity(ctx context.Context, t *token.Token) (token.Identity, error) {
	all, err := t.Identities()
	if err != nil {
		return token.Identity{}, err
	}
	var fit []token.Identity
	now := a.now()
	for _, i := range all {
		c := i.Certificate
		if certs.CheckUsage(c, certs.SignDocuments) == nil && !now.Before(c.NotBefore) && !now.After(c.NotAfter) {
			fit = append(fit, i)
		}
	}
	switch {
	case len(fit) == 0:
		return token.Identity{}, refusal(textNoSigner, plain(t.Info().Label))
	case len(fit) == 1:
		return fit[0], nil
	case !a.tty.attended:
		return token.Identity{}, refusal(textManySigners, plain(t.Info().Label))
	}
	for n, i := range fit {
		fmt.Fprintf(a.err, "%3d  %s, %s %s (%x)\n", n+1, plain(i.Certificate.Subject.CommonName), a.say.words(showIssuedBy),
			plain(i.Certificate.Issuer.CommonName), i.Certificate.SerialNumber)
	}
	answer, err := a.tty.line(ctx, a.say.words(askCertificate))
	if err != nil {
		return token.Identity{}, err
	}
	n, err := strconv.Atoi(answer)
	if err != nil || n < 1 || n > len(fit) {
		return token.Identity{}, refusal(textNumber, plain(answer))
	}
	return fit[n-1], nil
}

func (a *agent) keepSignature(cms []byte) error {
	file, err := newUnnamed(a.to)
	if err != nil {
		return wrapped(err, textSave)
	}
	defer file.discard()
	if _, err := file.Write(cms); err != nil {
		return wrapped(err, textSave)
	}
	switch err := file.keep(a.force); {
	case errors.Is(err, os.ErrExist):
		return refusal(textExists, a.to)
	case err != nil:
		return wrapped(err, textSave)
	}
	fmt.Fprintln(a.out, a.say.words(showTextSigned, a.to))
	return nil
}
