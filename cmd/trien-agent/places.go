package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"trien/signing/token"
)

// place is a token that is plugged in, and the module that drives it.
type place struct {
	module string
	token.Info
}

// moduleList is an option that may be given several times: officials of two authorities have two drivers.
type moduleList []string

func (m *moduleList) String() string { return strings.Join(*m, " ") }

func (m *moduleList) Set(path string) error {
	*m = append(*m, path)
	return nil
}

// places lists the tokens of all modules that the options admit, and how many there are besides.
func (a *agent) places() (fit, all []place, err error) {
	if len(a.modules) == 0 {
		return nil, nil, usage(textNeed, "module")
	}
	for _, module := range a.modules {
		infos, err := token.List(module)
		if err != nil {
			return nil, nil, err
		}
		for _, i := range infos {
			all = append(all, place{module, i})
			if (a.token == "" || i.Label == a.token) && (a.serial == "" || i.Serial == a.serial) {
				fit = append(fit, place{module, i})
			}
		}
	}
	return fit, all, nil
}

// findToken returns the token to use: the one that the options name, or the one that carries the certificate wanted (nil: any); a person
// is asked where that leaves several. Otherwise it tells which there are.
func (a *agent) findToken(ctx context.Context, want *x509.Certificate) (place, error) {
	fit, all, err := a.places()
	if err != nil {
		return place{}, err
	}
	if len(fit) > 1 && want != nil {
		carry, err := carrying(fit, want)
		if err != nil {
			return place{}, err
		}
		if len(carry) > 0 {
			fit = carry
		}
	}
	if len(fit) == 1 {
		return fit[0], nil
	}
	if len(fit) > 1 && a.tty.attended {
		return a.whichToken(ctx, fit)
	}
	if len(all) == 0 {
		fmt.Fprintln(a.err, a.say.words(showNoTokens))
	} else {
		fmt.Fprintln(a.err, a.say.words(showTokens))
	}
	for _, i := range all {
		fmt.Fprintf(a.err, "  --token %q --serial %q\n", plain(i.Label), plain(i.Serial))
	}
	if len(fit) > 1 {
		return place{}, wrapped(token.ErrNoToken, textManyTokens)
	}
	return place{}, token.ErrNoToken
}

// carrying picks those that show the certificate without a PIN.
func carrying(list []place, want *x509.Certificate) ([]place, error) {
	var out []place
	for _, p := range list {
		shown, err := token.Certificates(p.module, p.Info)
		if errors.Is(err, token.ErrNoToken) {
			continue // pulled out just now
		}
		if err != nil {
			return nil, err
		}
		for _, c := range shown {
			if c.Equal(want) {
				out = append(out, p)
				break
			}
		}
	}
	return out, nil
}

// whichToken asks, showing what each token is for.
func (a *agent) whichToken(ctx context.Context, list []place) (place, error) {
	for n, p := range list {
		fmt.Fprintf(a.err, "%3d  %s (%s)%s\n", n+1, plain(p.Label), plain(p.Serial), a.holders(p))
	}
	answer, err := a.tty.line(ctx, a.say.words(askToken))
	if err != nil {
		return place{}, err
	}
	n, err := strconv.Atoi(answer)
	if err != nil || n < 1 || n > len(list) {
		return place{}, refusal(textNumber, plain(answer))
	}
	return list[n-1], nil
}

// holders names whom the certificates on a token, those that can sign, are for.
func (a *agent) holders(p place) string {
	list, err := token.Certificates(p.module, p.Info)
	if err != nil {
		return "" // shown without; the choice is still the person's
	}
	var b strings.Builder
	for _, c := range list {
		if c.IsCA || c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
			continue
		}
		fmt.Fprintf(&b, ": %s, %s %s, %s", plain(c.Subject.CommonName), a.say.words(showIssuedBy), plain(c.Issuer.CommonName), a.validity(c))
	}
	return b.String()
}

// How long a person has to plug a token in again, and how often it is looked for.
const (
	plugWait = 2 * time.Minute
	plugLook = time.Second
)

// pulled says that a token which worked before is there no more: modules have many words for it.
func pulled(err error) bool {
	return errors.Is(err, token.ErrNoToken) || errors.Is(err, token.ErrFailed) || errors.Is(err, token.ErrNoKey)
}

// cameBack closes a token that was pulled out, and waits until one with the certificate is plugged in. The PIN is asked again then.
func (r *round) cameBack(ctx context.Context, want *x509.Certificate) bool {
	_ = r.opened.Close() // it has failed already
	r.opened = nil
	fmt.Fprintln(r.err, r.say.words(showPulled))
	until := time.NewTimer(plugWait)
	defer until.Stop()
	look := time.NewTicker(plugLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-until.C:
			return false
		case <-look.C:
		}
		fit, _, err := r.places()
		if err != nil {
			continue // a module may fail while its token is gone
		}
		if carry, err := carrying(fit, want); err == nil && len(carry) > 0 {
			return true
		}
	}
}
