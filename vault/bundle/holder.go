package bundle

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
)

// holder is who a certificate was issued to.
type holder int

const (
	holderUnknown holder = iota
	holderPerson
	holderOrganisation
)

var (
	oidQCStatements = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3} // RFC 3739
	oidQCType       = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6}       // EN 319 412-5 §4.2.3
	oidTypeESign    = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6, 1}
	oidTypeESeal    = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6, 2}

	oidCommonName     = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidOrganisation   = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidOrganisationID = asn1.ObjectIdentifier{2, 5, 4, 97}
	oidUserID         = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	personAttributes  = []asn1.ObjectIdentifier{
		{2, 5, 4, 4}, {2, 5, 4, 42}, {2, 5, 4, 65}, // surname, given name, pseudonym
		{2, 5, 4, 12}, {2, 5, 4, 5}, // title (post), serial number
	}
)

// holderOf tells a seal from a person's certificate. In this order: the type that the issuer states (QcType of EN 319 412-5:
// esign, eseal); the user id as Vietnamese issuers write it (MST:, MNS: of organisations, CCCD:, CMND:, HC: of persons); attributes that
// only an organisation or only a person has (EN 319 412-2, -3); a common name that is the organisation's own.
func holderOf(c *x509.Certificate) holder {
	if c == nil {
		return holderUnknown
	}
	if h := statedHolder(c); h != holderUnknown {
		return h
	}
	var commonName string
	var organisations []string
	byUserID, byAttribute := holderUnknown, holderUnknown
	for _, a := range c.Subject.Names {
		value, ok := a.Value.(string)
		if !ok {
			continue
		}
		switch {
		case a.Type.Equal(oidUserID):
			byUserID = userIDHolder(value)
		case a.Type.Equal(oidOrganisationID):
			byAttribute = holderOrganisation
		case slices.ContainsFunc(personAttributes, a.Type.Equal) && byAttribute == holderUnknown:
			byAttribute = holderPerson
		case a.Type.Equal(oidCommonName):
			commonName = printed(value)
		case a.Type.Equal(oidOrganisation):
			organisations = append(organisations, printed(value))
		}
	}
	switch {
	case byUserID != holderUnknown:
		return byUserID
	case byAttribute != holderUnknown:
		return byAttribute
	case commonName != "" && slices.Contains(organisations, commonName):
		return holderOrganisation
	}
	return holderUnknown
}

func userIDHolder(id string) holder {
	prefix, _, _ := strings.Cut(strings.ToUpper(id), ":")
	switch strings.TrimSpace(prefix) {
	case "MST", "MNS", "MDV":
		return holderOrganisation
	case "CCCD", "CMND", "CC", "HC":
		return holderPerson
	}
	return holderUnknown
}

// statedHolder reads the QcType statement; a certificate that states both types states nothing.
func statedHolder(c *x509.Certificate) holder {
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidQCStatements) {
			continue
		}
		var statements []asn1.RawValue
		if rest, err := asn1.Unmarshal(e.Value, &statements); err != nil || len(rest) > 0 {
			return holderUnknown
		}
		for _, s := range statements {
			var statement struct {
				ID   asn1.ObjectIdentifier
				Info asn1.RawValue `asn1:"optional"`
			}
			if _, err := asn1.Unmarshal(s.FullBytes, &statement); err != nil || !statement.ID.Equal(oidQCType) {
				continue
			}
			var types []asn1.ObjectIdentifier
			if _, err := asn1.Unmarshal(statement.Info.FullBytes, &types); err != nil {
				return holderUnknown
			}
			sign, seal := slices.ContainsFunc(types, oidTypeESign.Equal), slices.ContainsFunc(types, oidTypeESeal.Equal)
			switch {
			case seal && !sign:
				return holderOrganisation
			case sign && !seal:
				return holderPerson
			}
		}
	}
	return holderUnknown
}

// sameKey reports whether two certificates are of one key.
func sameKey(a, b *x509.Certificate) bool {
	return a != nil && b != nil && bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo)
}
