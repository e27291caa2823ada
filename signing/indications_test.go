package signing_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"testing"

	"golang.org/x/crypto/ocsp"

	"trien/certs"
	"trien/signing"
)

// TestIndications: revocation and time, case by case, in the terms of EN 319 102-1. The signature under judgement is the first of a document; when nothing else is
// said it is of day 0, by a certificate of the days -30 to 300, its time-stamp by an authority of the days -30 to 200, and judged on day 0.
func TestIndications(t *testing.T) {
	w := newWorld(t)
	base := samplePDF(1)
	none := holder{}
	bare := w.signed(base, w.signer, none, 0)
	stamped := w.signed(base, w.signer, w.tsa, 0)
	fresh := w.good(0, w.signer, w.tsa, w.later)
	lt := w.stored(stamped, fresh...)
	with := func(doc []byte, more ...[]byte) []byte { return w.stored(doc, more...) }
	but := func(about holder, statements ...[]byte) [][]byte { // all is good, but of one
		others := slices.DeleteFunc([]holder{w.signer, w.tsa, w.later}, func(h holder) bool { return h.cert == about.cert })
		return append(w.good(0, others...), statements...)
	}
	young := w.issue("Young", w.ca, 5, 300, nil)
	short := w.issue("Short", w.ca, -30, 10, nil)
	impostor := w.issue("Impostor", w.ca, -30, 300, nil)
	oldResponder := w.issue("Old responder", w.ca, -800, -700, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} })
	web := w.issue("Web", w.ca, -30, 300, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	weakKey, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := w.issueFor(holder{key: weakKey}, "Weak", w.ca, -30, 300, nil)
	otherCA := w.issue("Other CA", w.root, -900, 3900, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign })
	stranger := newWorld(t)
	by := func(signer holder) func(r *ocsp.Response, by, issuer *holder) {
		return func(r *ocsp.Response, by, _ *holder) { *by, r.Certificate = signer, signer.cert }
	}

	tests := []struct {
		name  string
		doc   []byte
		day   float64
		want  signing.Indication // of the first signature
		sub   string
		level string
		all   signing.Indication // of the document; empty: the same
	}{
		{"all is well", lt, 0, signing.Passed, "", "B-LT", ""},
		{"no time-stamp", with(bare, fresh...), 0, signing.Passed, "", "B-B", ""},

		// The signer's revocation.
		{"revoked after the time-stamp", with(stamped, but(w.signer, w.revoked(w.signer, 6, 5, 1))...), 10, signing.Passed, "", "B-LT", ""},
		{"revoked before the time-stamp", with(stamped, but(w.signer, w.revoked(w.signer, 0, -1, 1))...), 0, signing.Indeterminate, "REVOKED_NO_POE", "B-T", ""},
		{"revoked at the moment of the time-stamp", with(stamped, but(w.signer, w.revoked(w.signer, 0, 0, 1))...), 0, signing.Indeterminate, "REVOKED_NO_POE", "B-T", ""},
		{"revoked, no time-stamp", with(bare, but(w.signer, w.revoked(w.signer, 0, -1, 1))...), 0, signing.Indeterminate, "REVOKED_NO_POE", "B-B", ""},
		{"revoked, by a list", with(stamped, but(w.signer, w.crl(w.ca, 0, -1, 1, w.signer))...), 0, signing.Indeterminate, "REVOKED_NO_POE", "B-T", ""},
		{"revoked after a document time-stamp", with(w.stamped(bare, w.later, 1), but(w.signer, w.revoked(w.signer, 6, 5, 1))...), 10, signing.Passed, "", "B-LTA", ""},
		{"revoked before what it covers was stamped", with(w.signed(w.stamped(base, w.later, -1), w.signer, w.tsa, 0), but(w.signer, w.revoked(w.signer, 0, -2, 1))...),
			0, signing.Failed, "REVOKED", "", ""},
		{"good in one statement, revoked in another", with(lt, w.revoked(w.signer, 0, -1, 1)), 0, signing.Indeterminate, "REVOKED_NO_POE", "B-T", ""},

		// The signer's validity.
		{"expired, with a time-stamp and evidence", lt, 350, signing.Indeterminate, "OUT_OF_BOUNDS_NO_POE", "", ""}, // the authority has expired too
		{"expired, with an archive time-stamp", w.stamped(lt, w.later, 1), 350, signing.Passed, "", "B-LTA", ""},
		{"expired, with a time-stamp that still holds and evidence", with(w.signed(base, w.signer, w.later, 0), fresh...), 350, signing.Passed, "", "B-LT", ""},
		{"expired, with a time-stamp that still holds, no evidence", w.signed(base, w.signer, w.later, 0), 350, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"expired, no time-stamp", with(bare, fresh...), 350, signing.Indeterminate, "OUT_OF_BOUNDS_NO_POE", "", ""},
		{"expired before the time-stamp", with(w.signed(base, short, w.tsa, 20), w.good(20, short, w.tsa)...), 20, signing.Indeterminate, "OUT_OF_BOUNDS_NO_POE", "", ""},
		{"expired before what it covers was stamped", with(w.signed(w.stamped(base, w.later, 15), short, w.tsa, 20), w.good(20, short, w.tsa)...),
			20, signing.Failed, "EXPIRED", "", ""},
		{"not yet valid when stamped", with(w.signed(base, young, w.tsa, 0), w.good(6, young, w.tsa)...), 6, signing.Failed, "NOT_YET_VALID", "", ""},
		{"not yet valid, no time-stamp", with(w.signed(base, young, none, 0), fresh...), 0, signing.Indeterminate, "OUT_OF_BOUNDS_NO_POE", "", ""},

		// The time-stamp authority.
		{"authority expired, not renewed", lt, 250, signing.Indeterminate, "TRY_LATER", "B-B", ""}, // the signer has not, but what is known of it is old
		{"authority expired, renewed before", w.stamped(lt, w.later, 150), 250, signing.Passed, "", "B-LTA", ""},
		{"authority expired, renewed after", w.stamped(lt, w.later, 220), 250, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"authority revoked before it stamped", with(stamped, but(w.tsa, w.revoked(w.tsa, 0, -1, 4))...), 0, signing.Passed, "", "B-B", ""}, // as if it had none
		{"authority revoked after, superseded", with(stamped, but(w.tsa, w.revoked(w.tsa, 6, 5, 4))...), 10, signing.Passed, "", "B-LT", ""},
		{"authority's key stolen after", with(stamped, but(w.tsa, w.revoked(w.tsa, 6, 5, 1))...), 10, signing.Indeterminate, "TRY_LATER", "B-B", ""},
		{"authority revoked after, for no reason given", with(stamped, but(w.tsa, w.revoked(w.tsa, 6, 5, 0))...), 10, signing.Indeterminate, "TRY_LATER", "B-B", ""},
		{"authority's key stolen after another's document time-stamp", with(w.stamped(stamped, w.later, 1), but(w.tsa, w.revoked(w.tsa, 6, 5, 1))...),
			10, signing.Passed, "", "B-LTA", ""},
		{"authority of a document time-stamp revoked before", with(w.stamped(stamped, w.later, 0.1), but(w.later, w.revoked(w.later, 0.2, -1, 4))...),
			0.2, signing.Passed, "", "B-LT", signing.Indeterminate},
		{"authority of nobody", with(w.signed(base, w.signer, stranger.tsa, 0), fresh...), 0, signing.Passed, "", "B-B", ""},
		{"authority that is none", with(w.signed(base, w.signer, impostor, 0), fresh...), 0, signing.Passed, "", "B-B", ""},

		// Clocks.
		{"judge a little behind", lt, -0.002, signing.Passed, "", "B-LT", ""},
		{"judge behind", lt, -0.1, signing.Indeterminate, "TRY_LATER", "B-B", ""}, // time-stamp and statements come from the future
		{"judge ahead", lt, 100, signing.Passed, "", "B-LT", ""},
		{"judge behind the document time-stamp", w.stamped(lt, w.later, 0.5), 0.1, signing.Passed, "", "B-LT", signing.Indeterminate},
		{"authorities a little apart", w.stamped(lt, w.later, -0.002), 0, signing.Passed, "", "B-LTA", ""},
		{"document time-stamp older than what it covers", w.stamped(lt, w.later, -0.2), 0, signing.Indeterminate, "TIMESTAMP_ORDER_FAILURE", "B-LTA", ""},

		// Evidence.
		{"responder down: no statement", stamped, 0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"nothing about the CA", with(stamped, fresh[1:]...), 0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"nothing about the authority", with(stamped, w.good(0, w.signer)...), 0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"list in its time", with(stamped, but(w.signer, w.crl(w.ca, -3, 0, 0))...), 0, signing.Passed, "", "B-LT", ""},
		{"list stale", with(stamped, but(w.signer, w.crl(w.ca, -9, 0, 0))...), 0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"answer stale", with(stamped, but(w.signer, w.answer(w.signer, -2, nil))...), 0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"answer from the future", with(stamped, but(w.signer, w.answer(w.signer, 2, nil))...), 0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"answer of later", with(stamped, but(w.signer, w.answer(w.signer, 2, nil))...), 3, signing.Passed, "", "B-LT", ""},
		{"answer about another issuer's certificate", with(stamped, but(w.signer, w.answer(w.signer, 0, func(_ *ocsp.Response, _, issuer *holder) { *issuer = otherCA }))...),
			0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"answer unknown", with(stamped, but(w.signer, w.answer(w.signer, 0, func(r *ocsp.Response, _, _ *holder) { r.Status = ocsp.Unknown }))...),
			0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"answer about another certificate", with(stamped, but(w.signer, w.answer(impostor, 0, nil))...), 0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"answer by somebody of the CA", with(stamped, but(w.signer, w.answer(w.signer, 0, by(impostor)))...), 0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"answer by the signer", with(stamped, but(w.signer, w.answer(w.signer, 0, by(w.signer)))...), 0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"answer by a responder that has expired", with(stamped, but(w.signer, w.answer(w.signer, 0, by(oldResponder)))...), 0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"answer by a stranger", with(stamped, but(w.signer, w.answer(w.signer, 0, by(stranger.responder)))...), 0, signing.Indeterminate, "TRY_LATER", "B-T", ""},
		{"list of another", with(stamped, but(w.signer, stranger.crl(stranger.ca, 0, 0, 0))...), 0, signing.Indeterminate, "TRY_LATER", "B-T", ""},

		// The chain.
		{"issuing CA revoked before", with(stamped, w.answer(w.signer, 0, nil), w.answer(w.tsa, 0, nil), w.crl(w.root, 0, -1, 2, w.ca)),
			0, signing.Indeterminate, "REVOKED_CA_NO_POE", "B-B", ""},
		{"issuing CA revoked after, another's time-stamp", with(w.stamped(stamped, w.later, 1), w.answer(w.signer, 0, nil), w.answer(w.tsa, 0, nil), w.crl(w.root, 6, 5, 4, w.ca)),
			10, signing.Passed, "", "B-LTA", ""},
		{"of another authority", with(w.signed(base, stranger.signer, w.tsa, 0), fresh...), 0, signing.Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND", "", ""},
		{"a web server's", with(w.signed(base, web, w.tsa, 0), fresh...), 0, signing.Indeterminate, "CHAIN_CONSTRAINTS_FAILURE", "", ""},
		{"a weak key", with(w.signed(base, weak, w.tsa, 0), fresh...), 0, signing.Indeterminate, "CRYPTO_CONSTRAINTS_FAILURE", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := inspectAt(t, tt.doc, signing.InspectOptions{Anchors: certs.NewAnchors(w.root.cert), At: w.at(tt.day)})
			n := slices.IndexFunc(r.Signatures, func(s signing.SignatureReport) bool { return s.Kind == signing.KindSignature })
			s := r.Signatures[n]
			if tt.all == "" {
				tt.all = tt.want
			}
			if s.Indication != tt.want || s.SubIndication != tt.sub || s.Level != tt.level || r.Indication() != tt.all {
				t.Errorf("want %s %s %s: %s", tt.want, tt.sub, tt.level, describe(r))
			}
		})
	}
}
