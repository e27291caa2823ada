package pdf

import (
	"io"
	"iter"
	"slices"
)

// XrefKind is the form of a cross-reference section.
type XrefKind int

const (
	XrefTable  XrefKind = iota // classic table
	XrefStream                 // cross-reference stream
	XrefHybrid                 // a table with /XRefStm
)

// Revision is one saving of the file: a cross-reference section (two in a linearised file) and what it defines.
type Revision struct {
	Index     int   // 0 is the oldest
	StartXref int64 // offset of its (newest) section
	Kind      XrefKind
	Trailer   Dict
	End       int64 // offset just after its %%EOF and, if present, the end of line after it
}

// Entry is one object as a revision (re)defines it.
type Entry struct {
	Ref        Ref
	Free       bool
	Offset     int64 // in the file; 0 if Free or Compressed
	Compressed bool  // stands in an object stream
	Stream     int   // the object stream's number if Compressed
	Index      int   // index within it
}

// sortRevisions groups the sections to revisions. A section whose /Prev points forward is the first-page section of a
// linearised file: it and the one it points to were written together.
func (d *Document) sortRevisions() {
	sections := d.xref.sections
	for i := 0; i < len(sections); {
		s := sections[i]
		r := Revision{StartXref: s.offset, Kind: s.kind, Trailer: s.trailer, End: s.end}
		closed := s.closed
		d.first = append(d.first, i)
		for i++; i < len(sections) && sections[i].offset > sections[i-1].offset; i++ {
			if sections[i].end > r.End {
				r.End, closed = sections[i].end, sections[i].closed
			}
		}
		if !closed {
			d.note("no-eof", r.End, "revision without an end-of-file marker")
		}
		d.revisions = append(d.revisions, r)
	}
	slices.Reverse(d.revisions)
	slices.Reverse(d.first)
	for i := range d.revisions {
		d.revisions[i].Index = i
		if i > 0 && d.revisions[i-1].End > d.revisions[i].StartXref {
			d.note("revision-order", d.revisions[i].StartXref, "revisions do not follow each other in the file")
		}
	}
}

// Revisions returns all revisions, the oldest first.
func (d *Document) Revisions() []Revision { return slices.Clone(d.revisions) }

// Entries of revision i (0 the oldest) by object number: all that it defines, object 0 left out.
func (d *Document) Entries(i int) iter.Seq[Entry] {
	to := len(d.xref.sections)
	if i > 0 {
		to = d.first[i-1]
	}
	return func(yield func(Entry) bool) {
		for _, e := range d.xref.sectionEntries(d.first[i], to) {
			if e.num != 0 && !yield(e.public()) {
				return
			}
		}
	}
}

func (e entry) public() Entry {
	out := Entry{Ref: Ref{Num: int(e.num), Gen: int(e.gen)}}
	switch e.kind {
	case entryOffset:
		out.Offset = e.off
	case entryCompressed:
		out.Compressed = true
		out.Stream, out.Index = e.container()
	default:
		out.Free = true
	}
	return out
}

// Entry returns where the latest revision has object num; false if no revision defines it.
func (d *Document) Entry(num int) (Entry, bool) {
	e, ok := d.xref.find(num)
	return e.public(), ok
}

// At opens the file as it was at revision i: its first End bytes, read anew from their own end.
func (d *Document) At(i int) (*Document, error) {
	end := min(d.revisions[i].End, d.src.size)
	return Open(io.NewSectionReader(d.src.r, 0, end), end)
}
