package pdf

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Update is an incremental update of a Document: objects added or replaced, written after its last byte.
type Update struct {
	doc  *Document
	next int // next fresh object number
	set  map[Ref]Object
}

// NewUpdate starts an update on the latest revision of d.
func NewUpdate(d *Document) (*Update, error) {
	const tableLimit = 9_999_999_999 // ten digits
	if d.Revisions()[len(d.revisions)-1].Kind != XrefStream && d.src.size > tableLimit-maxObjectBytes {
		return nil, unsupportedf("file too large for its kind of cross-reference")
	}
	return &Update{doc: d, next: d.HighestObject() + 1, set: map[Ref]Object{}}, nil
}

// Document is the base of the update.
func (u *Update) Document() *Document { return u.doc }

// Reserve returns a fresh object number, to be given an object by Set.
func (u *Update) Reserve() Ref {
	r := Ref{Num: u.next}
	u.next++
	return r
}

// Add puts o under a fresh number.
func (u *Update) Add(o Object) Ref {
	r := u.Reserve()
	u.set[r] = o
	return r
}

// Set puts o under ref, replacing what the base has there.
func (u *Update) Set(ref Ref, o Object) { u.set[ref] = o }

// Object is what ref will be: set in this update, or else as in the base.
func (u *Update) Object(ref Ref) (Object, error) {
	if o, ok := u.set[ref]; ok {
		return o, nil
	}
	return u.doc.Object(ref)
}

// Tail writes the update: the bytes to append to the base. The cross-reference has the form of the base's latest section; /Root, /Info and the
// first /ID are kept, the second is derived from the content. Placeholder names must be unique. Every reserved number must have been set.
func (u *Update) Tail() (*Tail, error) {
	t := &Tail{Base: u.doc.src.size, Bytes: make([]byte, 0, u.room()), spans: map[string]Span{}}
	if err := u.startLine(t); err != nil {
		return nil, err
	}
	refs := slices.SortedFunc(maps.Keys(u.set), func(a, b Ref) int { return a.Num - b.Num })
	for i := u.doc.HighestObject() + 1; i < u.next; i++ {
		if _, ok := u.set[Ref{Num: i}]; !ok {
			return nil, fmt.Errorf("pdf: object %d is reserved but not set", i)
		}
	}
	if u.next > maxObjectNumber {
		return nil, unsupportedf("no free object numbers")
	}
	rows := make([]entry, 0, len(refs)+1)
	for _, ref := range refs {
		rows = append(rows, entry{kind: entryOffset, num: uint32(ref.Num), gen: uint16(ref.Gen), off: t.Size()})
		if err := t.object(ref, u.set[ref]); err != nil {
			return nil, err
		}
	}
	trailer := u.trailer(t)
	last := u.doc.revisions[len(u.doc.revisions)-1]
	if last.Kind == XrefStream {
		return t, u.xrefStream(t, trailer, rows)
	}
	u.xrefTable(t, trailer, rows)
	return t, nil
}

// room is about what the update takes: what is long in one is the container of a signature.
func (u *Update) room() int {
	n := 1024
	for _, o := range u.set {
		n += 128
		d, _ := o.(Dict)
		for _, v := range d {
			if p, ok := v.(Placeholder); ok {
				n += len(p.Bytes)
			}
		}
	}
	return n
}

// startLine begins a new line if the base does not end with one.
func (u *Update) startLine(t *Tail) error {
	last, err := u.doc.src.view(t.Base - 1)
	if err != nil {
		return err
	}
	if last[0] != '\n' && last[0] != '\r' {
		t.Bytes = append(t.Bytes, '\n')
	}
	return nil
}

func (u *Update) trailer(t *Tail) Dict {
	base := u.doc.Trailer()
	d := Dict{"Size": Integer(u.next), "Prev": Integer(u.doc.startXref), "Root": base["Root"]}
	if info, ok := base["Info"]; ok {
		d["Info"] = info
	}
	if id, err := Get[Array](u.doc, base["ID"]); err == nil && len(id) == 2 {
		h := sha256.New()
		h.Write(AppendObject(nil, id))
		_ = binary.Write(h, binary.BigEndian, t.Base) // a hash does not fail
		h.Write(t.Bytes)
		d["ID"] = Array{id[0], String(h.Sum(nil)[:16])}
	}
	return d
}

func (u *Update) xrefTable(t *Tail, trailer Dict, rows []entry) {
	at := t.Size()
	t.Bytes = append(t.Bytes, "xref\n"...)
	for run := range consecutive(rows) {
		t.Bytes = fmt.Appendf(t.Bytes, "%d %d\n", run[0].num, len(run))
		for _, e := range run {
			t.Bytes = fmt.Appendf(t.Bytes, "%010d %05d n\r\n", e.off, e.gen)
		}
	}
	t.Bytes = append(t.Bytes, "trailer\n"...)
	t.Bytes = AppendObject(t.Bytes, trailer)
	t.Bytes = fmt.Appendf(t.Bytes, "\nstartxref\n%d\n%%%%EOF\n", at)
}

// xrefStream writes the section as a stream that lists itself too.
func (u *Update) xrefStream(t *Tail, trailer Dict, rows []entry) error {
	at := t.Size()
	self := Ref{Num: u.next}
	rows = append(rows, entry{kind: entryOffset, num: uint32(self.Num), off: at})
	var index Array
	var data []byte
	for run := range consecutive(rows) {
		index = append(index, Integer(run[0].num), Integer(len(run)))
		for _, e := range run {
			data = append(data, 1)
			data = binary.BigEndian.AppendUint64(data, uint64(e.off))
			data = binary.BigEndian.AppendUint16(data, e.gen)
		}
	}
	trailer["Type"], trailer["Size"] = Name("XRef"), Integer(self.Num+1)
	trailer["W"], trailer["Index"] = Array{Integer(1), Integer(8), Integer(2)}, index
	if err := t.object(self, &NewStream{Dict: trailer, Data: data}); err != nil {
		return err
	}
	t.Bytes = fmt.Appendf(t.Bytes, "startxref\n%d\n%%%%EOF\n", at)
	return nil
}

// consecutive yields the runs of rows whose numbers follow each other.
func consecutive(rows []entry) func(yield func([]entry) bool) {
	return func(yield func([]entry) bool) {
		for len(rows) > 0 {
			n := 1
			for n < len(rows) && rows[n].num == rows[n-1].num+1 {
				n++
			}
			if !yield(rows[:n]) {
				return
			}
			rows = rows[n:]
		}
	}
}

// Tail is the bytes of a revision.
type Tail struct {
	Base  int64 // size of the file they are appended to
	Bytes []byte
	spans map[string]Span
}

// object appends an indirect object.
func (t *Tail) object(ref Ref, o Object) error {
	s, isStream := o.(*NewStream)
	if isStream {
		dict := s.Dict.Clone()
		dict["Length"] = Integer(len(s.Data))
		o = dict
	}
	if _, ok := o.(*Stream); ok {
		return fmt.Errorf("pdf: object %d is a stream of the base and cannot be set", ref.Num)
	}
	twice := ""
	t.Bytes = fmt.Appendf(t.Bytes, "%d %d obj\n", ref.Num, ref.Gen)
	t.Bytes = appendObject(t.Bytes, o, func(p Placeholder, at int) {
		if _, ok := t.spans[p.Name]; ok {
			twice = p.Name
		}
		start := t.Base + int64(at)
		t.spans[p.Name] = Span{Start: start, End: start + int64(len(p.Bytes))}
	})
	if twice != "" {
		return fmt.Errorf("pdf: placeholder %q set twice", twice)
	}
	if isStream {
		t.Bytes = append(t.Bytes, "\nstream\n"...)
		t.Bytes = append(t.Bytes, s.Data...)
		t.Bytes = append(t.Bytes, "\nendstream"...)
	}
	t.Bytes = append(t.Bytes, "\nendobj\n"...)
	return nil
}

// Span of the placeholder name, in the whole file (base and tail).
func (t *Tail) Span(name string) (Span, bool) {
	s, ok := t.spans[name]
	return s, ok
}

// Patch replaces the placeholder's bytes; b must have its exact length.
func (t *Tail) Patch(name string, b []byte) error {
	s, ok := t.spans[name]
	if !ok || int64(len(b)) != s.End-s.Start {
		return fmt.Errorf("pdf: no placeholder %q of %d bytes", name, len(b))
	}
	copy(t.Bytes[s.Start-t.Base:], b)
	return nil
}

// Size of base and tail.
func (t *Tail) Size() int64 { return t.Base + int64(len(t.Bytes)) }

// ReaderAt reads base followed by the tail.
func (t *Tail) ReaderAt(base io.ReaderAt) io.ReaderAt { return &appended{base: base, tail: t} }

type appended struct {
	base io.ReaderAt
	tail *Tail
}

func (a *appended) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("pdf: negative offset")
	}
	n := 0
	if off < a.tail.Base {
		want := p[:min(int64(len(p)), a.tail.Base-off)]
		if err := readFull(a.base, want, off); err != nil {
			return 0, err
		}
		n = len(want)
	}
	if n == len(p) {
		return n, nil
	}
	at := off + int64(n) - a.tail.Base
	if at < int64(len(a.tail.Bytes)) {
		n += copy(p[n:], a.tail.Bytes[at:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
