package signing

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"trien/signing/pdf"
)

// Bounds on the security store of a stranger's document.
const (
	maxStored     = 256
	maxStoredSize = 20 << 20
	maxStoredAll  = 64 << 20
)

// readMaterial reads the document security store (EN 319 142-1 §5.4.2). Its VRI dictionaries name what is in the store again and are left alone.
// Entries that cannot be read or do not parse are skipped: what is missing will be missed.
func readMaterial(doc *pdf.Document) (*material, error) {
	m := &material{stored: map[[32]byte]bool{}}
	catalog, err := doc.Catalog()
	if err != nil {
		return nil, err
	}
	dss, err := pdf.Get[pdf.Dict](doc, catalog["DSS"])
	if err != nil {
		return nil, err
	}
	left := int64(maxStoredAll)
	for _, kind := range []struct {
		key pdf.Name
		add func(b []byte)
	}{
		{"Certs", m.addStored},
		{"OCSPs", func(b []byte) { m.evidence.AddOCSP(b) }},
		{"CRLs", m.addCRL},
	} {
		list, err := pdf.Get[pdf.Array](doc, dss[kind.key])
		if err != nil {
			return nil, err
		}
		if len(list) > maxStored {
			return nil, fmt.Errorf("%w: more than %d entries in the security store", pdf.ErrUnsupported, maxStored)
		}
		for _, o := range list {
			b, err := readStored(doc, o, min(left, maxStoredSize))
			if isContent(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			left -= int64(len(b))
			kind.add(b)
		}
	}
	return m, nil
}

func readStored(doc *pdf.Document, o pdf.Object, limit int64) ([]byte, error) {
	s, err := pdf.Get[*pdf.Stream](doc, o)
	if err != nil || s == nil {
		return nil, err
	}
	r, err := s.Decoded(limit)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

func (m *material) addStored(b []byte) {
	c, err := x509.ParseCertificate(b)
	if err != nil {
		return
	}
	m.stored[sha256.Sum256(b)] = true
	m.addCertificates([]*x509.Certificate{c})
}

// addCertificates keeps issuers, each once.
func (m *material) addCertificates(list []*x509.Certificate) {
	for _, c := range list {
		if c.IsCA && len(m.certificates) < maxCertificates && !slices.ContainsFunc(m.certificates, c.Equal) {
			m.certificates = append(m.certificates, c)
		}
	}
}

func (m *material) addCRL(b []byte) {
	// One that does not parse proves nothing.
	_, _ = m.evidence.AddCRL(b)
}

// addSignature takes what a CMS carries, in its own sets and in Adobe's signed attribute (RevocationInfoArchival, ISO 32000-1, 12.8.3.3.2).
func (m *material) addSignature(s *signedData) {
	m.addCertificates(s.certificates)
	for _, l := range s.crls {
		m.addCRL(l)
	}
	value, ok := single(s.attributes, oidAdobeRevInfo)
	if !ok || value == nil {
		return
	}
	in := cryptobyte.String(value)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, der.SEQUENCE) {
		return
	}
	for _, kind := range []struct {
		tag uint8
		add func(b []byte)
	}{{0, m.addCRL}, {1, func(b []byte) { m.evidence.AddOCSP(b) }}} {
		var wrapped, list cryptobyte.String
		var present bool
		if !seq.ReadOptionalASN1(&wrapped, &present, tagged(kind.tag)) || !present || !wrapped.ReadASN1(&list, der.SEQUENCE) {
			continue
		}
		for !list.Empty() {
			var e cryptobyte.String
			if !list.ReadASN1Element(&e, der.SEQUENCE) {
				break
			}
			kind.add(e)
		}
	}
}
