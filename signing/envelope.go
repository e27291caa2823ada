package signing

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidEnvelopedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}
	oidAES256CBC     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

// Bounds on an envelope.
const (
	contentKeySize   = 32
	maxRecipients    = 64
	maxRecipientData = 256 << 10
	minRecipientBits = 2048
	maxEnclosed      = int64(1) << 50
)

// Enclose writes size bytes of r as CMS EnvelopedData (RFC 5652 §6, DER, one definite length throughout) that each of the recipients can open with
// its key: AES-256-CBC, the key of which is given to each by RSAES-PKCS1-v1_5, since this is what tokens do. It streams: memory does not grow with size.
//
// An envelope hides; it does not say who closed it, nor that nobody changed it (CBC). What is inside must prove itself, as an export does. Whose the
// certificates are, and whether they are valid, is for the caller to check.
//
// Errors wrap ErrUnsupported (a recipient whose key is not RSA, no recipients, too many), ErrRecipient (a certificate that is not for receiving keys, or
// too weak), or are the reader's or the writer's; then what was written is no envelope.
func Enclose(w io.Writer, r io.Reader, size int64, recipients ...*x509.Certificate) error {
	secret := make([]byte, contentKeySize+aes.BlockSize)
	if _, err := rand.Read(secret); err != nil {
		return fmt.Errorf("drawing content key: %w", err)
	}
	key, iv := secret[:contentKeySize], secret[contentKeySize:]
	defer clear(key)
	head, err := addressed(key, iv, size, recipients)
	if err != nil {
		return fmt.Errorf("enclosing: %w", err)
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("writing envelope: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return fmt.Errorf("enclosing: %w", err)
	}
	return encrypt(w, r, size, cipher.NewCBCEncrypter(block, iv))
}

// EnclosedSize is how many bytes [Enclose] writes for size bytes and these recipients. Errors are those of Enclose that come before the first byte.
func EnclosedSize(size int64, recipients ...*x509.Certificate) (int64, error) {
	head, err := addressed(make([]byte, contentKeySize), make([]byte, aes.BlockSize), size, recipients)
	if err != nil {
		return 0, fmt.Errorf("sizing an envelope: %w", err)
	}
	return int64(len(head)) + paddedSize(size), nil
}

// paddedSize is how many bytes the encrypted content has.
func paddedSize(size int64) int64 { return size - size%aes.BlockSize + aes.BlockSize }

// addressed writes everything before the encrypted bytes, with the content key for each recipient.
func addressed(key, iv []byte, size int64, recipients []*x509.Certificate) ([]byte, error) {
	if size < 0 || size > maxEnclosed {
		return nil, fmt.Errorf("%w: %d bytes", ErrUnsupported, size)
	}
	if len(recipients) == 0 || len(recipients) > maxRecipients {
		return nil, fmt.Errorf("%w: %d recipients", ErrUnsupported, len(recipients))
	}
	infos := make([][]byte, 0, len(recipients))
	for _, c := range recipients {
		info, err := recipientInfo(c, key)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return envelopeHead(infos, iv, size)
}

// encrypt writes size bytes of r, padded (RFC 5652 §6.3).
func encrypt(w io.Writer, r io.Reader, size int64, mode cipher.BlockMode) error {
	buf := make([]byte, chunk)
	for left := size; ; {
		n := int(min(int64(len(buf)), left))
		if _, err := io.ReadFull(r, buf[:n]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("reading what is to be enclosed: %w", err)
		}
		left -= int64(n)
		last := left == 0 && n < len(buf)
		if last {
			pad := aes.BlockSize - n%aes.BlockSize
			for range pad {
				buf[n] = byte(pad)
				n++
			}
		}
		mode.CryptBlocks(buf[:n], buf[:n])
		if _, err := w.Write(buf[:n]); err != nil {
			return fmt.Errorf("writing envelope: %w", err)
		}
		if last {
			break
		}
	}
	if _, err := io.ReadFull(r, buf[:1]); err == nil {
		return fmt.Errorf("enclosing: %w: more than the %d bytes announced", ErrUnsupported, size)
	} else if !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading what is to be enclosed: %w", err)
	}
	return nil
}

// recipientInfo gives the content key to one recipient (KeyTransRecipientInfo, by issuer and serial number).
func recipientInfo(c *x509.Certificate, key []byte) ([]byte, error) {
	if c == nil {
		return nil, fmt.Errorf("%w: none given", ErrRecipient)
	}
	pub, ok := c.PublicKey.(*rsa.PublicKey)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: recipient with a key of type %T; only RSA keys can receive", ErrUnsupported, c.PublicKey)
	case pub.N.BitLen() < minRecipientBits:
		return nil, fmt.Errorf("%w: RSA key of %d bits", ErrRecipient, pub.N.BitLen())
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageKeyEncipherment == 0:
		return nil, fmt.Errorf("%w: its key usage has no keyEncipherment", ErrRecipient)
	}
	sealed, err := rsa.EncryptPKCS1v15(rand.Reader, pub, key) //nolint:staticcheck // OAEP with SHA-2 is what many tokens cannot do
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecipient, err)
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(c.RawIssuer)
			b.AddASN1BigInt(c.SerialNumber)
		})
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidRSA)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(sealed)
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding recipient: %w", err)
	}
	return out, nil
}

// envelopeHead writes everything before the encrypted bytes: all lengths are known.
func envelopeHead(infos [][]byte, iv []byte, size int64) ([]byte, error) {
	slices.SortFunc(infos, bytes.Compare)
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(oidData)
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidAES256CBC)
		b.AddASN1OctetString(iv)
	})
	about, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding envelope: %w", err)
	}
	padded := paddedSize(size)
	content := append(about, lengthOf(der.Tag(0).ContextSpecific(), padded)...)
	content = append(lengthOf(der.SEQUENCE, int64(len(content))+padded), content...)
	body := append([]byte{byte(der.INTEGER), 1, 0}, lengthOf(der.SET, int64(len(bytes.Join(infos, nil))))...)
	body = append(append(body, bytes.Join(infos, nil)...), content...)
	body = append(lengthOf(der.SEQUENCE, int64(len(body))+padded), body...)
	body = append(lengthOf(tagged(0), int64(len(body))+padded), body...)
	var kind cryptobyte.Builder
	kind.AddASN1ObjectIdentifier(oidEnvelopedData)
	name, err := kind.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding envelope: %w", err)
	}
	body = append(name, body...)
	return append(lengthOf(der.SEQUENCE, int64(len(body))+padded), body...), nil
}

// lengthOf writes tag and length of an element in DER.
func lengthOf(tag der.Tag, n int64) []byte {
	if n < 0x80 {
		return []byte{byte(tag), byte(n)}
	}
	var digits []byte
	for ; n > 0; n >>= 8 {
		digits = append(digits, byte(n))
	}
	slices.Reverse(digits)
	return append([]byte{byte(tag), 0x80 | byte(len(digits))}, digits...)
}
