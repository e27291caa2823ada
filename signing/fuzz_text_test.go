package signing

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
)

// FuzzText: no input crashes the judge of texts, and with Strict none but the true signature passes.
func FuzzText(f *testing.F) {
	a, err := devpki.New(devpki.Config{})
	if err != nil {
		f.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	cert, err := a.IssuePerson(devpki.Subject{CommonName: "x"}, key.Public())
	if err != nil {
		f.Fatal(err)
	}
	text := []byte("đồng ý")
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
	f.Add(cms, text)
	f.Add(cms[:len(cms)-3], text)
	f.Add([]byte{0x30, 0}, []byte{})
	o := InspectOptions{Anchors: certs.NewAnchors(a.Root()), Strict: true, Revocation: RevocationIfPresent}
	f.Fuzz(func(t *testing.T, b, said []byte) {
		r, err := VerifyText(context.Background(), b, said, o)
		if err != nil {
			t.Fatal(err)
		}
		if r.Indication == Passed && (!bytes.Equal(b, cms) || !bytes.Equal(said, text)) {
			t.Fatal("another signature or text passed")
		}
	})
}

// FuzzOpenEnclosed: no envelope crashes the reader, makes it loop, or gives more than it holds.
func FuzzOpenEnclosed(f *testing.F) {
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
