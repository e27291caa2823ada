package signing

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"

	"go.mozilla.org/pkcs7"
)

var recipientKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func newRecipient(t *testing.T, key crypto.Signer) *small {
	t.Helper()
	return newSmall(t, key, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
}

func enclose(t *testing.T, content []byte, recipients ...*x509.Certificate) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Enclose(&b, bytes.NewReader(content), int64(len(content)), recipients...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openAll(raw []byte, cert *x509.Certificate, key crypto.Decrypter) ([]byte, error) {
	r, err := OpenEnclosed(bytes.NewReader(raw), cert, key)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// TestEnclose: what we enclose is opened by us, by OpenSSL and by go.mozilla.org/pkcs7, whatever its length.
func TestEnclose(t *testing.T) {
	key := recipientKey()
	s := newRecipient(t, key)
	for _, size := range []int{0, 1, 15, 16, 17, 127, 128, 70_000, chunk - 16, chunk - 1, chunk, chunk + 1, 2*chunk + 5} {
		content := bytes.Repeat([]byte("Hồ sơ "), size/8+1)[:size]
		raw := enclose(t, content, s.cert)
		if n, err := EnclosedSize(int64(size), s.cert); err != nil || n != int64(len(raw)) {
			t.Errorf("%d bytes: foretold %d, %v, got %d", size, n, err, len(raw))
		}
		if got, err := openAll(raw, s.cert, key); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes, ourselves: %v", size, err)
		}
		s.write(t, "envelope", raw)
		if got := s.openssl(t, "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "envelope", "-recip", "cert.pem", "-inkey", "key.pem"); !bytes.Equal(got, content) {
			t.Errorf("%d bytes: OpenSSL read %d", size, len(got))
		}
		p, err := pkcs7.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Decrypt(s.cert, key); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes, pkcs7: %v", size, err)
		}
	}
}

// firstRecipient wants the first recipient of an envelope to be cert's.
func firstRecipient(raw []byte, cert *x509.Certificate) error {
	list, err := Recipients(bytes.NewReader(raw))
	if err == nil && !list[0].Names(cert) {
		err = fmt.Errorf("recipient %s is not %x", list[0], cert.SerialNumber)
	}
	return err
}

// TestOpenEnclosed opens what others enclose, and says what it does not read.
func TestOpenEnclosed(t *testing.T) {
	key := recipientKey()
	s := newRecipient(t, key)
	content := bytes.Repeat([]byte("văn bản mật\r\n"), 3000)
	s.write(t, "content", content)
	pkcs7.ContentEncryptionAlgorithm = pkcs7.EncryptionAlgorithmAES256CBC
	t.Cleanup(func() { pkcs7.ContentEncryptionAlgorithm = pkcs7.EncryptionAlgorithmDESCBC })
	theirs, err := pkcs7.Encrypt(content, []*x509.Certificate{s.cert})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := openAll(theirs, s.cert, key); err != nil || !bytes.Equal(got, content) {
		t.Errorf("pkcs7: %v", err)
	}
	tests := []struct {
		name string
		args []string
		want error
	}{
		{"plain", []string{"-aes-256-cbc", "-recip", "cert.pem"}, nil},
		{"by key id", []string{"-aes-256-cbc", "-keyid", "-recip", "cert.pem"}, nil},
		{"AES-128", []string{"-aes-128-cbc", "-recip", "cert.pem"}, ErrUnsupported},
		{"OAEP", []string{"-aes-256-cbc", "-recip", "cert.pem", "-keyopt", "rsa_padding_mode:oaep"}, ErrUnsupported},
		{"in pieces", []string{"-aes-256-cbc", "-stream", "-recip", "cert.pem"}, ErrUnsupported},
		{"authenticated", []string{"-aes-256-gcm", "-recip", "cert.pem"}, ErrEnclosed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER"}, tt.args...)
			raw := s.openssl(t, args...)
			if err := firstRecipient(raw, s.cert); tt.want == nil && err != nil {
				t.Error(err)
			}
			got, err := openAll(raw, s.cert, key)
			if !errors.Is(err, tt.want) || err == nil && !bytes.Equal(got, content) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

func TestRecipients(t *testing.T) {
	key := recipientKey()
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024) // to be refused
	if err != nil {
		t.Fatal(err)
	}
	a, b := newRecipient(t, key), newRecipient(t, other)
	// Both test authorities have one name and number their certificates alike: tell them apart.
	b.cert.RawIssuer = b.cert.RawSubject
	raw := enclose(t, []byte("x"), b.cert, a.cert)
	for _, to := range []struct {
		cert *x509.Certificate
		key  *rsa.PrivateKey
	}{{a.cert, key}, {b.cert, other}} {
		if got, err := openAll(raw, to.cert, to.key); err != nil || string(got) != "x" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := openAll(enclose(t, []byte("x"), a.cert), b.cert, other); !errors.Is(err, ErrRecipient) {
		t.Errorf("not for it: %v", err)
	}
	if _, err := openAll(raw, a.cert, other); !errors.Is(err, ErrRecipient) {
		t.Errorf("another key: %v", err)
	}
	list, err := Recipients(bytes.NewReader(raw))
	if err != nil || len(list) != 2 {
		t.Fatalf("%d recipients, %v", len(list), err)
	}
	for _, c := range []*x509.Certificate{a.cert, b.cert} {
		if list[0].Names(c) == list[1].Names(c) {
			t.Errorf("%x is not named once", c.SerialNumber)
		}
	}
	if _, err := Recipients(bytes.NewReader(raw[:100])); !errors.Is(err, ErrEnclosed) {
		t.Errorf("cut short: %v", err)
	}
	e := newSmall(t, ec, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement })
	e.write(t, "content", []byte("x"))
	agreed := e.openssl(t, "cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-aes-256-cbc", "-recip", "cert.pem")
	if _, err := Recipients(bytes.NewReader(agreed)); !errors.Is(err, ErrUnsupported) {
		t.Errorf("an EC certificate's: %v", err)
	}
	signs := newSmall(t, key, nil).cert
	unbound := newSmall(t, key, func(c *x509.Certificate) { c.KeyUsage = 0 }).cert
	enclose(t, nil, unbound)
	for name, tt := range map[string]struct {
		to   []*x509.Certificate
		want error
	}{
		"EC":          {[]*x509.Certificate{a.cert, newRecipient(t, ec).cert}, ErrUnsupported},
		"for signing": {[]*x509.Certificate{signs}, ErrRecipient},
		"weak":        {[]*x509.Certificate{newRecipient(t, weak).cert}, ErrRecipient},
		"nobody":      {nil, ErrUnsupported},
		"none":        {[]*x509.Certificate{nil}, ErrRecipient},
		"too many":    {make([]*x509.Certificate, maxRecipients+1), ErrUnsupported},
	} {
		var out bytes.Buffer
		if err := Enclose(&out, bytes.NewReader(nil), 0, tt.to...); !errors.Is(err, tt.want) || out.Len() > 0 {
			t.Errorf("%s: %d bytes, %v", name, out.Len(), err)
		}
	}
	if err := Enclose(io.Discard, bytes.NewReader(make([]byte, 9)), 10, a.cert); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("too short: %v", err)
	}
	if err := Enclose(io.Discard, bytes.NewReader(make([]byte, 11)), 10, a.cert); !errors.Is(err, ErrUnsupported) {
		t.Errorf("too long: %v", err)
	}
}

// TestEnvelopeChanged: whatever is changed, what opens is not the content, and there is one kind of error for all that the key and the content can say.
func TestEnvelopeChanged(t *testing.T) {
	key := recipientKey()
	s := newRecipient(t, key)
	content := bytes.Repeat([]byte("0123456789abcdef"), 64)
	raw := enclose(t, content, s.cert)
	sealed := bytes.Index(raw, []byte{0x04, 0x82, 0x01, 0x00}) + 4
	for at := 0; at < len(raw); at += 3 {
		b := bytes.Clone(raw)
		b[at] ^= 0x40
		got, err := openAll(b, s.cert, key)
		if err == nil && bytes.Equal(got, content) {
			t.Errorf("byte %d changed: opened", at)
		}
		// What concerns the key alone is not told from what concerns the content.
		if at >= sealed && at < sealed+256 && err != nil && !errors.Is(err, ErrEnclosed) {
			t.Errorf("byte %d of the key: %v", at-sealed, err)
		}
	}
	for n := 0; n < len(raw); n += 1 + n/50 {
		if _, err := openAll(raw[:n], s.cert, key); !errors.Is(err, ErrEnclosed) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	if _, err := openAll(append(bytes.Clone(raw), 0), s.cert, key); !errors.Is(err, ErrEnclosed) {
		t.Errorf("longer: %v", err)
	}
}

// zeros is endless.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestEncloseLarge encloses and opens 400 MiB. All that is allocated on the way, garbage included, is a few MiB.
func TestEncloseLarge(t *testing.T) {
	const size = 400 << 20
	s := newRecipient(t, recipientKey())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(Enclose(w, io.LimitReader(zeros{}, size), size, s.cert)) }()
	in, err := OpenEnclosed(r, s.cert, recipientKey())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(struct{ io.Writer }{io.Discard}, in); err != nil || n != size {
		t.Errorf("%d bytes, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("allocated %d KiB", used>>10)
	}
}
