package token

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"github.com/ThalesGroup/crypto11"
	"github.com/miekg/pkcs11"
)

// signer turns the module's errors into kinds and refuses to use a closed token.
type signer struct {
	token *Token
	key   crypto11.Signer
}

// Public returns the *rsa.PublicKey or *ecdsa.PublicKey.
func (s *signer) Public() crypto.PublicKey { return s.key.Public() }

// Sign signs a digest: RSA PKCS#1 v1.5 (or PSS, as opts say), or ECDSA in DER. Errors wrap ErrNoToken, ErrNoKey or ErrFailed.
func (s *signer) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	var sig []byte
	err := s.token.use(func(*login) error {
		var err error
		sig, err = s.key.Sign(random, digest, opts)
		return classify("signing", err)
	})
	return sig, err
}

// decrypter opens what was encrypted to an RSA key of the token.
type decrypter struct {
	token *Token
	key   crypto11.SignerDecrypter
}

// Public returns the *rsa.PublicKey.
func (d *decrypter) Public() crypto.PublicKey { return d.key.Public() }

// Decrypt undoes RSAES-PKCS1-v1_5. opts must be *[rsa.PKCS1v15DecryptOptions] with a SessionKeyLen: what is not well formed, or has another length,
// becomes a random key of that length without an error, so that nobody learns from an answer what was wrong with a question (RFC 3218 §2.3).
// Errors wrap ErrNoToken, ErrNoKey or ErrFailed.
func (d *decrypter) Decrypt(_ io.Reader, sealed []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	o, ok := opts.(*rsa.PKCS1v15DecryptOptions) //nolint:staticcheck // what tokens do
	if !ok || o.SessionKeyLen <= 0 {
		return nil, fmt.Errorf("decrypting: %w: only content keys of a known length", ErrFailed)
	}
	out := make([]byte, o.SessionKeyLen)
	if _, err := rand.Read(out); err != nil {
		return nil, classify("drawing content key", err)
	}
	err := d.token.use(func(*login) error {
		found, err := d.key.Decrypt(nil, sealed, nil)
		if err != nil && !badCiphertext(err) {
			return classify("decrypting", err)
		}
		right := subtle.ConstantTimeEq(int32(len(found)), int32(len(out)))
		if len(found) < len(out) {
			found = append(found, make([]byte, len(out)-len(found))...)
		}
		subtle.ConstantTimeCopy(right, out, found[:len(out)])
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// badCiphertext says whether the module complains about what was encrypted, in the ways that modules have.
func badCiphertext(err error) bool {
	var code pkcs11.Error
	if !errors.As(err, &code) {
		return false
	}
	switch code {
	case pkcs11.CKR_ENCRYPTED_DATA_INVALID, pkcs11.CKR_ENCRYPTED_DATA_LEN_RANGE, pkcs11.CKR_DATA_INVALID, pkcs11.CKR_DATA_LEN_RANGE,
		pkcs11.CKR_GENERAL_ERROR, pkcs11.CKR_FUNCTION_FAILED:
		return true
	}
	return false
}

// decrypter returns what opens envelopes with the key; nil if it is no RSA key or may not decrypt.
func (l *login) decrypter(t *Token, key crypto11.Signer) (crypto.Decrypter, error) {
	k, ok := key.(crypto11.SignerDecrypter)
	if !ok {
		return nil, nil
	}
	if _, ok := k.Public().(*rsa.PublicKey); !ok {
		return nil, nil
	}
	may, err := l.ctx.GetAttribute(key, crypto11.CkaDecrypt)
	if err != nil {
		return nil, classify("reading the key's uses", err)
	}
	if may == nil || len(may.Value) != 1 || may.Value[0] == 0 {
		return nil, nil
	}
	return &decrypter{token: t, key: k}, nil
}

// Key returns the key of the label given, whether or not a certificate is beside it. Errors wrap ErrNoKey.
func (t *Token) Key(label string) (crypto.Signer, error) {
	var out crypto.Signer
	err := t.use(func(l *login) error {
		key, err := l.pair(label)
		out = &signer{token: t, key: key}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (l *login) pair(label string) (crypto11.Signer, error) {
	if label == "" {
		return nil, fmt.Errorf("looking for the key: %w: no label given", ErrNoKey)
	}
	pairs, err := l.ctx.FindKeyPairs(nil, []byte(label))
	if err != nil {
		return nil, classify("looking for the key", err)
	}
	switch len(pairs) {
	case 1:
		return pairs[0], nil
	case 0:
		return nil, fmt.Errorf("looking for the key: %w: none has label %q", ErrNoKey, label)
	default:
		return nil, fmt.Errorf("looking for the key: %w: %d have label %q", ErrNoKey, len(pairs), label)
	}
}

// Generate makes a key pair inside the token, for signing only: "rsa2048", "rsa3072", "p256" or "p384"; or for opening envelopes only, when what is returned
// serves for its public key: "rsa2048-encrypt" or "rsa3072-encrypt". The private key is sensitive and cannot be taken out. Errors wrap ErrKeyExists or ErrFailed.
func (t *Token) Generate(label, algorithm string) (crypto.Signer, error) {
	var out crypto.Signer
	err := t.use(func(l *login) error {
		if label == "" {
			return fmt.Errorf("generating key: %w: no label given", ErrFailed)
		}
		if pairs, err := l.ctx.FindKeyPairs(nil, []byte(label)); err != nil {
			return classify("looking for the key", err)
		} else if len(pairs) > 0 {
			return fmt.Errorf("generating key: %w: %q", ErrKeyExists, label)
		}
		key, err := l.generate(label, algorithm)
		out = &signer{token: t, key: key}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (l *login) generate(label, algorithm string) (crypto11.Signer, error) {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, classify("drawing key id", err)
	}
	public, err := crypto11.NewAttributeSetWithIDAndLabel(id, []byte(label))
	if err != nil {
		return nil, classify("generating key", err)
	}
	private := public.Copy()
	rsaKey := func(bits int, signs bool) (crypto11.Signer, error) {
		// A key that people sign with opens no envelopes.
		err := errors.Join(
			public.Set(crypto11.CkaVerify, signs), private.Set(crypto11.CkaSign, signs),
			public.Set(crypto11.CkaEncrypt, !signs), private.Set(crypto11.CkaDecrypt, !signs))
		if err != nil {
			return nil, err
		}
		return l.ctx.GenerateRSAKeyPairWithAttributes(public, private, bits)
	}
	var key crypto11.Signer
	switch algorithm {
	case "rsa2048":
		key, err = rsaKey(2048, true)
	case "rsa3072":
		key, err = rsaKey(3072, true)
	case "rsa2048-encrypt":
		key, err = rsaKey(2048, false)
	case "rsa3072-encrypt":
		key, err = rsaKey(3072, false)
	case "p256":
		key, err = l.ctx.GenerateECDSAKeyPairWithAttributes(public, private, elliptic.P256())
	case "p384":
		key, err = l.ctx.GenerateECDSAKeyPairWithAttributes(public, private, elliptic.P384())
	default:
		return nil, fmt.Errorf("generating key: %w: algorithm %q is none of rsa2048, rsa3072, p256, p384, rsa2048-encrypt, rsa3072-encrypt", ErrFailed, algorithm)
	}
	if err != nil {
		return nil, classify("generating key", err)
	}
	return key, nil
}

// Import stores cert beside the key of that label. A certificate that is there already is not stored twice. Errors wrap ErrNoKey (also if
// the certificate is for another key) or ErrFailed.
func (t *Token) Import(label string, cert *x509.Certificate) error {
	return t.use(func(l *login) error {
		key, err := l.pair(label)
		if err != nil {
			return err
		}
		if !samePublic(key.Public(), cert.PublicKey) {
			return fmt.Errorf("importing certificate %x: %w: it is for another key than %q", cert.SerialNumber, ErrNoKey, label)
		}
		id, err := l.ctx.GetAttribute(key, crypto11.CkaId)
		if err != nil {
			return classify("reading key id", err)
		}
		return l.store(id.Value, label, cert)
	})
}

// ImportIssuer stores a certificate that continues the chain of others. Errors wrap ErrFailed.
func (t *Token) ImportIssuer(label string, cert *x509.Certificate) error {
	return t.use(func(l *login) error { return l.store(cert.SubjectKeyId, label, cert) })
}

func (l *login) store(id []byte, label string, cert *x509.Certificate) error {
	objects, err := l.certificates()
	if err != nil {
		return err
	}
	for _, o := range objects {
		if o.cert.Equal(cert) {
			return nil
		}
	}
	if len(id) == 0 {
		return fmt.Errorf("importing certificate %x: %w: no id to store it under", cert.SerialNumber, ErrFailed)
	}
	return classify("importing certificate", l.ctx.ImportCertificateWithLabel(id, []byte(label), cert))
}
