package signing

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// OpenEnclosed opens an envelope of [Enclose], or another CMS EnvelopedData in DER with AES-256-CBC and RSAES-PKCS1-v1_5, with the key of the
// certificate given, which may live on a token. It asks the key once and returns what reads the content, streaming; nothing but the list of recipients is held in
// memory.
//
// The key must reject implicitly, as *[rsa.PrivateKey] and the keys of package token do: told how long a content key is, it answers a wrong one with a random
// one. Then a wrong key, a changed envelope and one cut short all end alike, and only at the end: reading returns garbage and at last an
// error wrapping ErrEnclosed, or by chance none. Therefore nothing may be believed for having been in an envelope: judge what was inside.
//
// Errors wrap ErrEnclosed (not well formed), ErrUnsupported (BER with indefinite lengths, other algorithms), ErrRecipient (it is for other certificates), or are the
// key's or the reader's.
func OpenEnclosed(r io.Reader, cert *x509.Certificate, key crypto.Decrypter) (io.Reader, error) {
	if cert == nil || key == nil {
		return nil, fmt.Errorf("opening: %w: no certificate or no key", ErrRecipient)
	}
	pub, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || !pub.Equal(key.Public()) {
		return nil, fmt.Errorf("opening: %w: the key is no RSA key, or not that of the certificate", ErrRecipient)
	}
	d := &derReader{r: bufio.NewReaderSize(r, chunk)}
	e, err := d.envelope()
	if err == nil {
		e.key, err = findRecipient(e.recipients, cert)
	}
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	if len(e.key) != pub.Size() {
		return nil, fmt.Errorf("opening: %w: the content key has %d bytes", ErrEnclosed, len(e.key))
	}
	contentKey, err := decryptKey(key, e.key)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	defer clear(contentKey)
	block, err := aes.NewCipher(contentKey)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	return &opener{r: d.r, left: e.size, mode: cipher.NewCBCDecrypter(block, e.iv), buf: make([]byte, chunk)}, nil
}

// decryptKey asks the key. What does not fit becomes a random key, so that nobody learns from an answer what was wrong with a question.
func decryptKey(key crypto.Decrypter, sealed []byte) ([]byte, error) {
	random := make([]byte, contentKeySize)
	if _, err := rand.Read(random); err != nil {
		return nil, fmt.Errorf("drawing content key: %w", err)
	}
	found, err := key.Decrypt(rand.Reader, sealed, &rsa.PKCS1v15DecryptOptions{SessionKeyLen: contentKeySize}) //nolint:staticcheck // see Enclose
	switch {
	case errors.Is(err, rsa.ErrDecryption):
		return random, nil
	case err != nil:
		return nil, fmt.Errorf("asking the key: %w", err)
	case len(found) != contentKeySize:
		return random, nil
	}
	return found, nil
}

// envelope is what of an EnvelopedData one recipient needs.
type envelope struct {
	recipients []byte // the content of RecipientInfos
	key        []byte // encrypted, of the recipient who opens
	iv         []byte
	size       int64 // of the encrypted content, which follows
}

// derReader reads DER from a stream. Errors wrap ErrEnclosed or ErrUnsupported, or are the reader's.
type derReader struct {
	r  *bufio.Reader
	at int64
}

// envelope reads up to the encrypted content. All enclosing elements must end where that ends: no unprotected attributes, nothing after them.
func (d *derReader) envelope() (*envelope, error) {
	bad := fmt.Errorf("%w: not a CMS EnvelopedData in DER", ErrEnclosed)
	var ends [4]int64
	var err error
	if ends[0], err = d.enter(der.SEQUENCE); err != nil {
		return nil, err
	}
	if kind, err := d.element(der.OBJECT_IDENTIFIER, 32); err != nil {
		return nil, err
	} else if !isOID(kind, oidEnvelopedData) {
		return nil, bad
	}
	for i, tag := range []der.Tag{tagged(0), der.SEQUENCE} {
		if ends[i+1], err = d.enter(tag); err != nil {
			return nil, err
		}
	}
	version, err := d.element(der.INTEGER, 1)
	if err != nil {
		return nil, err
	}
	if version[0] != 0 && version[0] != 2 {
		return nil, bad
	}
	recipients, err := d.element(der.SET, maxRecipientData)
	if err != nil {
		return nil, err
	}
	if ends[3], err = d.enter(der.SEQUENCE); err != nil {
		return nil, err
	}
	e := new(envelope)
	if e.iv, err = d.contentType(); err != nil {
		return nil, err
	}
	end, err := d.content()
	if err != nil {
		return nil, err
	}
	if e.size = end - d.at; ends != [4]int64{end, end, end, end} || e.size == 0 || e.size%aes.BlockSize != 0 {
		return nil, bad
	}
	e.recipients = recipients
	return e, nil
}

// contentType reads contentType and contentEncryptionAlgorithm and returns the initialisation vector.
func (d *derReader) contentType() ([]byte, error) {
	kind, err := d.element(der.OBJECT_IDENTIFIER, 32)
	if err != nil {
		return nil, err
	}
	raw, err := d.element(der.SEQUENCE, 256)
	if err != nil {
		return nil, err
	}
	in := cryptobyte.String(raw)
	var oid asn1.ObjectIdentifier
	var iv []byte
	if !in.ReadASN1ObjectIdentifier(&oid) {
		return nil, fmt.Errorf("%w: its algorithm is not well formed", ErrEnclosed)
	}
	if !oid.Equal(oidAES256CBC) || !isOID(kind, oidData) {
		return nil, fmt.Errorf("%w: content not encrypted by AES-256-CBC but by %s", ErrUnsupported, oid)
	}
	if !in.ReadASN1Bytes(&iv, der.OCTET_STRING) || !in.Empty() || len(iv) != aes.BlockSize {
		return nil, fmt.Errorf("%w: its algorithm is not well formed", ErrEnclosed)
	}
	return iv, nil
}

// content enters the encrypted content. Some write the octet string inside a constructed one (BER): read if it is in one piece.
func (d *derReader) content() (end int64, err error) {
	next, err := d.r.Peek(1)
	if err != nil {
		return 0, cutShort(err)
	}
	if der.Tag(next[0]) != tagged(0) {
		return d.enter(der.Tag(0).ContextSpecific())
	}
	outer, err := d.enter(tagged(0))
	if err != nil {
		return 0, err
	}
	if end, err = d.enter(der.OCTET_STRING); err == nil && end != outer {
		return 0, fmt.Errorf("%w: content in pieces (BER)", ErrUnsupported)
	}
	return end, err
}

func isOID(content []byte, want asn1.ObjectIdentifier) bool {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(want)
	raw, err := b.Bytes()
	return err == nil && bytes.Equal(raw[2:], content)
}

// enter reads tag and length, and returns where the element ends.
func (d *derReader) enter(want der.Tag) (end int64, err error) {
	tag, err := d.byte()
	if err != nil {
		return 0, err
	}
	n, err := d.byte()
	if err != nil {
		return 0, err
	}
	if tag != byte(want) {
		return 0, fmt.Errorf("%w: not a CMS EnvelopedData in DER", ErrEnclosed)
	}
	length := int64(n)
	if n == 0x80 {
		return 0, fmt.Errorf("%w: indefinite length (BER)", ErrUnsupported)
	}
	if n > 0x80 {
		length = 0
		for range n & 0x7f {
			digit, err := d.byte()
			if err != nil {
				return 0, err
			}
			if length = length<<8 | int64(digit); length == 0 || length > 2*maxEnclosed {
				return 0, fmt.Errorf("%w: a length is not in DER", ErrEnclosed)
			}
		}
		if length < 0x80 {
			return 0, fmt.Errorf("%w: a length is not in DER", ErrEnclosed)
		}
	}
	return d.at + length, nil
}

// element reads the content of a small element.
func (d *derReader) element(want der.Tag, limit int64) ([]byte, error) {
	end, err := d.enter(want)
	if err != nil {
		return nil, err
	}
	n := end - d.at
	if n == 0 || n > limit {
		return nil, fmt.Errorf("%w: an element of %d bytes", ErrEnclosed, n)
	}
	out := make([]byte, n)
	if _, err := io.ReadFull(d.r, out); err != nil {
		return nil, cutShort(err)
	}
	d.at = end
	return out, nil
}

func (d *derReader) byte() (byte, error) {
	b, err := d.r.ReadByte()
	if err != nil {
		return 0, cutShort(err)
	}
	d.at++
	return b, nil
}

func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it is cut short", ErrEnclosed)
	}
	return fmt.Errorf("reading envelope: %w", err)
}

// opener decrypts what follows the head of an envelope.
type opener struct {
	r       *bufio.Reader
	left    int64 // encrypted
	mode    cipher.BlockMode
	buf     []byte
	pending []byte // of buf: decrypted, not yet read
	err     error  // once pending is read
}

// Read returns what was enclosed. After the last byte it returns io.EOF or an error wrapping ErrEnclosed.
func (o *opener) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(o.pending) == 0 {
		if o.err != nil {
			return 0, o.err
		}
		o.fill()
	}
	n := copy(p, o.pending)
	o.pending = o.pending[n:]
	return n, nil
}

func (o *opener) fill() {
	n := int(min(int64(len(o.buf)), o.left))
	if _, err := io.ReadFull(o.r, o.buf[:n]); err != nil {
		o.err = cutShort(err)
		return
	}
	o.mode.CryptBlocks(o.buf[:n], o.buf[:n])
	o.pending = o.buf[:n]
	if o.left -= int64(n); o.left > 0 {
		return
	}
	pad, ok := padding(o.buf[n-aes.BlockSize : n])
	if _, err := o.r.ReadByte(); err == nil {
		ok = false
	} else if !errors.Is(err, io.EOF) {
		o.err = cutShort(err)
		return
	}
	if !ok {
		o.pending, o.err = o.buf[:n-aes.BlockSize], fmt.Errorf("%w: wrong key, or it was changed", ErrEnclosed)
		return
	}
	o.pending, o.err = o.buf[:n-pad], io.EOF
}

// padding returns how much of the last block is none of the content, in constant time (RFC 5652 §6.3).
func padding(last []byte) (n int, ok bool) {
	n = int(last[len(last)-1])
	good := subtle.ConstantTimeLessOrEq(1, n) & subtle.ConstantTimeLessOrEq(n, len(last))
	for i, b := range last {
		inside := subtle.ConstantTimeLessOrEq(len(last)-i, n)
		good &= 1 ^ inside&(1^subtle.ConstantTimeByteEq(b, byte(n)))
	}
	return n, good == 1
}
