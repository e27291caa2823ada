package certs

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds of what a list may make us hold: everything but one entry at a time is small in every real list.
const (
	maxStreamed   = 512 << 20 // a whole list
	maxListName   = 16 << 10
	maxListEntry  = 16 << 10
	maxExtensions = 64 << 10
	maxAlgorithm  = 1 << 10
	maxSignature  = 4 << 10

	streamBuffer = 64 << 10 // holds the largest element at once
)

// scannedCRL is a list that was read as a stream, with the entry looked for.
type scannedCRL struct {
	crlHead
	entry     *crlEntry // nil: not on the list
	algorithm []byte
	hash      crypto.Hash
	digest    []byte
	signature []byte
	size      int64
}

func (l *scannedCRL) read(cert, issuer *x509.Certificate) (*Revocation, error) {
	if err := l.check(cert, issuer); err != nil {
		return nil, err
	}
	return l.revocation(l.entry)
}

// derStream reads DER elements one after another and hashes them.
type derStream struct {
	in   *bufio.Reader
	sum  hash.Hash // nil: not hashing
	head []byte    // what was read while it is not yet known how to hash, if keep
	keep bool
	at   int64
}

var (
	errShort  = errors.New("CRL ends too early")
	errLength = fmt.Errorf("%w: length in CRL", ErrMalformed)
)

// peek looks at the next n bytes.
func (s *derStream) peek(n int) ([]byte, error) {
	b, err := s.in.Peek(n)
	if err == nil {
		return b, nil
	}
	if errors.Is(err, io.EOF) {
		return b, fmt.Errorf("%w: %w", ErrMalformed, errShort)
	}
	return b, err
}

// pass hashes and leaves behind n bytes that were looked at.
func (s *derStream) pass(n int) error {
	b, err := s.peek(n)
	if err != nil {
		return err
	}
	if s.sum != nil {
		s.sum.Write(b)
	} else if s.keep {
		s.head = append(s.head, b...)
	}
	s.at += int64(n)
	_, err = s.in.Discard(n)
	return err
}

// header looks at the tag and the length of the next element; size is that of its header.
func (s *derStream) header() (tag byte, size int, length int64, err error) {
	b, err := s.peek(2)
	if err != nil {
		return 0, 0, 0, err
	}
	tag, size, length = b[0], 2, int64(b[1])
	if tag&0x1f == 0x1f {
		return 0, 0, 0, fmt.Errorf("%w: tag in CRL", ErrMalformed)
	}
	if b[1] < 0x80 {
		return tag, size, length, nil
	}
	n := int(b[1] & 0x7f)
	if n == 0 || n > 4 {
		return 0, 0, 0, errLength
	}
	if b, err = s.peek(2 + n); err != nil {
		return 0, 0, 0, err
	}
	length = 0
	for _, x := range b[2:] {
		length = length<<8 | int64(x)
	}
	if length < 0x80 || length>>(8*(n-1)) == 0 {
		return 0, 0, 0, errLength // not in the shortest form
	}
	return tag, 2 + n, length, nil
}

// open steps into the constructed element that must come next, and returns where it ends.
func (s *derStream) open(want der.Tag, within int64) (end int64, err error) {
	tag, size, length, err := s.header()
	if err != nil {
		return 0, err
	}
	end = s.at + int64(size) + length
	if tag != byte(want) || end > within {
		return 0, fmt.Errorf("%w: element of CRL", ErrMalformed)
	}
	return end, s.pass(size)
}

// element reads the next element whole. The bytes are valid until the next read.
func (s *derStream) element(limit int, within int64) (cryptobyte.String, error) {
	_, size, length, err := s.header()
	if err != nil {
		return nil, err
	}
	whole := int64(size) + length
	if whole > int64(limit) || s.at+whole > within {
		return nil, fmt.Errorf("%w: element of %d bytes in CRL", ErrMalformed, whole)
	}
	b, err := s.peek(int(whole))
	if err != nil {
		return nil, err
	}
	return cryptobyte.String(b), s.pass(int(whole)) // Discard leaves the bytes where they are until the next Peek
}

// next says whether an element with this tag comes next.
func (s *derStream) next(want der.Tag, within int64) (bool, error) {
	if s.at >= within {
		return false, nil
	}
	b, err := s.peek(1)
	return err == nil && b[0] == byte(want), err
}

// scanCRL reads a list of any length up to 512 MiB: it reads r once, hashes what is signed while it looks for the number, and holds one entry in memory at a
// time. It accepts DER lists of version 2 signed with RSA (PKCS #1, PSS) or ECDSA over SHA-256, SHA-384 or SHA-512. Its signature is still to be
// checked. Errors wrap ErrMalformed, ErrUntrusted, or are what r returned.
func scanCRL(r io.Reader, serial *big.Int) (*scannedCRL, error) {
	s := &derStream{in: bufio.NewReaderSize(r, streamBuffer)}
	end, err := s.open(der.SEQUENCE, maxStreamed)
	if err != nil {
		return nil, err
	}
	l := &scannedCRL{size: end}
	if err := l.scanSigned(s, serial, end); err != nil {
		return nil, err
	}
	algorithm, err := s.element(maxAlgorithm, end)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(algorithm, l.algorithm) {
		return nil, fmt.Errorf("%w: CRL names two signature algorithms", ErrMalformed)
	}
	bits, err := s.element(maxSignature, end)
	if err != nil {
		return nil, err
	}
	var signature []byte
	if !bits.ReadASN1BitStringAsBytes(&signature) || s.at != end {
		return nil, fmt.Errorf("%w: signature of CRL", ErrMalformed)
	}
	l.signature = bytes.Clone(signature)
	if _, err := s.in.Peek(1); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: bytes after CRL", ErrMalformed)
	}
	return l, nil
}

// scanSigned reads the TBSCertList (RFC 5280 §5.1).
func (l *scannedCRL) scanSigned(s *derStream, serial *big.Int, within int64) error {
	s.keep = true
	end, err := s.open(der.SEQUENCE, within)
	if err != nil {
		return err
	}
	version, err := s.element(8, end)
	if err != nil {
		return err
	}
	var number int
	if !version.ReadASN1Integer(&number) || number != 1 {
		return fmt.Errorf("%w: version of CRL", ErrMalformed)
	}
	algorithm, err := s.element(maxAlgorithm, end)
	if err != nil {
		return err
	}
	l.algorithm = bytes.Clone(algorithm)
	if l.hash, err = signatureHash(l.algorithm); err != nil {
		return err
	}
	s.sum, s.keep = l.hash.New(), false
	s.sum.Write(s.head)
	s.head = nil
	if err := l.scanHead(s, end); err != nil {
		return err
	}
	if listed, err := s.next(der.SEQUENCE, end); err != nil {
		return err
	} else if listed {
		if err := l.scanEntries(s, serial, end); err != nil {
			return err
		}
	}
	if extended, err := s.next(der.Tag(0).ContextSpecific().Constructed(), end); err != nil {
		return err
	} else if extended {
		element, err := s.element(maxExtensions, end)
		if err != nil {
			return err
		}
		if l.extensions, err = readExtensions(element, true); err != nil {
			return err
		}
	}
	if s.at != end {
		return fmt.Errorf("%w: CRL has unknown fields", ErrMalformed)
	}
	l.digest, s.sum = s.sum.Sum(nil), nil
	return nil
}

// scanHead reads issuer and times.
func (l *scannedCRL) scanHead(s *derStream, end int64) error {
	issuer, err := s.element(maxListName, end)
	if err != nil {
		return err
	}
	if len(issuer) == 0 || issuer[0] != byte(der.SEQUENCE) {
		return fmt.Errorf("%w: issuer of CRL", ErrMalformed)
	}
	l.rawIssuer = bytes.Clone(issuer)
	this, err := s.element(64, end)
	if err != nil {
		return err
	}
	if l.thisUpdate, err = readTime(&this); err != nil {
		return err
	}
	for _, tag := range []der.Tag{der.UTCTime, der.GeneralizedTime} {
		ok, err := s.next(tag, end)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		next, err := s.element(64, end)
		if err != nil {
			return err
		}
		if l.nextUpdate, err = readTime(&next); err != nil {
			return err
		}
		break
	}
	return nil
}

// scanEntries compares every entry's number with the one looked for; only that entry is read further. The first one counts.
func (l *scannedCRL) scanEntries(s *derStream, serial *big.Int, within int64) error {
	var b cryptobyte.Builder
	b.AddASN1BigInt(serial)
	want, err := b.Bytes()
	if err != nil {
		return fmt.Errorf("%w: serial number: %w", ErrMalformed, err)
	}
	end, err := s.open(der.SEQUENCE, within)
	if err != nil {
		return err
	}
	for s.at < end {
		entry, err := s.element(maxListEntry, end)
		if err != nil {
			return err
		}
		var fields, number cryptobyte.String
		if !entry.ReadASN1(&fields, der.SEQUENCE) || !entry.Empty() || !fields.ReadASN1Element(&number, der.INTEGER) || !shortest(number) {
			return fmt.Errorf("%w: entry of CRL", ErrMalformed)
		}
		if l.entry == nil && bytes.Equal(number, want) {
			if l.entry, err = readEntry(fields); err != nil {
				return err
			}
		}
	}
	return nil
}

// shortest says whether an INTEGER is in DER's one form, so that equal numbers are equal bytes.
func shortest(element cryptobyte.String) bool {
	var v cryptobyte.String
	if !element.ReadASN1(&v, der.INTEGER) || len(v) == 0 {
		return false
	}
	return len(v) == 1 || (v[0] != 0 || v[1] >= 0x80) && (v[0] != 0xff || v[1] < 0x80)
}
