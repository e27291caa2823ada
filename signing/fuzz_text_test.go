package signing

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"io"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
)

// FuzzText: no input crashes the judge of texts, and with Strict none but the true signature passes.
func FuzzText(f *testing.F) {
	text := []byte("đồng ý")
	var root []byte
	cms := kept(f, "cms", func() []byte {
		a, err := devpki.New(devpki.Config{})
		if err != nil {
			f.Fatal(err)
		}
		root = certs.EncodePEM(a.Root())
		return fuzzedText(f, a, text)
	})
	anchors, err := certs.ParseAnchors(kept(f, "root", func() []byte { return root }))
	if err != nil {
		f.Fatal(err)
	}
	o := InspectOptions{Anchors: anchors, Strict: true, Revocation: RevocationIfPresent}
	if r, err := VerifyText(f.Context(), cms, text, o); err != nil || r.Indication != Passed {
		f.Fatalf("the true one: %+v, %v", r, err)
	}
	f.Add(cms, text)
	f.Add(cms[:len(cms)-3], text)
	f.Add([]byte{0x30, 0}, []byte{})
	f.Fuzz(func(t *testing.T, b, said []byte) {
		var r *SignatureReport
		var err error
		bounded(t, len(b)+len(said), cmsFactor, cmsConstant, func() { r, err = VerifyText(context.Background(), b, said, o) })
		if err != nil {
			t.Fatal(err)
		}
		if r.Indication == Passed && (!bytes.Equal(b, cms) || !bytes.Equal(said, text)) {
			t.Fatal("another signature or text passed")
		}
	})
}

// fuzzedText signs a text as a person.
func fuzzedText(f *testing.F, a *devpki.Authority, text []byte) []byte {
	f.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	cert, err := a.IssuePerson(devpki.Subject{CommonName: "x"}, key.Public())
	if err != nil {
		f.Fatal(err)
	}
	p, err := PrepareText(text, TextRequest{Certificate: cert, Time: time.Now(), Statement: Statement{Hint: TextHint("text/plain")}})
	if err != nil {
		f.Fatal(err)
	}
	attrs, err := p.Attributes()
	if err != nil {
		f.Fatal(err)
	}
	sig, err := SignAttributes(key, p.Algorithm, attrs)
	if err != nil {
		f.Fatal(err)
	}
	cms, err := p.Complete(f.Context(), text, a.Intermediates(), sig, nil)
	if err != nil {
		f.Fatal(err)
	}
	return cms
}

// FuzzOpenEnclosed: no envelope crashes the reader, makes it loop, or gives more than it holds.
func FuzzOpenEnclosed(f *testing.F) {
	var pub []byte
	secret := kept(f, "key", func() []byte {
		a, err := devpki.New(devpki.Config{})
		if err != nil {
			f.Fatal(err)
		}
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			f.Fatal(err)
		}
		cert, err := a.IssueServer(devpki.Subject{CommonName: "x", Loopback: true}, key.Public())
		if err != nil {
			f.Fatal(err)
		}
		pub = cert.Raw
		return x509.MarshalPKCS1PrivateKey(key)
	})
	key, err := x509.ParsePKCS1PrivateKey(secret)
	if err != nil {
		f.Fatal(err)
	}
	cert, err := x509.ParseCertificate(kept(f, "certificate", func() []byte { return pub }))
	if err != nil {
		f.Fatal(err)
	}
	var out bytes.Buffer
	content := bytes.Repeat([]byte("nội dung"), 20)
	if err := Enclose(&out, bytes.NewReader(content), int64(len(content)), cert); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add(out.Bytes()[:out.Len()-16])
	f.Add([]byte{0x30, 0x80, 0x06})
	f.Add([]byte{0x30, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := OpenEnclosed(bytes.NewReader(b), cert, key)
		if err != nil {
			return
		}
		n, err := io.Copy(io.Discard, r)
		if n >= int64(len(b)) {
			t.Fatalf("%d bytes of an envelope of %d", n, len(b))
		}
		if again, err2 := r.Read(make([]byte, 1)); again != 0 || err2 == nil || err != nil && err2.Error() != err.Error() {
			t.Fatalf("reading on after the end: %d, %v", again, err2)
		}
	})
}
