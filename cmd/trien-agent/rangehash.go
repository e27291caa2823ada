package main

import (
	"crypto"
	"hash"
)

// rangeHash hashes the two parts of a PDF's byte range out of one stream. It holds none of it.
//
// What lies between the parts is where the signature goes: it must be an empty hex string and nothing else, or bytes of the
// document would stay unsigned.
type rangeHash struct {
	parts [4]int64
	size  int64
	at    int64
	sum   hash.Hash
	holed bool // the gap holds something
}

// largestGap bounds the room for a signature, in bytes.
const largestGap = 1 << 20

// newRangeHash refuses a byte range that does not begin at 0, end at size, and leave exactly one gap.
func newRangeHash(parts [4]int64, size int64, h crypto.Hash) (*rangeHash, error) {
	first, second, last := parts[1], parts[2], parts[3]
	gap := second - first
	if parts[0] != 0 || first <= 0 || last <= 0 || size <= 0 || second > size || gap < 4 || gap > largestGap || last != size-second || !h.Available() {
		return nil, refusal(textRange)
	}
	return &rangeHash{parts: parts, size: size, sum: h.New()}, nil
}

// Write takes the next bytes of the document. It never fails.
func (h *rangeHash) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		take := p
		switch {
		case h.at < h.parts[1]:
			take = p[:min(int64(len(p)), h.parts[1]-h.at)]
			h.sum.Write(take)
		case h.at < h.parts[2]:
			take = p[:min(int64(len(p)), h.parts[2]-h.at)]
			h.gap(take)
		default:
			h.sum.Write(take)
		}
		h.at += int64(len(take))
		p = p[len(take):]
	}
	return n, nil
}

func (h *rangeHash) gap(p []byte) {
	for i, b := range p {
		want := byte('0')
		switch h.at + int64(i) {
		case h.parts[1]:
			want = '<'
		case h.parts[2] - 1:
			want = '>'
		}
		if b != want {
			h.holed = true
		}
	}
}

// digest is over the byte range, once the whole document went through.
func (h *rangeHash) digest() ([]byte, error) {
	if h.at != h.size {
		return nil, refusal(textTampered)
	}
	if h.holed {
		return nil, refusal(textRange)
	}
	return h.sum.Sum(nil), nil
}
