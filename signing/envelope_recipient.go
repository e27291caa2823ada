package signing

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Recipient is for whom an envelope is: it names a certificate by its issuer and serial number, or by its subject key identifier (RFC 5652 §6.2.1).
type Recipient struct {
	issuer []byte   // DER; nil if named by keyID
	serial *big.Int // nil if named by keyID
	keyID  []byte
	how    algorithm
	sealed []byte // the content key
}

// Recipients reads from the head of an envelope for which certificates it is, of those that receive by RSA; the others are left out. It reads no further than the
// head (a third of a MiB at most), and asks no key.
//
// Errors wrap ErrEnclosed (not well formed), ErrUnsupported (BER with indefinite lengths, other algorithms, nobody who receives by RSA: one with an EC
// certificate), or are the reader's.
func Recipients(r io.Reader) ([]Recipient, error) {
	d := &derReader{r: bufio.NewReader(r)}
	e, err := d.envelope()
	if err != nil {
		return nil, fmt.Errorf("reading recipients: %w", err)
	}
	list, err := parseRecipients(e.recipients)
	if err != nil {
		return nil, fmt.Errorf("reading recipients: %w", err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("reading recipients: %w: none of them receives by RSA", ErrUnsupported)
	}
	return list, nil
}

// Names says whether c is the recipient's certificate.
func (r Recipient) Names(c *x509.Certificate) bool {
	if r.serial == nil {
		return len(r.keyID) > 0 && bytes.Equal(r.keyID, c.SubjectKeyId)
	}
	return bytes.Equal(r.issuer, c.RawIssuer) && r.serial.Cmp(c.SerialNumber) == 0
}

// String is the serial number or the key identifier in hex, as certificates are shown.
func (r Recipient) String() string {
	if r.serial == nil {
		return fmt.Sprintf("%x", r.keyID)
	}
	return fmt.Sprintf("%x", r.serial)
}

// parseRecipients reads those of RecipientInfos to whom the content key was transported (KeyTransRecipientInfo).
func parseRecipients(in cryptobyte.String) ([]Recipient, error) {
	bad := fmt.Errorf("%w: its recipients are not well formed", ErrEnclosed)
	var out []Recipient
	for n := 0; !in.Empty(); n++ {
		var info cryptobyte.String
		var tag der.Tag
		if n == maxRecipients || !in.ReadAnyASN1(&info, &tag) {
			return nil, bad
		}
		if tag != der.SEQUENCE {
			continue // other ways to agree on a key
		}
		r, ok := parseIdentifier(&info)
		how, ok2 := readAlgorithm(&info)
		if !ok || !ok2 || !info.ReadASN1Bytes(&r.sealed, der.OCTET_STRING) || !info.Empty() {
			return nil, bad
		}
		r.how = how
		out = append(out, r)
	}
	return out, nil
}

// parseIdentifier reads version and recipient identifier.
func parseIdentifier(info *cryptobyte.String) (r Recipient, ok bool) {
	var version int
	if !info.ReadASN1Integer(&version) || version != 0 && version != 2 {
		return r, false
	}
	if version == 2 {
		return r, info.ReadASN1Bytes(&r.keyID, der.Tag(0).ContextSpecific())
	}
	var id, issuer cryptobyte.String
	r.serial = new(big.Int)
	ok = info.ReadASN1(&id, der.SEQUENCE) && id.ReadASN1Element(&issuer, der.SEQUENCE) && id.ReadASN1Integer(r.serial) && id.Empty()
	r.issuer = issuer
	return r, ok
}

// findRecipient returns the encrypted content key for cert: the first recipient that names it and takes keys by RSAES-PKCS1-v1_5.
func findRecipient(in cryptobyte.String, cert *x509.Certificate) ([]byte, error) {
	list, err := parseRecipients(in)
	if err != nil {
		return nil, err
	}
	other := false
	for _, r := range list {
		switch {
		case !r.Names(cert):
		case r.how.oid.Equal(oidRSA) && r.how.absentOrNull():
			return r.sealed, nil
		default:
			other = true
		}
	}
	if other {
		return nil, fmt.Errorf("%w: the content key was not encrypted by RSAES-PKCS1-v1_5", ErrUnsupported)
	}
	return nil, fmt.Errorf("%w: it is for other recipients", ErrRecipient)
}
