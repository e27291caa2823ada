package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
)

var place = []byte("party|0192a1b2")

func TestSizes(t *testing.T) {
	for _, n := range edgeSizes {
		sealed := seal(t, testKey(1), pattern(n), place)
		if got := SealedSize(int64(n)); got != int64(len(sealed)) {
			t.Errorf("SealedSize(%d) = %d, the object has %d", n, got, len(sealed))
		}
		if got, err := PlainSize(int64(len(sealed))); err != nil || got != int64(n) {
			t.Errorf("PlainSize(%d) = %d, %v, want %d", len(sealed), got, err, n)
		}
	}
	for _, n := range []int64{-1, 0, 1, 95, segmentSize + 1, segmentSize + tagSize, 2*segmentSize + tagSize, 1 << 62} {
		if got, err := PlainSize(n); !errors.Is(err, ErrMalformed) {
			t.Errorf("PlainSize(%d) = %d, %v, want ErrMalformed", n, got, err)
		}
	}
	// Every size that PlainSize takes is the one that SealedSize gives.
	for n := int64(0); n < 3*segmentSize; n++ {
		if plain, err := PlainSize(n); err == nil && SealedSize(plain) != n {
			t.Fatalf("PlainSize(%d) = %d, and SealedSize gives %d", n, plain, SealedSize(plain))
		}
	}
}

// TestTink holds our stream to the open format: tink-go opens what we write, and we what it writes.
func TestTink(t *testing.T) {
	key := testKey(7)
	tink, err := subtle.NewAESGCMHKDF(key[:], "SHA256", keySize, segmentSize, prefixSize)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range edgeSizes {
		plain := pattern(n)
		ours := seal(t, key, plain, place)
		dec, err := tink.NewDecryptingReader(bytes.NewReader(ours[prefixSize:]), place)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(dec); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes: tink reads ours differently: %v", n, err)
		}

		theirs := bytes.NewBuffer(bytes.Clone(ours[:prefixSize]))
		enc, err := tink.NewEncryptingWriter(theirs, place)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := enc.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := enc.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := openAll(theirs.Bytes(), key, place); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes: we read tink's differently: %v", n, err)
		}
	}
}

func TestWriterTakesAnyCut(t *testing.T) {
	plain := pattern(firstPlain + restPlain + 99)
	for _, cut := range []int{1000, firstPlain, firstPlain + 1, segmentSize, len(plain)} {
		var b bytes.Buffer
		w, err := NewWriter(&b, testKey(2), place)
		if err != nil {
			t.Fatal(err)
		}
		for rest := plain; len(rest) > 0; {
			n, err := w.Write(rest[:min(cut, len(rest))])
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal("closing twice:", err)
		}
		if _, err := w.Write([]byte{1}); !errors.Is(err, ErrClosed) {
			t.Fatal("writing after Close:", err)
		}
		if got, err := openAll(b.Bytes(), testKey(2), place); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
}

// TestReadFrom: read in odd steps, what comes out is the same, and a reader's error is its own.
func TestReadFrom(t *testing.T) {
	for _, n := range edgeSizes {
		plain := pattern(n)
		var b bytes.Buffer
		w, err := NewWriter(&b, testKey(2), place)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain[:n/3]); err != nil {
			t.Fatal(err)
		}
		if m, err := io.Copy(w, iotest.DataErrReader(iotest.HalfReader(bytes.NewReader(plain[n/3:])))); err != nil || m != int64(n-n/3) {
			t.Fatal(m, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := openAll(b.Bytes(), testKey(2), place); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if _, err := io.Copy(w, iotest.HalfReader(strings.NewReader("more"))); !errors.Is(err, ErrClosed) {
			t.Fatal("after Close:", err)
		}
	}
	w, err := NewWriter(io.Discard, testKey(2), place)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []error{errFull, io.ErrUnexpectedEOF, fmt.Errorf("elsewhere: %w", io.EOF)} {
		if _, err := io.Copy(w, iotest.ErrReader(want)); !errors.Is(err, want) {
			t.Fatal(err)
		}
	}
}

type failingWriter struct{ left int }

var errFull = errors.New("no room")

func (f *failingWriter) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriterKeepsItsError(t *testing.T) {
	w, err := NewWriter(&failingWriter{left: segmentSize}, testKey(2), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(pattern(4 * segmentSize)); !errors.Is(err, errFull) {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Fatal("Close forgot the error:", err)
	}
}

func TestReadAt(t *testing.T) {
	for _, n := range edgeSizes {
		plain := pattern(n)
		sealed := seal(t, testKey(3), plain, place)
		r, err := NewReader(bytes.NewReader(sealed), int64(len(sealed)), testKey(3), place)
		if err != nil {
			t.Fatal(err)
		}
		if r.Size() != int64(n) {
			t.Fatalf("Size() = %d, want %d", r.Size(), n)
		}
		rnd := rand.New(rand.NewPCG(1, uint64(n)))
		for range 60 {
			off := rnd.IntN(n + 10)
			p := make([]byte, rnd.IntN(n+10))
			got, err := r.ReadAt(p, int64(off))
			want := plain[min(off, n):min(off+len(p), n)]
			if !bytes.Equal(p[:got], want) {
				t.Fatalf("%d bytes: ReadAt(%d, %d) differs", n, len(p), off)
			}
			if short := len(want) < len(p); short != errors.Is(err, io.EOF) || !short && err != nil {
				t.Fatalf("%d bytes: ReadAt(%d, %d): %v", n, len(p), off, err)
			}
		}
		if err := iotest.TestReader(io.NewSectionReader(r, 0, r.Size()), plain); err != nil && n < 1<<20 {
			t.Fatal(err)
		}
		if _, err := r.ReadAt(make([]byte, 1), -1); err == nil {
			t.Fatal("a negative offset was read")
		}
	}
}

func TestReadAtIsConcurrent(t *testing.T) {
	plain := pattern(2 << 20)
	sealed := seal(t, testKey(3), plain, place)
	r, err := NewReader(bytes.NewReader(sealed), int64(len(sealed)), testKey(3), place)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(9, uint64(g)))
			for range 200 {
				off := rnd.IntN(len(plain) - 1)
				p := make([]byte, min(1+rnd.IntN(1<<(4+g*2)), len(plain)-off))
				if _, err := r.ReadAt(p, int64(off)); err != nil || !bytes.Equal(p, plain[off:off+len(p)]) {
					t.Errorf("ReadAt(%d, %d): %v", len(p), off, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestTampered(t *testing.T) {
	const n = firstPlain + 2*restPlain + 100
	key := testKey(4)
	plain := pattern(n)
	good := seal(t, key, plain, place)
	other := seal(t, key, plain, place)
	segment := func(b []byte, i int) []byte { return b[i*segmentSize : min((i+1)*segmentSize, len(b))] }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	cases := map[string][]byte{
		"empty":                   {},
		"only the lead":           good[:leadSize],
		"cut by one":              good[:len(good)-1],
		"cut after a segment":     good[:3*segmentSize],
		"cut after the first":     good[:segmentSize],
		"one byte more":           join(good, []byte{0}),
		"a segment more":          join(good, segment(good, 2)),
		"segments in other order": join(segment(good, 0), segment(good, 2), segment(good, 1), segment(good, 3)),
		"a segment twice":         join(segment(good, 0), segment(good, 1), segment(good, 1), segment(good, 3)),
		"another object's":        join(segment(good, 0), segment(other, 1), segment(good, 2), segment(good, 3)),
		"another object's lead":   join(other[:leadSize], good[leadSize:]),
	}
	for name, b := range cases {
		if _, err := openAll(b, key, place); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := openAll(good, testKey(5), place); !errors.Is(err, ErrTampered) {
		t.Error("another key:", err)
	}
	if _, err := openAll(good, key, []byte("cadre|0192a1b2")); !errors.Is(err, ErrTampered) {
		t.Error("another place:", err)
	}
	if _, err := NewReader(bytes.NewReader(good[:len(good)/2]), int64(len(good)), key, place); err != nil {
		t.Error("the lead is there:", err)
	}
}

// TestShorterThanRecorded: the object is cut, and its size is known from elsewhere.
func TestShorterThanRecorded(t *testing.T) {
	good := seal(t, testKey(4), pattern(5*segmentSize), place)
	for _, have := range []int{0, 10, leadSize, leadSize + 5, segmentSize, 3*segmentSize + 1, len(good) - 1} {
		r, err := NewReader(bytes.NewReader(good[:have]), int64(len(good)), testKey(4), place)
		if err == nil {
			_, err = r.WriteTo(io.Discard)
		}
		if !errors.Is(err, ErrTampered) {
			t.Errorf("%d bytes left: %v", have, err)
		}
	}
}

// TestAnyBitTurned turns a bit of every byte that frames a segment and of many within.
func TestAnyBitTurned(t *testing.T) {
	good := seal(t, testKey(4), pattern(firstPlain+50), place)
	rnd := rand.New(rand.NewPCG(3, 3))
	for i := range good {
		framing := i < leadSize+20 || i > segmentSize-20
		if !framing && rnd.IntN(400) != 0 {
			continue
		}
		bad := bytes.Clone(good)
		bad[i] ^= 1 << rnd.IntN(8)
		if _, err := openAll(bad, testKey(4), place); !errors.Is(err, ErrTampered) {
			t.Fatalf("byte %d: %v", i, err)
		}
		r, err := NewReader(bytes.NewReader(bad), int64(len(bad)), testKey(4), place)
		if err == nil {
			_, err = r.ReadAt(make([]byte, firstPlain+50), 0)
		}
		if !errors.Is(err, ErrTampered) {
			t.Fatalf("byte %d by range: %v", i, err)
		}
	}
}

// TestNothingUnauthenticated: what comes out before a bad segment is the beginning of the plaintext, and no more.
func TestNothingUnauthenticated(t *testing.T) {
	plain := pattern(20 * segmentSize)
	bad := seal(t, testKey(4), plain, place)
	bad[10*segmentSize+5] ^= 1
	r, err := NewReader(bytes.NewReader(bad), int64(len(bad)), testKey(4), place)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := r.WriteTo(&out); !errors.Is(err, ErrTampered) {
		t.Fatal(err)
	}
	if out.Len() > firstPlain+9*restPlain || !bytes.HasPrefix(plain, out.Bytes()) {
		t.Fatalf("%d bytes came out", out.Len())
	}
	p := make([]byte, len(plain))
	if n, err := r.ReadAt(p, 0); !errors.Is(err, ErrTampered) || n != firstPlain+9*restPlain || !bytes.Equal(p[:n], plain[:n]) {
		t.Fatalf("ReadAt gave %d bytes: %v", n, err)
	}
}

var errLine = errors.New("line cut")

type failingSource struct {
	io.ReaderAt
	from int64
}

func (f failingSource) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, fmt.Errorf("%w: %w", errLine, io.ErrUnexpectedEOF)
	}
	return f.ReaderAt.ReadAt(p, off)
}

// TestSourceError: a lost connection is not an attack.
func TestSourceError(t *testing.T) {
	good := seal(t, testKey(4), pattern(40*segmentSize), place)
	for _, from := range []int64{0, segmentSize, 30 * segmentSize} {
		r, err := NewReader(failingSource{bytes.NewReader(good), from}, int64(len(good)), testKey(4), place)
		if err == nil {
			_, err = r.WriteTo(io.Discard)
		}
		if !errors.Is(err, errLine) || errors.Is(err, ErrTampered) {
			t.Errorf("from %d: %v", from, err)
		}
	}
	r, err := NewReader(bytes.NewReader(good), int64(len(good)), testKey(4), place)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.WriteTo(&failingWriter{left: 5 * segmentSize}); !errors.Is(err, errFull) {
		t.Error("writer's error:", err)
	}
}

// endless is a plaintext as long as asked, made as it is read.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	e.left -= n
	return int(n), nil
}

// TestMemory: 96 MiB through the writer, and out again, in a bounded heap.
func TestMemory(t *testing.T) {
	const size = 96 << 20
	spool, err := NewSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = spool.Close() }()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	if _, err := io.Copy(spool, &endless{size}); err != nil {
		t.Fatal(err)
	}
	r, err := spool.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.WriteTo(io.Discard); err != nil || n != size {
		t.Fatal(n, err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("%d bytes were allocated for %d", grown, size)
	}
}
