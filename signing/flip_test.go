package signing_test

import (
	"bytes"
	"flag"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
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

// TestFlips changes single bytes of a fully signed document: every byte of the last container's token, which nothing else covers, and samples of
// its padding and of the other containers. None may pass.
func TestFlips(t *testing.T) {
	l := newLab(t)
	doc := tight(t, l)
	if r := l.inspect(t, doc, true); r.Indication() != signing.Passed {
		t.Fatal(describe(r))
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
	l.judgeFlips(t, doc, flips)
	t.Logf("%d changes to a document of %d bytes", len(flips), len(doc))
}

type flip struct {
	at   int
	mask byte
}

// judgeFlips requires that a document does not pass with any of the changes.
func (l *lab) judgeFlips(t *testing.T, doc []byte, flips []flip) {
	t.Helper()
	o := signing.InspectOptions{Anchors: l.anchors, At: l.now(), Strict: true, Revocation: signing.RevocationIfPresent}
	if r := inspectAt(t, doc, o); r.Indication() != signing.Passed {
		t.Fatal(describe(r))
	}
	var wg sync.WaitGroup
	work := make(chan flip)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			changed := bytes.Clone(doc)
			for f := range work {
				changed[f.at] ^= f.mask
				r, err := signing.Inspect(t.Context(), bytes.NewReader(changed), int64(len(changed)), o)
				if err != nil {
					t.Errorf("byte %d changed by %#x: %v", f.at, f.mask, err)
				} else if r.Indication() == signing.Passed {
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
}

// TestByteChanges changes one byte at random, 10,000 times, of files of several forms and levels.
func TestByteChanges(t *testing.T) {
	l := newLab(t)
	streams := variants(t)["object streams"]
	request := signing.Request{Certificate: l.sealCert, Reason: "Đóng dấu", Reserve: 4000}
	files := map[string][]byte{
		"B-B": l.sign(t, samplePDF(1), request, l.sealKey, nil), "B-B, cross-reference stream": l.sign(t, streams, request, l.sealKey, nil),
		"certified": l.signBy(t, fillablePDF(t), certifying(2)),
		"B-LTA":     tight(t, l),
	}
	request.Reserve = 6000
	files["B-T"] = l.sign(t, samplePDF(1), request, l.sealKey, l.tsa)
	const changes = 10000
	rng := rand.New(rand.NewPCG(20, 26))
	done := 0
	for _, name := range slices.Sorted(maps.Keys(files)) {
		var flips []flip
		for range changes / len(files) {
			flips = append(flips, flip{rng.IntN(len(files[name])), byte(1 + rng.IntN(255))})
		}
		l.judgeFlips(t, files[name], flips)
		done += len(flips)
	}
	if !t.Failed() {
		t.Logf("%d byte changes to %d files: none passed", done, len(files))
	}
}
