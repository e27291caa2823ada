package token

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/miekg/pkcs11"
)

// What PKCS#11 v3.0 added for Edwards curves; the library is of v2.40.
const (
	mechEdwardsKeys = 0x1055 // CKM_EC_EDWARDS_KEY_PAIR_GEN
	mechEdDSA       = 0x1057 // CKM_EDDSA
	keyEdwards      = 0x40   // CKK_EC_EDWARDS
)

// curveEd25519 is the DER of the curve's object identifier, 1.3.101.112.
var curveEd25519 = []byte{0x06, 0x03, 0x2b, 0x65, 0x70}

// edSigner signs whole messages: Ed25519 knows no digests.
type edSigner struct {
	token  *Token
	handle pkcs11.ObjectHandle
	public ed25519.PublicKey
}

// Public returns the ed25519.PublicKey.
func (s *edSigner) Public() crypto.PublicKey { return s.public }

// Sign signs a message. Errors wrap ErrNoToken, ErrNoKey or ErrFailed, the last also if opts name a digest.
func (s *edSigner) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != 0 {
		return nil, fmt.Errorf("signing: %w: Ed25519 signs messages, not digests", ErrFailed)
	}
	var sig []byte
	err := s.token.session(0, func(p *pkcs11.Ctx, session pkcs11.SessionHandle) error {
		if err := p.SignInit(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechEdDSA, nil)}, s.handle); err != nil {
			return classify("signing", err)
		}
		var err error
		sig, err = p.Sign(session, message)
		return classify("signing", err)
	})
	return sig, err
}

// session runs f in a session of its own. The login is the application's, so it holds there too.
func (t *Token) session(flags uint, f func(p *pkcs11.Ctx, session pkcs11.SessionHandle) error) error {
	return t.use(func(l *login) error {
		session, err := l.raw.OpenSession(l.slot, pkcs11.CKF_SERIAL_SESSION|flags)
		if err != nil {
			return classify("opening session", err)
		}
		return errors.Join(f(l.raw, session), classify("closing session", l.raw.CloseSession(session)))
	})
}

// Ed25519 returns the Ed25519 key of the label given. Errors wrap ErrNoKey or ErrFailed.
func (t *Token) Ed25519(label string) (crypto.Signer, error) {
	s := &edSigner{token: t}
	err := t.session(0, func(p *pkcs11.Ctx, session pkcs11.SessionHandle) error {
		private, err := findEdwards(p, session, pkcs11.CKO_PRIVATE_KEY, label)
		if err != nil {
			return err
		}
		public, err := findEdwards(p, session, pkcs11.CKO_PUBLIC_KEY, label)
		if err != nil {
			return err
		}
		s.handle = private
		s.public, err = edwardsPoint(p, session, public)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func findEdwards(p *pkcs11.Ctx, session pkcs11.SessionHandle, class uint, label string) (pkcs11.ObjectHandle, error) {
	handles, err := listEdwards(p, session, class, label)
	if err != nil {
		return 0, err
	}
	if len(handles) != 1 {
		return 0, fmt.Errorf("looking for the key: %w: %d Ed25519 keys have label %q", ErrNoKey, len(handles), label)
	}
	return handles[0], nil
}

// listEdwards finds up to two keys of a class and label.
func listEdwards(p *pkcs11.Ctx, session pkcs11.SessionHandle, class uint, label string) ([]pkcs11.ObjectHandle, error) {
	if label == "" {
		return nil, fmt.Errorf("looking for the key: %w: no label given", ErrNoKey)
	}
	err := p.FindObjectsInit(session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, keyEdwards), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
	})
	if err != nil {
		return nil, classify("looking for the key", err)
	}
	handles, _, err := p.FindObjects(session, 2)
	if err = errors.Join(err, p.FindObjectsFinal(session)); err != nil {
		return nil, classify("looking for the key", err)
	}
	return handles, nil
}

// edwardsPoint reads a public key: 32 bytes, which most modules put into an octet string.
func edwardsPoint(p *pkcs11.Ctx, session pkcs11.SessionHandle, key pkcs11.ObjectHandle) (ed25519.PublicKey, error) {
	values, err := p.GetAttributeValue(session, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, nil)})
	if err != nil {
		return nil, classify("reading public key", err)
	}
	point := values[0].Value
	if len(point) == 2+ed25519.PublicKeySize && point[0] == 0x04 && point[1] == ed25519.PublicKeySize {
		point = point[2:]
	}
	if len(point) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("reading public key: %w: it has %d bytes", ErrFailed, len(point))
	}
	return point, nil
}

// GenerateEd25519 makes an Ed25519 key inside the token, for signing. The private key is sensitive and cannot be taken out. Errors
// wrap ErrKeyExists, also if the label has half a key or several, or ErrFailed.
func (t *Token) GenerateEd25519(label string) (crypto.Signer, error) {
	err := t.session(0, func(p *pkcs11.Ctx, session pkcs11.SessionHandle) error {
		for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY} {
			handles, err := listEdwards(p, session, class, label)
			if err == nil && len(handles) > 0 {
				err = fmt.Errorf("generating key: %w: %q", ErrKeyExists, label)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, classify("drawing key id", err)
	}
	both := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label), pkcs11.NewAttribute(pkcs11.CKA_ID, id),
	}
	public := append([]*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true), pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, curveEd25519),
	}, both...)
	private := append([]*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_SIGN, true), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
	}, both...)
	err = t.session(pkcs11.CKF_RW_SESSION, func(p *pkcs11.Ctx, session pkcs11.SessionHandle) error {
		_, _, err := p.GenerateKeyPair(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechEdwardsKeys, nil)}, public, private)
		return classify("generating key", err)
	})
	if err != nil {
		return nil, err
	}
	return t.Ed25519(label)
}
