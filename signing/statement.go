package signing

import (
	"crypto"
	"encoding/asn1"
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Statement is what a signer says beside the signature, in signed attributes of EN 319 122-1. The zero value says nothing. Nothing in it is
// proven by anybody but the signer.
type Statement struct {
	Commitment Commitment   `json:"commitment,omitempty"`
	Roles      []string     `json:"roles,omitempty"`  // claimed, for example the post
	Policy     *Policy      `json:"policy,omitempty"` // makes the signature an EPES one
	Hint       *ContentHint `json:"hint,omitempty"`   // of detached signatures only: PDF signatures must not have it
}

// Commitment is what a signature is meant to be (§5.2.3).
type Commitment string

// The commitments of EN 319 122-1 annex D.
const (
	ProofOfOrigin   Commitment = "proof-of-origin"
	ProofOfReceipt  Commitment = "proof-of-receipt"
	ProofOfDelivery Commitment = "proof-of-delivery"
	ProofOfSender   Commitment = "proof-of-sender"
	ProofOfApproval Commitment = "proof-of-approval"
	ProofOfCreation Commitment = "proof-of-creation"
)

// Policy names a signature policy and the digest of its text (§5.2.9.1).
type Policy struct {
	OID    asn1.ObjectIdentifier `json:"oid"`
	Hash   crypto.Hash           `json:"hash"`
	Digest []byte                `json:"digest"`
	URI    string                `json:"uri,omitempty"` // where the text is
}

// ContentHint says what the signed content is (§5.2.4.3; RFC 2634 §2.9).
type ContentHint struct {
	Description string                `json:"description,omitempty"`
	Type        asn1.ObjectIdentifier `json:"type"`
}

var (
	oidCommitment    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 16}
	oidSignerAttrsV2 = asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 1}
	oidPolicyID      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 15}
	oidPolicyURI     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 5, 1}
	oidContentHint   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 4}
	oidTitle         = asn1.ObjectIdentifier{2, 5, 4, 12}

	commitments = map[Commitment]asn1.ObjectIdentifier{
		ProofOfOrigin:   {1, 2, 840, 113549, 1, 9, 16, 6, 1},
		ProofOfReceipt:  {1, 2, 840, 113549, 1, 9, 16, 6, 2},
		ProofOfDelivery: {1, 2, 840, 113549, 1, 9, 16, 6, 3},
		ProofOfSender:   {1, 2, 840, 113549, 1, 9, 16, 6, 4},
		ProofOfApproval: {1, 2, 840, 113549, 1, 9, 16, 6, 5},
		ProofOfCreation: {1, 2, 840, 113549, 1, 9, 16, 6, 6},
	}
)

// Bounds that keep a signature within its reserve.
const (
	maxRoles      = 8
	maxStatedText = 300 // bytes of one role, description or address
)

// check refuses what cannot be written. Errors wrap ErrUnsupported.
func (s Statement) check() error {
	if _, ok := commitments[s.Commitment]; !ok && s.Commitment != "" {
		return fmt.Errorf("%w: no commitment %q", ErrUnsupported, s.Commitment)
	}
	if len(s.Roles) > maxRoles {
		return fmt.Errorf("%w: more than %d claimed roles", ErrUnsupported, maxRoles)
	}
	texts := s.Roles
	if p := s.Policy; p != nil {
		if len(p.OID) < 2 || digestOID(p.Hash) == nil || len(p.Digest) != p.Hash.Size() {
			return fmt.Errorf("%w: signature policy without identifier or digest", ErrUnsupported)
		}
		texts = append(texts[:len(texts):len(texts)], p.URI)
	}
	if s.Hint != nil {
		if len(s.Hint.Type) < 2 {
			return fmt.Errorf("%w: content hint without a type", ErrUnsupported)
		}
		texts = append(texts[:len(texts):len(texts)], s.Hint.Description)
	}
	for _, t := range texts {
		if len(t) > maxStatedText || !utf8.ValidString(t) {
			return fmt.Errorf("%w: text of %d bytes in a signed attribute", ErrUnsupported, len(t))
		}
	}
	return nil
}

// attributes returns what is to be signed. Errors wrap ErrUnsupported.
func (s Statement) attributes() ([]attributeValue, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	var list []attributeValue
	if s.Commitment != "" {
		list = append(list, attributeValue{oidCommitment, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(commitments[s.Commitment]) })
		}})
	}
	if len(s.Roles) > 0 {
		list = append(list, attributeValue{oidSignerAttrsV2, s.addRoles})
	}
	if s.Policy != nil {
		list = append(list, attributeValue{oidPolicyID, s.Policy.add})
	}
	if s.Hint != nil {
		list = append(list, attributeValue{oidContentHint, s.Hint.add})
	}
	return list, nil
}

// addRoles writes SignerAttributeV2 with claimed attributes: each role a title (X.520).
func (s Statement) addRoles(b *cryptobyte.Builder) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tagged(0), func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, role := range s.Roles {
					b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oidTitle)
						b.AddASN1(der.SET, func(b *cryptobyte.Builder) { addUTF8(b, role) })
					})
				}
			})
		})
	})
}

// add writes SignaturePolicyId.
func (p *Policy) add(b *cryptobyte.Builder) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(p.OID)
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			addDigest(b, p.Hash)
			b.AddASN1OctetString(p.Digest)
		})
		if p.URI == "" {
			return
		}
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidPolicyURI)
				b.AddASN1(der.IA5String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(p.URI)) })
			})
		})
	})
}

// add writes ContentHints.
func (h *ContentHint) add(b *cryptobyte.Builder) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		if h.Description != "" {
			addUTF8(b, h.Description)
		}
		b.AddASN1ObjectIdentifier(h.Type)
	})
}

func addUTF8(b *cryptobyte.Builder, text string) {
	b.AddASN1(der.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
}
