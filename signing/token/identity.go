package token

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"

	"github.com/miekg/pkcs11"
)

// maxObjects bounds how many certificates a token may list.
const maxObjects = 256

// Identity is a key pair with the certificate beside it on the token.
type Identity struct {
	Label       string
	Certificate *x509.Certificate
	Chain       []*x509.Certificate // further certificates found on the token that continue the chain
	Signer      crypto.Signer       // the key never leaves the token
	Decrypter   crypto.Decrypter    // opens envelopes; nil if the key does not
}

// object is a certificate as the token stores it.
type object struct {
	id    []byte
	label string
	cert  *x509.Certificate
}

// Identities lists keys that have a certificate, in the token's order. Certificates without a key, or with another key than the one
// stored under their id, are left out. Errors wrap ErrNoToken or ErrFailed.
func (t *Token) Identities() ([]Identity, error) {
	var out []Identity
	err := t.use(func(l *login) error {
		objects, err := l.certificates()
		if err != nil {
			return err
		}
		for _, o := range objects {
			if len(o.id) == 0 {
				continue
			}
			pairs, err := l.ctx.FindKeyPairs(o.id, nil)
			if err != nil {
				return classify("looking for keys", err)
			}
			for _, p := range pairs {
				if !samePublic(p.Public(), o.cert.PublicKey) {
					continue
				}
				opens, err := l.decrypter(t, p)
				if err != nil {
					return err
				}
				out = append(out, Identity{
					Label: o.label, Certificate: o.cert, Chain: continuation(o.cert, objects), Signer: &signer{token: t, key: p}, Decrypter: opens,
				})
				break
			}
		}
		return nil
	})
	return out, err
}

// Find returns the identity whose certificate is cert. Errors wrap ErrNoKey if it is not there.
func (t *Token) Find(cert *x509.Certificate) (Identity, error) {
	all, err := t.Identities()
	if err != nil {
		return Identity{}, err
	}
	for _, i := range all {
		if i.Certificate.Equal(cert) {
			return i, nil
		}
	}
	return Identity{}, fmt.Errorf("looking for certificate %x: %w", cert.SerialNumber, ErrNoKey)
}

// certificates reads all X.509 certificates of the token.
func (l *login) certificates() ([]object, error) { return certificatesOn(l.raw, l.slot) }

// certificatesOn reads all X.509 certificates of a token that it shows. What does not parse is left out: tokens carry all sorts of things.
func certificatesOn(p *pkcs11.Ctx, slot uint) (out []object, err error) {
	session, err := p.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		return nil, classify("opening session", err)
	}
	defer func() {
		if closeErr := p.CloseSession(session); closeErr != nil && err == nil {
			err = classify("closing session", closeErr)
		}
	}()
	template := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE),
		pkcs11.NewAttribute(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509),
	}
	if err := p.FindObjectsInit(session, template); err != nil {
		return nil, classify("listing certificates", err)
	}
	handles, _, err := p.FindObjects(session, maxObjects)
	if finErr := p.FindObjectsFinal(session); err == nil {
		err = finErr
	}
	if err != nil {
		return nil, classify("listing certificates", err)
	}
	for _, h := range handles {
		values, err := p.GetAttributeValue(session, h, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil), pkcs11.NewAttribute(pkcs11.CKA_ID, nil), pkcs11.NewAttribute(pkcs11.CKA_LABEL, nil),
		})
		if err != nil {
			return nil, classify("reading certificate", err)
		}
		cert, err := x509.ParseCertificate(values[0].Value)
		if err != nil {
			continue
		}
		out = append(out, object{id: values[1].Value, label: string(values[2].Value), cert: cert})
	}
	return out, nil
}

// continuation follows issuers among the token's certificates, up to but without a self-signed one.
func continuation(leaf *x509.Certificate, objects []object) []*x509.Certificate {
	var chain []*x509.Certificate
	for at := leaf; len(chain) < 8; {
		var next *x509.Certificate
		for _, o := range objects {
			if bytes.Equal(o.cert.RawSubject, at.RawIssuer) && !bytes.Equal(o.cert.RawSubject, o.cert.RawIssuer) &&
				at.CheckSignatureFrom(o.cert) == nil {
				next = o.cert
				break
			}
		}
		if next == nil {
			break
		}
		chain = append(chain, next)
		at = next
	}
	return chain
}

func samePublic(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}
