package devpki_test

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"testing"

	"trien/certs/devpki"
)

// TestHolderTypes finds the type of holder where EN 319 412-5 puts it.
func TestHolderTypes(t *testing.T) {
	a, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	qcStatements, qcType := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}, asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6}
	for name, tt := range map[string]struct {
		issue func(devpki.Subject, crypto.PublicKey) (*x509.Certificate, error)
		want  int
	}{
		"person": {a.IssuePerson, 1}, "seal": {a.IssueSeal, 2},
	} {
		cert, err := tt.issue(devpki.Subject{CommonName: "X"}, key(t).Public())
		if err != nil {
			t.Fatal(err)
		}
		var got []struct {
			ID   asn1.ObjectIdentifier
			Info []asn1.ObjectIdentifier
		}
		for _, e := range cert.Extensions {
			if e.Id.Equal(qcStatements) {
				if rest, err := asn1.Unmarshal(e.Value, &got); err != nil || len(rest) > 0 {
					t.Errorf("%s: %v, %d bytes left", name, err, len(rest))
				}
			}
		}
		if len(got) != 1 || !got[0].ID.Equal(qcType) || len(got[0].Info) != 1 || !got[0].Info[0].Equal(append(qcType, tt.want)) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
