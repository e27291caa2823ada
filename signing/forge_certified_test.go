package signing_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"

	"trien/signing"
	"trien/signing/pdf"
)

// certified are forgeries of certified documents: annotations over them ("evil annotation"), signatures over them ("sneaky signature"), and forms filled that
// are locked.
func (f *forger) certified() {
	t := f.t
	base := fillablePDF(t)
	docs := map[string][]byte{"P1": f.signBy(t, base, certifying(1)), "P2": f.signBy(t, base, certifying(2)), "P3": f.signBy(t, base, certifying(3))}
	for level, doc := range docs {
		for _, kind := range []pdf.Name{"FreeText", "Redact", "Stamp", "Square", "Ink", "Highlight", "StrikeOut", "Text", "Widget", "Link", "FileAttachment", "Screen", "3D", "Watermark"} {
			f.add("certification", level+": annotation "+string(kind), doc, revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
				annotate(t, pdf.Dict{"Type": pdf.Name("Annot"), "Subtype": kind, "Rect": rect(0, 0, 595, 842), "Contents": pdf.String("forged"),
					"AP": pdf.Dict{"N": u.Add(content("forged"))}})(d, u)
			}))
		}
		f.add("certification", level+": sneaky signature", doc, f.sneaky(doc))
		f.add("certification", level+": sneaky signature that does not verify", doc, f.signBy(t, doc, handmade{name: "Sneaky", field: loudField,
			cms: func([]byte) []byte { return f.pades(t, make([]byte, 32)) }}))
		f.add("certification", level+": certification withdrawn", doc, revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
			c := catalog(t, d)
			delete(c, "Perms")
			u.Set(d.Root(), c)
		}))
		f.add("certification", level+": certification loosened", doc, revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
			perms := get[pdf.Dict](t, d, catalog(t, d)["Perms"])
			ref := refTo(t, perms["DocMDP"])
			sig := get[pdf.Dict](t, d, ref).Clone()
			delete(sig, "Reference")
			u.Set(ref, sig)
		}))
		f.add("certification", level+": another certifies", doc, f.signBy(t, doc, func() handmade { h := certifying(3); h.name = "Second"; return h }()))
	}
	f.add("certification", "P1: second signature", docs["P1"], f.signBy(t, docs["P1"], handmade{name: "Second"}))
	f.add("certification", "P1: form filled", docs["P1"], revise(t, docs["P1"], fill(t, "name", valued(pdf.String("forged")))))
	locked := f.signBy(t, docs["P2"], func() handmade { h := locking("Include", "name", "part"); h.name = "Second"; return h }())
	for _, name := range []string{"name", "part.a"} {
		f.add("certification", "locked: "+name, locked, revise(t, locked, fill(t, name, valued(pdf.String("forged")))))
	}
	plain := f.signBy(t, base, handmade{})
	f.add("certification", "approved: form filled", plain, revise(t, plain, fill(t, "name", valued(pdf.String("forged")))))
	f.add("certification", "approved: sneaky signature", plain, f.sneaky(plain))
}

var loudField = pdf.Dict{"Rect": rect(0, 0, 595, 842), "AP": pdf.Dict{"N": pdf.Ref{Num: 5}}}

// sneaky signs with a certificate that nobody issued, which has the names and numbers of the true one.
func (f *forger) sneaky(doc []byte) []byte {
	key, twin := f.twin()
	return f.signBy(f.t, doc, handmade{name: "Sneaky", field: loudField, cms: func(digest []byte) []byte {
		return signing.BuildCMS(f.t, signing.CMSParts{Digest: digest, Algorithm: signing.ECDSASHA256, Key: key, Signer: twin, Chain: f.Intermediates()})
	}})
}

// twin is a self-made certificate with the issuer's name and the number of the seal's.
func (f *forger) twin() (*ecdsa.PrivateKey, *x509.Certificate) {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	c := f.sealCert
	issuer := &x509.Certificate{RawSubject: c.RawIssuer, SubjectKeyId: f.Intermediates()[0].SubjectKeyId}
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: c.SerialNumber, RawSubject: c.RawSubject, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		KeyUsage: c.KeyUsage, SubjectKeyId: c.SubjectKeyId}, issuer, key.Public(), key)
	if err != nil {
		f.t.Fatal(err)
	}
	twin, err := x509.ParseCertificate(raw)
	if err != nil {
		f.t.Fatal(err)
	}
	return key, twin
}
