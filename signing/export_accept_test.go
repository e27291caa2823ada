package signing

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"

	"trien/signing/pdf"
)

// SignedWith signs in a revision that also does what change says.
func SignedWith(ctx context.Context, base []byte, cert *x509.Certificate, key crypto.Signer, chain []*x509.Certificate, change func(u *pdf.Update)) ([]byte, error) {
	doc, err := pdf.Open(bytes.NewReader(base), int64(len(base)))
	if err != nil {
		return nil, err
	}
	f, err := openForm(doc)
	if err != nil {
		return nil, err
	}
	page, err := f.page(1)
	if err != nil {
		return nil, err
	}
	contents, byteRange := placeholders(defaultReserve)
	rect := pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(0), pdf.Integer(0)}
	err = f.add("Signature1", page, pdf.Dict{"Rect": rect}, pdf.Dict{"Type": pdf.Name("Sig"), "Filter": pdf.Name("Adobe.PPKLite"),
		"SubFilter": pdf.Name(subFilterCAdES), "Contents": contents, "ByteRange": byteRange})
	if err != nil {
		return nil, err
	}
	change(f.update)
	a, err := DefaultAlgorithm(cert.PublicKey)
	if err != nil {
		return nil, err
	}
	p, err := f.seal(ctx, bytes.NewReader(base), a)
	if err != nil {
		return nil, err
	}
	p.Certificate = cert.Raw
	attrs, err := p.Attributes()
	if err != nil {
		return nil, err
	}
	sig, err := SignAttributes(key, a, attrs)
	if err != nil {
		return nil, err
	}
	if err := p.Complete(ctx, chain, sig, nil); err != nil {
		return nil, err
	}
	return append(base[:len(base):len(base)], p.Tail...), nil
}
