package envelope

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"math"
)

// The layout of a sealed object; FORMAT.md has the drawing.
const (
	objectMagic = "TRIENOB1" // format id and version
	magicSize   = 8

	commitmentSize = 32
	prefixSize     = magicSize + commitmentSize // 40, ours

	saltSize        = keySize
	noncePrefixSize = 7
	headerSize      = 1 + saltSize + noncePrefixSize // 40, Tink's
	leadSize        = prefixSize + headerSize

	tagSize     = 16
	nonceSize   = 12
	segmentSize = 64 << 10 // of ciphertext; the lead counts to the first segment

	firstPlain = segmentSize - leadSize - tagSize // plaintext of the first segment when it is full
	restPlain  = segmentSize - tagSize            // plaintext of any other

	maxSegments = math.MaxUint32 + 1 // 256 TiB
)

// commitmentSalt is longer than a stream's salt, so that no stream can be made to derive the commitment as its key.
const commitmentSalt = "trien/envelope/object/v1 key commitment"

// SealedSize is the exact size of the object that a plaintext of the size given becomes. It must lie within 0 and 256 TiB.
func SealedSize(plain int64) int64 {
	segments := int64(1)
	if plain > firstPlain {
		segments += (plain - firstPlain + restPlain - 1) / restPlain
	}
	return leadSize + plain + segments*tagSize
}

// PlainSize is the size of the plaintext within an object of the size given; [ErrMalformed] if no object has that size.
func PlainSize(sealed int64) (int64, error) {
	segments := segmentsOf(sealed)
	last := sealed - (segments-1)*segmentSize
	least := int64(tagSize + 1) // a last segment that holds nothing is written for an empty plaintext only
	if segments == 1 {
		least = int64(leadSize + tagSize)
	}
	if last < least || segments > maxSegments {
		return 0, fmt.Errorf("%w: no sealed object has %d bytes", ErrMalformed, sealed)
	}
	return sealed - leadSize - segments*tagSize, nil
}

func segmentsOf(sealed int64) int64 {
	return max(sealed-1, 0)/segmentSize + 1
}

// lead is what stands before the first segment's ciphertext.
type lead struct {
	salt        [saltSize]byte
	noncePrefix [noncePrefixSize]byte
}

func newLead() lead {
	var l lead
	fill(l.salt[:])
	fill(l.noncePrefix[:])
	return l
}

func (l lead) appendTo(b []byte, commitment []byte) []byte {
	b = append(b, objectMagic...)
	b = append(b, commitment...)
	b = append(b, headerSize)
	b = append(b, l.salt[:]...)
	return append(b, l.noncePrefix[:]...)
}

// parseLead checks the prefix against the key. A strange format id is [ErrTampered] like any other changed byte: the
// caller knows from elsewhere that here stands one of our objects.
func parseLead(b []byte, key DataKey) (lead, error) {
	var l lead
	if len(b) != leadSize || string(b[:magicSize]) != objectMagic || b[prefixSize] != headerSize {
		return l, fmt.Errorf("%w: not a sealed object", ErrTampered)
	}
	commitment, err := key.commitment()
	if err != nil {
		return l, err
	}
	if subtle.ConstantTimeCompare(commitment, b[magicSize:prefixSize]) != 1 {
		return l, fmt.Errorf("%w: sealed under another key", ErrTampered)
	}
	copy(l.salt[:], b[prefixSize+1:])
	copy(l.noncePrefix[:], b[prefixSize+1+saltSize:])
	return l, nil
}

// commitment makes AES-GCM key-committing: no object opens under two keys, to two contents.
func (k DataKey) commitment() ([]byte, error) {
	return k.derive([]byte(commitmentSalt), []byte(objectMagic), commitmentSize)
}

// nonce of a segment: the stream's prefix, the number, and whether it is the last.
func (l lead) nonce(segment uint32, last bool) [nonceSize]byte {
	var n [nonceSize]byte
	copy(n[:], l.noncePrefix[:])
	binary.BigEndian.PutUint32(n[noncePrefixSize:], segment)
	if last {
		n[nonceSize-1] = 1
	}
	return n
}
