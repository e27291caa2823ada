package devpki

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"
)

var oidDeltaCRL = asn1.ObjectIdentifier{2, 5, 29, 27}

// list makes the root's or the issuing CA's CRL, or the delta list of the latter. A list's number is the time, which grows. The delta list says
// everything that was ever said, so it builds upon any complete list.
func (a *Authority) list(path string, f ListFaults) ([]byte, error) {
	by := a.id
	if f.WrongIssuer {
		var err error
		if by, err = a.stranger(); err != nil {
			return nil, err
		}
	}
	signer := by.issuer
	if path == pathRootCRL {
		signer = by.root
	}
	now := a.now().Add(f.Shift).UTC().Truncate(time.Second)
	t := &x509.RevocationList{Number: big.NewInt(now.Unix()), ThisUpdate: now, NextUpdate: now.Add(crlValid)}
	if path == pathDelta {
		base, err := asn1.Marshal(1)
		if err != nil {
			return nil, fmt.Errorf("making delta CRL: %w", err)
		}
		t.NextUpdate = now.Add(deltaValid)
		t.ExtraExtensions = []pkix.Extension{{Id: oidDeltaCRL, Critical: true, Value: base}}
	}
	if err := a.addEntries(t, path, now, f.Padding); err != nil {
		return nil, err
	}
	crl, err := x509.CreateRevocationList(rand.Reader, t, signer.cert, lowS{signer.key})
	if err != nil {
		return nil, fmt.Errorf("making CRL: %w", err)
	}
	return crl, nil
}

func (a *Authority) addEntries(t *x509.RevocationList, path string, now time.Time, padding int) error {
	all, err := a.store.revocations()
	if err != nil {
		return err
	}
	for i := range padding {
		// Numbers issued here have 16 bytes: these belong to nobody.
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: big.NewInt(int64(i) + 1<<40), RevocationTime: now, ReasonCode: Superseded,
		})
	}
	issuer := serialText(a.id.issuer.cert.SerialNumber)
	for _, serial := range slices.Sorted(maps.Keys(all)) {
		said := all[serial].at(now, path == pathDelta)
		if (serial == issuer) != (path == pathRootCRL) || said == nil {
			continue
		}
		n, ok := new(big.Int).SetString(serial, 16)
		if !ok {
			return fmt.Errorf("%w: revoked serial number", ErrState)
		}
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: said.at, ReasonCode: said.reason})
	}
	return nil
}
