package pdf

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// Document is an open PDF, read by range; only cross-reference, trailer and touched objects are in memory, cached within a bound.
// It is not safe for concurrent use; many Documents may read one io.ReaderAt.
type Document struct {
	src       *source
	header    string // version in the header
	xref      xref
	startXref int64
	revisions []Revision
	first     []int // index of each revision's first (newest) section, the oldest revision first
	objects   objectCache
	streams   streamCache
	anomalies []Anomaly
	work      int64
	nested    int
}

// Open reads the cross-reference (tables, streams, hybrid, /Prev chains, linearised) and the trailer of the size bytes of r.
// Errors wrap the kinds of errors.go. The catalog is not looked at.
func Open(r io.ReaderAt, size int64) (*Document, error) {
	d := &Document{src: newSource(r, size)}
	if err := d.readHeader(); err != nil {
		return nil, err
	}
	if err := d.readXref(); err != nil {
		return nil, err
	}
	for _, s := range d.xref.sections {
		if _, ok := s.trailer["Encrypt"]; ok {
			return nil, ErrEncrypted
		}
	}
	if _, ok := d.Trailer()["Root"].(Ref); !ok {
		return nil, damagedf("the trailer names no catalog")
	}
	d.sortRevisions()
	return d, nil
}

func (d *Document) readHeader() error {
	if d.src.size < 16 {
		return damagedf("the file is too short to be a PDF")
	}
	l := newLexer(d.src, 0)
	if !l.accept("%PDF-") {
		return l.damage("the file does not start with %PDF-")
	}
	var b []byte
	for len(b) < 8 {
		c, ok := l.next()
		if !ok || c != '.' && (c < '0' || c > '9') {
			break
		}
		b = append(b, c)
	}
	if len(b) < 3 || b[1] != '.' || b[0] < '1' || b[0] > '2' {
		return l.damage("the header names no PDF version")
	}
	d.header = string(b[:3])
	return l.err
}

// Size of the file in bytes.
func (d *Document) Size() int64 { return d.src.size }

// Reader of the whole file, for exact bytes.
func (d *Document) Reader() io.ReaderAt { return d.src.r }

// Version is the later of header and catalog, e.g. "1.7".
func (d *Document) Version() string {
	catalog, err := d.Catalog()
	if err != nil {
		return d.header
	}
	if v, ok := catalog["Version"].(Name); ok && len(v) == 3 && string(v) > d.header {
		return string(v)
	}
	return d.header
}

// Trailer of the latest section (of a cross-reference stream: its dictionary).
func (d *Document) Trailer() Dict { return d.xref.sections[0].trailer }

// Root is the reference of the catalog.
func (d *Document) Root() Ref {
	r, _ := d.Trailer()["Root"].(Ref)
	return r
}

// Catalog returns the catalog.
func (d *Document) Catalog() (Dict, error) {
	c, err := Get[Dict](d, d.Root())
	if err != nil {
		return nil, fmt.Errorf("reading the catalog: %w", err)
	}
	if c == nil {
		return nil, damagedf("the catalog is missing")
	}
	return c, nil
}

// StartXref is the offset of the latest cross-reference section, as written after the last startxref.
func (d *Document) StartXref() int64 { return d.startXref }

// HighestObject is the highest object number that may be in use.
func (d *Document) HighestObject() int {
	highest := d.xref.highest
	for _, s := range d.xref.sections {
		if n, ok := s.trailer["Size"].(Integer); ok && n > Integer(highest)+1 && n <= maxObjectNumber+1 {
			highest = int(n) - 1
		}
	}
	return highest
}

// Anomaly is a departure from the standard that was tolerated; a judge of signatures may not want to. Only what was read is noted.
type Anomaly struct {
	Code   string // stable, e.g. "duplicate-key"
	Offset int64
	Text   string
}

// Anomalies met so far. At most 100 are kept, those furthest in the file.
func (d *Document) Anomalies() []Anomaly { return d.anomalies }

func (d *Document) note(code string, off int64, text string) {
	a := Anomaly{Code: code, Offset: off, Text: text}
	for _, known := range d.anomalies {
		if known == a {
			return
		}
	}
	if len(d.anomalies) < maxAnomalies {
		d.anomalies = append(d.anomalies, a)
		return
	}
	// What an update adds must not be lost among the faults of an old file. Those in object streams have no offset; they are kept too.
	least := 0
	for i, known := range d.anomalies {
		if known.Offset >= 0 && (d.anomalies[least].Offset < 0 || known.Offset < d.anomalies[least].Offset) {
			least = i
		}
	}
	if off < 0 || d.anomalies[least].Offset >= 0 && off > d.anomalies[least].Offset {
		d.anomalies[least] = a
	}
}

// spend counts parsed bytes against the limit.
func (d *Document) spend(n int64) error {
	d.work += n
	if d.work > workBase+workFactor*d.src.size {
		return unsupportedf("the file takes too much work to read")
	}
	return nil
}

// Object reads the indirect object ref; nil if it is free, not defined or of another generation, as the standard says.
func (d *Document) Object(ref Ref) (Object, error) {
	e, ok := d.xref.find(ref.Num)
	if !ok || e.kind == entryFree || int(e.gen) != ref.Gen {
		return nil, nil
	}
	if o, ok := d.objects.get(ref.Num); ok {
		return o, nil
	}
	if d.nested == maxNestedLoads {
		return nil, damagedf("object %d needs itself to be read", ref.Num)
	}
	d.nested++
	defer func() { d.nested-- }()
	o, cost, err := d.load(ref, e)
	if err != nil {
		return nil, fmt.Errorf("reading object %d: %w", ref.Num, err)
	}
	d.objects.put(ref.Num, o, cost)
	return o, nil
}

func (d *Document) load(ref Ref, e entry) (o Object, cost int, err error) {
	if e.kind == entryCompressed {
		stream, index := e.container()
		return d.compressed(ref.Num, stream, index)
	}
	if e.off >= d.src.size {
		return nil, 0, damagedf("its offset lies behind the end of the file")
	}
	found, o, cost, err := d.indirectAt(e.off, d.Resolve)
	if err == nil && found != ref {
		err = damagedf("object %d stands in its place", found.Num)
	}
	return o, cost, err
}

// indirectAt reads the indirect object at off. resolve finds an indirect /Length; nil forbids one. cost estimates the memory taken.
func (d *Document) indirectAt(off int64, resolve func(Object) (Object, error)) (ref Ref, o Object, cost int, err error) {
	p, ref, err := d.objectHeader(off)
	if err != nil {
		return ref, nil, 0, err
	}
	o, err = p.object(0)
	if spent := d.spend(p.offset() - off); spent != nil && err == nil {
		err = spent
	}
	if err != nil {
		return ref, nil, 0, err
	}
	cost = int(p.offset()-off)*2 + p.nodes*32
	p.skipSpace()
	dict, isDict := o.(Dict)
	if isDict && p.accept("stream") {
		s, err := d.streamAt(p.lexer, dict, resolve)
		if err != nil {
			return ref, nil, 0, err
		}
		return ref, s, cost, nil
	}
	if !p.accept("endobj") {
		if c, ok := p.peek(); !ok || c < '0' || c > '9' {
			return ref, nil, 0, p.fail("no end of object")
		}
		d.note("no-endobj", p.offset(), "object without endobj")
	}
	return ref, o, cost, nil
}

// objectHeader reads "12 0 obj" at off.
func (d *Document) objectHeader(off int64) (*parser, Ref, error) {
	p := newParser(newLexer(d.src, off), d.note)
	num, ok1 := p.unsigned()
	gen, ok2 := p.unsigned()
	p.skipSpace()
	if !ok1 || !ok2 || num > maxObjectNumber || gen > math.MaxUint16 || !p.accept("obj") {
		if p.err != nil {
			return nil, Ref{}, p.err
		}
		return nil, Ref{}, damagedf("no object at offset %d", off)
	}
	return p, Ref{Num: int(num), Gen: int(gen)}, nil
}

// Resolve follows references until o is a direct object.
func (d *Document) Resolve(o Object) (Object, error) {
	for range maxRefChain {
		ref, ok := o.(Ref)
		if !ok {
			return o, nil
		}
		var err error
		if o, err = d.Object(ref); err != nil {
			return nil, err
		}
	}
	return nil, damagedf("references lead in a circle")
}

// Get resolves o and asserts its kind: zero value and nil for null, an error wrapping ErrDamaged for another kind.
// An Integer passes for a Real, a *Stream's dictionary for a Dict.
func Get[T Object](d *Document, o Object) (T, error) {
	var zero T
	o, err := d.Resolve(o)
	if err != nil || o == nil {
		return zero, err
	}
	if v, ok := o.(T); ok {
		return v, nil
	}
	switch v := o.(type) {
	case Integer:
		if r, ok := Object(Real(v)).(T); ok {
			return r, nil
		}
	case *Stream:
		if s, ok := Object(v.Dict).(T); ok {
			return s, nil
		}
	}
	return zero, damagedf("%s where %s belongs", kindOf(o), kindOf(zero))
}

// isRead tells whether err came from the reader rather than from the file's content.
func isRead(err error) bool {
	return err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrEncrypted)
}

func itoa(n int) string { return strconv.Itoa(n) }
