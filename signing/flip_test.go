package signing_test

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"trien/signing"
)

var everyByte = flag.Bool("every-byte", false, "flip every byte of every container, not only of the last (minutes)")

// tight is an export whose first two containers have little padding, so that flips hit something.
func tight(t *testing.T, l *lab) []byte {
	t.Helper()
	doc := samplePDF(1)
	for _, r := range []signing.Request{
		{Certificate: l.sealCert, Name: "Lê Thị Ĩ", Reason: "Ký", Reserve: 6000},
		{Certificate: l.sealCert, Reason: "Đóng dấu", Reserve: 6000},
	} {
		doc = l.sign(t, doc, r, l.sealKey, l.tsa)
	}
	return l.stamp(t, l.evidence(t, doc))
}

// TestFlips changes single bytes of a fully signed document: every byte of the last container's token, which nothing else covers, samples of
// its padding and of the other containers, and 2,000 others. None may pass.
func TestFlips(t *testing.T) {
	l := newLab(t)
	doc := tight(t, l)
	if r := l.inspect(t, doc, true); r.Indication() != signing.Passed {
		t.Fatal(describe(r))
	}
	type flip struct {
		at   int
		mask byte
	}
	rng := rand.New(rand.NewPCG(7, 12))
	var flips []flip
	list := containers(t, doc)
	for n, c := range list {
		last := n == len(list)-1
		token := c.from + 1 + 2*len(c.der)
		for at := c.from; at < c.to; at++ {
			border := at == c.from || at == c.to-1 || at == token || at == token-1
			switch {
			case border, *everyByte, last && at < token, rng.IntN(64) == 0:
				flips = append(flips, flip{at, 1 << rng.IntN(8)})
			}
			// The other case of a hexadecimal digit, which means the same to everyone.
			if c := doc[at]; c >= 'a' && c <= 'f' && rng.IntN(16) == 0 {
				flips = append(flips, flip{at, 'a' ^ 'A'})
			}
		}
	}
	for range 2000 {
		mask := byte(1) << rng.IntN(8)
		if rng.IntN(2) == 0 {
			mask = byte(1 + rng.IntN(255))
		}
		flips = append(flips, flip{rng.IntN(len(doc)), mask})
	}
	var wg sync.WaitGroup
	work := make(chan flip)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			changed := bytes.Clone(doc)
			for f := range work {
				changed[f.at] ^= f.mask
				if r := l.inspect(t, changed, true); r.Indication() == signing.Passed {
					t.Errorf("byte %d changed by %#x passed", f.at, f.mask)
				}
				changed[f.at] ^= f.mask
			}
		})
	}
	for _, f := range flips {
		work <- f
	}
	close(work)
	wg.Wait()
	t.Logf("%d changes to a document of %d bytes", len(flips), len(doc))
}
