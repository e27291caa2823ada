package signing

import (
	"encoding/asn1"
	"fmt"
	"slices"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSignerAttrs   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 18} // of TS 101 733, before version 2
	oidProtection    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}
	understoodSigned = []asn1.ObjectIdentifier{
		oidContentType, oidMessageDigest, oidSigningTime, oidESSv1, oidESSv2, oidAdobeRevInfo, oidCommitment, oidSignerAttrs, oidSignerAttrsV2, oidPolicyID,
		oidContentHint, oidProtection,
		{1, 2, 840, 113549, 1, 9, 15},        // S/MIME capabilities: of mail
		{1, 2, 840, 113549, 1, 9, 16, 2, 17}, // signer location
	}
)

// stated reads what the signer says in signed attributes, and remarks on what of it nobody judged. What cannot be read is told, and forbids a strict pass.
func stated(attrs []attribute, remark func(fatal bool, code, text string)) Statement {
	var s Statement
	for n, a := range attrs {
		if !slices.ContainsFunc(understoodSigned, a.oid.Equal) {
			remark(false, "attribute-unknown", fmt.Sprintf("signed attribute %s is not understood", a.oid))
			continue
		}
		read := map[string]func(cryptobyte.String) (string, bool){
			oidCommitment.String(): s.readCommitment, oidSignerAttrsV2.String(): s.readRoles, oidSignerAttrs.String(): s.readRoles,
			oidPolicyID.String(): s.readPolicy, oidContentHint.String(): s.readHint,
		}[a.oid.String()]
		if read == nil {
			continue
		}
		if len(a.values) != 1 || slices.ContainsFunc(attrs[:n], func(b attribute) bool { return b.oid.Equal(a.oid) }) {
			remark(true, "attribute-repeated", fmt.Sprintf("signed attribute %s has not one value", a.oid))
			continue
		}
		note, ok := read(a.values[0])
		switch {
		case !ok:
			remark(true, "attribute-malformed", fmt.Sprintf("signed attribute %s cannot be read", a.oid))
		case note != "":
			remark(false, "attribute-not-judged", note)
		}
	}
	return s
}

// readCommitment reads CommitmentTypeIndication (EN 319 122-1 §5.2.3). One that has no name here is told by its identifier.
func (s *Statement) readCommitment(in cryptobyte.String) (note string, ok bool) {
	var seq cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&seq, der.SEQUENCE) || !in.Empty() || !seq.ReadASN1ObjectIdentifier(&oid) {
		return "", false
	}
	s.Commitment = Commitment(oid.String())
	for name, known := range commitments {
		if oid.Equal(known) {
			s.Commitment = name
		}
	}
	if _, known := commitments[s.Commitment]; !known {
		note = fmt.Sprintf("commitment %s is not known", oid)
	}
	if !seq.Empty() {
		note = "the commitment has qualifications that are not judged"
	}
	return note, true
}

// readRoles reads the claimed part of SignerAttributeV2 (§5.2.6.1) or of its forerunner: the texts of all attributes.
func (s *Statement) readRoles(in cryptobyte.String) (note string, ok bool) {
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, der.SEQUENCE) || !in.Empty() {
		return "", false
	}
	for !seq.Empty() {
		var part, list cryptobyte.String
		var tag der.Tag
		if !seq.ReadAnyASN1(&part, &tag) {
			return "", false
		}
		if tag != tagged(0) {
			note = "roles that somebody certified are not judged"
			continue
		}
		if !part.ReadASN1(&list, der.SEQUENCE) || !part.Empty() {
			return "", false
		}
		attrs, ok := readAttributes(list)
		if !ok {
			return "", false
		}
		for _, a := range attrs {
			for _, v := range a.values {
				text, ok := readText(v)
				if !ok || len(s.Roles) == maxRoles {
					note = "a claimed role is left out"
					continue
				}
				s.Roles = append(s.Roles, text)
			}
		}
	}
	return note, true
}

// readText reads a DirectoryString of the kinds that are in use.
func readText(v []byte) (string, bool) {
	in := cryptobyte.String(v)
	var text cryptobyte.String
	var tag der.Tag
	if !in.ReadAnyASN1(&text, &tag) || !in.Empty() || len(text) > maxStatedText || !utf8.Valid(text) {
		return "", false
	}
	switch tag {
	case der.UTF8String, der.PrintableString, der.IA5String:
		return string(text), true
	}
	return "", false
}

// readPolicy reads SignaturePolicy (§5.2.9.1). No policy's rules are judged here.
func (s *Statement) readPolicy(in cryptobyte.String) (note string, ok bool) {
	const unjudged = "the rules of the signature policy are not judged"
	if in.PeekASN1Tag(der.NULL) { // implied by something else
		return unjudged, true
	}
	p := new(Policy)
	var seq, hash, qualifiers cryptobyte.String
	if !in.ReadASN1(&seq, der.SEQUENCE) || !in.Empty() || !seq.ReadASN1ObjectIdentifier(&p.OID) {
		return "", false
	}
	s.Policy = p
	if seq.Empty() {
		return unjudged, true
	}
	if !seq.ReadASN1(&hash, der.SEQUENCE) {
		return "", false
	}
	a, ok := readAlgorithm(&hash)
	if !ok || !hash.ReadASN1Bytes(&p.Digest, der.OCTET_STRING) || !hash.Empty() {
		return "", false
	}
	if h, err := a.digest(); err == nil {
		p.Hash = h // else zero: one that is not accepted here
	}
	if !seq.Empty() && (!seq.ReadASN1(&qualifiers, der.SEQUENCE) || !seq.Empty()) {
		return "", false
	}
	for !qualifiers.Empty() {
		var q, uri cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !qualifiers.ReadASN1(&q, der.SEQUENCE) || !q.ReadASN1ObjectIdentifier(&oid) {
			return "", false
		}
		if oid.Equal(oidPolicyURI) && q.ReadASN1(&uri, der.IA5String) && len(uri) <= maxStatedText && utf8.Valid(uri) {
			p.URI = string(uri)
		}
	}
	return unjudged, true
}

// readHint reads ContentHints.
func (s *Statement) readHint(in cryptobyte.String) (note string, ok bool) {
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, der.SEQUENCE) || !in.Empty() {
		return "", false
	}
	h := new(ContentHint)
	if seq.PeekASN1Tag(der.UTF8String) {
		var text cryptobyte.String
		if !seq.ReadASN1(&text, der.UTF8String) || len(text) > maxStatedText || !utf8.Valid(text) {
			return "", false
		}
		h.Description = string(text)
	}
	if !seq.ReadASN1ObjectIdentifier(&h.Type) || !seq.Empty() {
		return "", false
	}
	s.Hint = h
	return "", true
}

// checkProtection compares the algorithms with those that the signer protected (RFC 6211), if it did.
func (s *signedData) checkProtection() error {
	value, ok := single(s.attributes, oidProtection)
	if ok && value == nil {
		return nil
	}
	in := cryptobyte.String(value)
	var seq, alg cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !ok || !in.ReadASN1(&seq, der.SEQUENCE) || !in.Empty() {
		return failed(subFormat, "algorithm protection is not well formed")
	}
	digest, ok := readAlgorithm(&seq)
	if !ok || !seq.ReadASN1(&alg, tagged(1)) || !seq.Empty() || !alg.ReadASN1ObjectIdentifier(&oid) {
		return failed(subFormat, "algorithm protection is not well formed")
	}
	if !digest.oid.Equal(s.digest.oid) || !oid.Equal(s.algorithm.oid) {
		return failed(subCrypto, "the algorithms are not those that the signer used")
	}
	return nil
}
