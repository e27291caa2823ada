package certs

import (
	"cmp"
	"crypto/x509"
	"math/big"
	"slices"
	"time"
)

// ExpiryCode says how near the end of a certificate is. The values are stable: metrics, pages and alerts name them.
type ExpiryCode string

const (
	ExpiresIn90Days ExpiryCode = "certificate-expires-90"
	ExpiresIn30Days ExpiryCode = "certificate-expires-30"
	ExpiresIn7Days  ExpiryCode = "certificate-expires-7"
	Expired         ExpiryCode = "certificate-expired"
	NotYetValid     ExpiryCode = "certificate-not-yet-valid"
)

// ExpiryCodes are all codes, from the mildest, for metrics that show a zero where there is nothing to warn of.
func ExpiryCodes() []ExpiryCode {
	return []ExpiryCode{NotYetValid, ExpiresIn90Days, ExpiresIn30Days, ExpiresIn7Days, Expired}
}

// Dated is a certificate under a name by which those who watch over it know it, such as "seal" or "tsa".
type Dated struct {
	Name        string
	Certificate *x509.Certificate
	// NotAfter ends it earlier than the certificate itself, as an [Anchor]'s bound does. Zero: it does not.
	NotAfter time.Time
}

// ExpiryWarning says that a certificate ends soon, has ended, or has not begun.
type ExpiryWarning struct {
	Name     string
	Code     ExpiryCode
	Serial   *big.Int
	NotAfter time.Time
	Left     time.Duration // until NotAfter; negative: ended; for NotYetValid until it begins
}

// ExpiryWarnings are the warnings due at now, the nearest end first: 90, 30 and 7 days ahead, each day being 24 hours and each bound
// included; one warning for a certificate, the most urgent. Entries without a certificate are left out.
func ExpiryWarnings(list []Dated, now time.Time) []ExpiryWarning {
	var out []ExpiryWarning
	for _, d := range list {
		if d.Certificate == nil {
			continue
		}
		w := ExpiryWarning{Name: d.Name, Serial: d.Certificate.SerialNumber, NotAfter: d.Certificate.NotAfter}
		if !d.NotAfter.IsZero() && d.NotAfter.Before(w.NotAfter) {
			w.NotAfter = d.NotAfter
		}
		w.Left = w.NotAfter.Sub(now)
		if begins := d.Certificate.NotBefore.Sub(now); begins > 0 {
			w.Code, w.Left = NotYetValid, begins
		} else if w.Code = expiryCode(w.Left); w.Code == "" {
			continue
		}
		out = append(out, w)
	}
	slices.SortStableFunc(out, func(a, b ExpiryWarning) int {
		return cmp.Or(a.NotAfter.Compare(b.NotAfter), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func expiryCode(left time.Duration) ExpiryCode {
	const day = 24 * time.Hour
	switch {
	case left < 0:
		return Expired
	case left <= 7*day:
		return ExpiresIn7Days
	case left <= 30*day:
		return ExpiresIn30Days
	case left <= 90*day:
		return ExpiresIn90Days
	}
	return ""
}

// Dated lists the anchors for [ExpiryWarnings], each under the name "anchor" and the number of its certificate in hexadecimal, with the bound of
// its own.
func (a *Anchors) Dated() []Dated {
	var out []Dated
	for _, one := range a.List() {
		out = append(out, Dated{Name: "anchor " + one.Certificate.SerialNumber.Text(16), Certificate: one.Certificate, NotAfter: one.NotAfter})
	}
	return out
}
