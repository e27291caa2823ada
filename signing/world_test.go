package signing_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"golang.org/x/crypto/ocsp"

	"trien/signing"
	"trien/signing/pdf"
)

// holder has a certificate and its key.
type holder struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// world is an authority of which a test decides everything, faults too. Days count from its beginning.
type world struct {
	t                                       *testing.T
	start                                   time.Time
	serial                                  int64
	root, ca, responder, signer, tsa, later holder
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, start: time.Now().Truncate(time.Second)}
	w.root = w.issue("Root", holder{}, -1000, 4000, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign })
	w.ca = w.issue("CA", w.root, -900, 3900, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign })
	w.responder = w.issue("Responder", w.ca, -800, 3800, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} })
	w.signer = w.issue("Signer", w.ca, -30, 300, nil)
	w.tsa = w.issue("TSA", w.ca, -30, 200, stamps)
	w.later = w.issue("Later TSA", w.ca, -30, 3000, stamps)
	return w
}

func stamps(c *x509.Certificate) {
	value, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		panic(err)
	}
	c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: value}}
}

// at is a moment, in days from the beginning.
func (w *world) at(days float64) time.Time { return w.start.Add(time.Duration(days * float64(day))) }

// issue makes a certificate that is valid between two days. Without an issuer it is a root.
func (w *world) issue(name string, by holder, from, to float64, change func(c *x509.Certificate)) holder {
	w.t.Helper()
	h := holder{key: ecKey(w.t)}
	return w.issueFor(h, name, by, from, to, change)
}

func (w *world) issueFor(h holder, name string, by holder, from, to float64, change func(c *x509.Certificate)) holder {
	w.t.Helper()
	w.serial++
	c := &x509.Certificate{SerialNumber: big.NewInt(w.serial), Subject: pkix.Name{CommonName: name}, NotBefore: w.at(from), NotAfter: w.at(to),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true}
	if change != nil {
		change(c)
	}
	if by.cert == nil {
		by = holder{c, h.key}
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, by.cert, h.key.Public(), by.key)
	if err == nil {
		h.cert, err = x509.ParseCertificate(raw)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// answer is an OCSP answer about a certificate of the CA: good on a day, for a day.
func (w *world) answer(about holder, on float64, change func(r *ocsp.Response, by *holder, issuer *holder)) []byte {
	w.t.Helper()
	by, issuer := w.responder, w.ca
	r := ocsp.Response{Status: ocsp.Good, SerialNumber: about.cert.SerialNumber, ThisUpdate: w.at(on), NextUpdate: w.at(on + 1), Certificate: by.cert}
	if change != nil {
		change(&r, &by, &issuer)
	}
	raw, err := ocsp.CreateResponse(issuer.cert, by.cert, r, by.key)
	if err != nil {
		w.t.Fatal(err)
	}
	return raw
}

// revoked says that a certificate is since a day.
func (w *world) revoked(about holder, on, since float64, reason int) []byte {
	return w.answer(about, on, func(r *ocsp.Response, _, _ *holder) {
		r.Status, r.RevokedAt, r.RevocationReason = ocsp.Revoked, w.at(since), reason
	})
}

// crl is a list of an authority, made on a day for seven, that names certificates as revoked since a day.
func (w *world) crl(by holder, on, since float64, reason int, revoked ...holder) []byte {
	w.t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: w.at(on), NextUpdate: w.at(on + 7)}
	for _, h := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: h.cert.SerialNumber, RevocationTime: w.at(since), ReasonCode: reason})
	}
	raw, err := x509.CreateRevocationList(rand.Reader, l, by.cert, by.key)
	if err != nil {
		w.t.Fatal(err)
	}
	return raw
}

// token is a time-stamp by an authority over data, on a day.
func (w *world) token(tsa holder, on float64, digest []byte) []byte {
	w.t.Helper()
	s := timestamp.Timestamp{HashAlgorithm: crypto.SHA256, HashedMessage: digest, Time: w.at(on).UTC(), Policy: asn1.ObjectIdentifier{2, 999, 1}, AddTSACertificate: true}
	if tsa.cert.CheckSignatureFrom(w.ca.cert) == nil {
		s.Certificates = []*x509.Certificate{w.ca.cert}
	}
	raw, err := s.CreateResponseWithOpts(tsa.cert, tsa.key, crypto.SHA256)
	if err != nil {
		w.t.Fatal(err)
	}
	parsed, err := timestamp.ParseResponse(raw)
	if err != nil {
		w.t.Fatal(err)
	}
	return parsed.RawToken
}

// signed is base signed by somebody; with a TSA it has a time-stamp of the day.
func (w *world) signed(base []byte, by holder, tsa holder, on float64) []byte {
	w.t.Helper()
	return (&lab{}).signBy(w.t, base, handmade{name: fmt.Sprintf("Sig%d", len(base)), cms: func(digest []byte) []byte {
		p := signing.CMSParts{Digest: digest, Algorithm: signing.ECDSASHA256, Key: by.key, Signer: by.cert, Chain: []*x509.Certificate{w.ca.cert}}
		if _, ok := by.key.(*rsa.PrivateKey); ok {
			p.Algorithm = signing.RSASHA256
		}
		if tsa.cert != nil {
			p.Token = func(signature []byte) []byte { return w.token(tsa, on, digestOf(signature)) }
		}
		return signing.BuildCMS(w.t, p)
	}})
}

// stamped has a document time-stamp of the day.
func (w *world) stamped(base []byte, tsa holder, on float64) []byte {
	w.t.Helper()
	return (&lab{}).signBy(w.t, base, handmade{
		name: fmt.Sprintf("Stamp%d", len(base)), dict: pdf.Dict{"Type": pdf.Name("DocTimeStamp"), "SubFilter": pdf.Name("ETSI.RFC3161")},
		cms: func(digest []byte) []byte { return w.token(tsa, on, digest) },
	})
}

// stored has statements in a security store.
func (w *world) stored(base []byte, statements ...[]byte) []byte {
	w.t.Helper()
	d, err := pdf.Open(bytes.NewReader(base), int64(len(base)))
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := pdf.NewUpdate(d)
	if err != nil {
		w.t.Fatal(err)
	}
	c := catalog(w.t, d)
	old := get[pdf.Dict](w.t, d, c["DSS"])
	dss := old.Clone()
	ocsps, crls := get[pdf.Array](w.t, d, old["OCSPs"]).Clone(), get[pdf.Array](w.t, d, old["CRLs"]).Clone()
	for _, s := range statements {
		ref := u.Add(&pdf.NewStream{Dict: pdf.Dict{}, Data: s})
		if _, err := x509.ParseRevocationList(s); err == nil {
			crls = append(crls, ref)
		} else {
			ocsps = append(ocsps, ref)
		}
	}
	dss["OCSPs"], dss["CRLs"] = ocsps, crls
	c["DSS"] = dss
	u.Set(d.Root(), c)
	tail, err := u.Tail()
	if err != nil {
		w.t.Fatal(err)
	}
	return append(base[:len(base):len(base)], tail.Bytes...)
}

// good says on a day that nothing is wrong: with the CA, and with those named.
func (w *world) good(on float64, about ...holder) [][]byte {
	out := [][]byte{w.crl(w.root, on, 0, 0)}
	for _, h := range about {
		out = append(out, w.answer(h, on, nil))
	}
	return out
}
