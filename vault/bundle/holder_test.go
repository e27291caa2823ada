package bundle

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

func TestHolderOf(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	attribute := func(oid asn1.ObjectIdentifier, value string) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: oid, Value: value}
	}
	cn := func(s string) pkix.AttributeTypeAndValue { return attribute(oidCommonName, s) }
	org := func(s string) pkix.AttributeTypeAndValue { return attribute(oidOrganisation, s) }
	uid := func(s string) pkix.AttributeTypeAndValue { return attribute(oidUserID, s) }
	title := attribute(asn1.ObjectIdentifier{2, 5, 4, 12}, "Phó Trưởng ban")
	qc := func(types ...asn1.ObjectIdentifier) []byte {
		type statement struct {
			ID   asn1.ObjectIdentifier
			Info []asn1.ObjectIdentifier
		}
		b, err := asn1.Marshal([]statement{{oidQCType, types}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	tests := []struct {
		name    string
		subject []pkix.AttributeTypeAndValue
		qc      []byte
		want    holder
	}{
		{"stated seal", []pkix.AttributeTypeAndValue{cn("Nguyễn A"), title}, qc(oidTypeESeal), holderOrganisation},
		{"stated person", []pkix.AttributeTypeAndValue{cn("Ban A"), org("Ban A")}, qc(oidTypeESign), holderPerson},
		{"stated both", []pkix.AttributeTypeAndValue{cn("Ban A"), org("Ban A")}, qc(oidTypeESign, oidTypeESeal), holderOrganisation},
		{"statement damaged", []pkix.AttributeTypeAndValue{cn("Ban A"), org("Ban A")}, []byte{0x30, 5, 1}, holderOrganisation},
		{"tax number", []pkix.AttributeTypeAndValue{cn("Ban A"), uid("MST:0100000000")}, nil, holderOrganisation},
		{"identity card", []pkix.AttributeTypeAndValue{cn("Ban A"), org("Ban A"), uid("CCCD:001085000001")}, nil, holderPerson},
		{"organisation identifier", []pkix.AttributeTypeAndValue{attribute(oidOrganisationID, "VATVN-0100000000"), cn("A")}, nil, holderOrganisation},
		{"post", []pkix.AttributeTypeAndValue{cn("Ban A"), org("Ban A"), title}, nil, holderPerson},
		{"own name", []pkix.AttributeTypeAndValue{cn("Ban A"), org("Mark"), org("Ban A")}, nil, holderOrganisation},
		{"bare name", []pkix.AttributeTypeAndValue{cn("Nguyễn A"), org("Ban A")}, nil, holderUnknown},
	}
	for _, test := range tests {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0), Subject: pkix.Name{ExtraNames: test.subject},
		}
		if test.qc != nil {
			template.ExtraExtensions = []pkix.Extension{{Id: oidQCStatements, Value: test.qc}}
		}
		raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := holderOf(c); got != test.want {
			t.Errorf("%s: holder %d, want %d", test.name, got, test.want)
		}
	}
	if holderOf(nil) != holderUnknown {
		t.Error("no certificate has a holder")
	}
}
