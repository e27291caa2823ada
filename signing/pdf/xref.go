package pdf

import (
	"bytes"
	"slices"
)

// section is one cross-reference section; its entries are xref.entries[lo:hi], those that win first.
type section struct {
	kind    XrefKind
	offset  int64
	end     int64 // after its %%EOF
	closed  bool  // there is an %%EOF
	trailer Dict
	lo, hi  int
}

// numberSet is a set of object numbers, a bit for each.
type numberSet []uint64

// add reports whether num was not in the set. It expects 0 <= num <= maxObjectNumber.
func (s *numberSet) add(num int) bool {
	word, bit := num/64, uint64(1)<<(num%64)
	if missing := word + 1 - len(*s); missing > 0 {
		*s = append(*s, make([]uint64, missing)...)
	}
	if (*s)[word]&bit != 0 {
		return false
	}
	(*s)[word] |= bit
	return true
}

// xref is the whole cross-reference: entries of all sections, the latest first, and for each object the entry that counts.
type xref struct {
	entries  entryList
	sections []section
	counts   numberMap // by object number: 1 + index of the entry that counts
	highest  int       // highest object number defined
}

func (x *xref) find(num int) (entry, bool) {
	i := x.counts.get(num)
	if i == 0 {
		return entry{}, false
	}
	return x.entries.at(int(i) - 1), true
}

func (x *xref) add(e entry) error {
	if e.num > maxObjectNumber {
		return unsupportedf("object number %d is above %d", e.num, maxObjectNumber)
	}
	if x.entries.len() == maxXrefEntries {
		return unsupportedf("more than %d cross-reference entries", maxXrefEntries)
	}
	x.entries.append(e)
	if x.counts.get(int(e.num)) == 0 {
		x.counts.set(int(e.num), int32(x.entries.len()))
	}
	x.highest = max(x.highest, int(e.num))
	return nil
}

// addEntry adds an entry of section s. Readers differ on which of two entries in one section counts; in a hybrid file the free ones are meant to
// be overridden.
func (d *Document) addEntry(e entry, s *section) error {
	if i := int(d.xref.counts.get(int(min(e.num, maxObjectNumber)))); i > s.lo && e.num != 0 && (e.kind != entryFree || s.kind != XrefHybrid) {
		d.note("xref-duplicate", s.offset, "object "+itoa(int(e.num))+" stands twice in one cross-reference section")
	}
	return d.xref.add(e)
}

// readXref follows the chain of sections from the last startxref.
func (d *Document) readXref() error {
	start, err := d.findStartXref()
	if err != nil {
		return err
	}
	d.startXref = start
	seen := map[int64]bool{}
	for off := start; ; {
		if seen[off] {
			return damagedf("the chain of cross-reference sections comes back to offset %d", off)
		}
		if len(seen) == maxXrefSections {
			return unsupportedf("more than %d revisions", maxXrefSections)
		}
		seen[off] = true
		s, err := d.readSection(off)
		if err != nil {
			return err
		}
		d.xref.sections = append(d.xref.sections, s)
		prev, ok := s.trailer["Prev"]
		if !ok {
			return nil
		}
		p, whole := prev.(Integer)
		if !whole || p < 0 || int64(p) >= d.src.size {
			return damagedf("/Prev of the cross-reference section at offset %d does not point into the file", off)
		}
		if p == 0 { // written by some producers for "none"
			d.note("prev-zero", off, "/Prev 0 taken as absent")
			return nil
		}
		off = int64(p)
	}
}

// findStartXref reads the offset after the last startxref, which stands within the last bytes of the file.
func (d *Document) findStartXref() (int64, error) {
	tail, err := d.src.last(2048)
	if err != nil {
		return 0, err
	}
	i := bytes.LastIndex(tail, []byte("startxref"))
	if i < 0 {
		return 0, damagedf("no startxref at the end: the file is cut off or not a PDF")
	}
	l := newLexer(d.src, d.src.size-int64(len(tail)-i-len("startxref")))
	off, ok := l.unsigned()
	if l.err != nil {
		return 0, l.err
	}
	if !ok || off >= d.src.size {
		return 0, damagedf("startxref does not point into the file")
	}
	l.skipBlank()
	if !l.accept("%%EOF") {
		d.note("no-eof", l.offset(), "no end-of-file marker after startxref")
		return off, l.err
	}
	l.skipBlank()
	if l.offset() != d.src.size {
		d.note("trailing-bytes", l.offset(), "bytes after the end-of-file marker")
	}
	return off, l.err
}

func (d *Document) readSection(off int64) (section, error) {
	l := newLexer(d.src, off)
	l.skipSpace()
	if l.offset() != off {
		d.note("xref-offset", off, "cross-reference offset points before the section")
	}
	s := section{offset: off, lo: d.xref.entries.len()}
	var err error
	if l.keyword("xref") {
		err = d.readTable(&l, &s)
	} else if l.err != nil {
		err = l.err
	} else {
		var end int64
		s.kind = XrefStream
		s.trailer, end, err = d.readXrefStream(l.offset(), &s)
		l = newLexer(d.src, end)
	}
	if err != nil {
		return section{}, err
	}
	s.hi = d.xref.entries.len()
	s.end, s.closed = sectionEnd(&l)
	return s, l.err
}

// sectionEnd finds the end-of-file marker that closes a section, if there is one.
func sectionEnd(l *lexer) (int64, bool) {
	l.skipSpace()
	l.keyword("endobj")
	l.skipSpace()
	after := l.offset()
	if !l.keyword("startxref") {
		return after, false
	}
	if _, ok := l.unsigned(); !ok {
		return after, false
	}
	l.skipBlank()
	if !l.accept("%%EOF") {
		return after, false
	}
	l.accept("\r")
	l.accept("\n")
	return l.offset(), true
}

// readTable reads a classic table and its trailer; l stands after "xref". In a hybrid file the entries of its /XRefStm stand between the used and
// the free ones, because objects hidden from old readers are free in the table (7.5.8.4).
func (d *Document) readTable(l *lexer, s *section) error {
	free, err := d.readSubsections(l, s)
	if err != nil {
		return err
	}
	p := newParser(*l, d.note)
	o, err := p.object(0)
	if err != nil {
		return err
	}
	*l = p.lexer
	trailer, ok := o.(Dict)
	if !ok {
		return damagedf("the trailer at offset %d is not a dictionary", p.start)
	}
	s.trailer = trailer
	if at, hybrid := s.trailer["XRefStm"]; hybrid {
		off, ok := at.(Integer)
		if !ok || off <= 0 || int64(off) >= d.src.size {
			return damagedf("/XRefStm of the trailer does not point into the file")
		}
		s.kind = XrefHybrid
		if _, _, err := d.readXrefStream(int64(off), s); err != nil {
			return err
		}
	}
	for i := range free.len() {
		if err := d.addEntry(free.at(i), s); err != nil {
			return err
		}
	}
	return nil
}

// readSubsections reads up to and with "trailer". It adds the entries of objects in use to section s and returns the others.
func (d *Document) readSubsections(l *lexer, s *section) (free *entryList, err error) {
	free = new(entryList)
	for first := true; ; first = false {
		l.skipSpace()
		if l.keyword("trailer") {
			return free, nil
		}
		start, ok1 := l.unsigned()
		count, ok2 := l.unsigned()
		if !ok1 || !ok2 {
			return nil, l.damage("malformed cross-reference table")
		}
		for i := int64(0); i < count; i++ {
			e, err := readTableEntry(l, start+i)
			if err != nil {
				return nil, err
			}
			// A frequent fault: the list of free objects heads the table but the numbering starts with 1.
			if first && i == 0 && start == 1 && e.kind == entryFree && e.gen == 65535 {
				d.note("xref-numbering", l.offset(), "cross-reference table starts with 1 instead of 0")
				start, e.num = 0, 0
			}
			if free.len()+d.xref.entries.len() >= maxXrefEntries {
				return nil, unsupportedf("more than %d cross-reference entries", maxXrefEntries)
			}
			if e.kind == entryFree {
				free.append(e)
			} else if err := d.addEntry(e, s); err != nil {
				return nil, err
			}
		}
	}
}

func (l *lexer) damage(text string) error {
	if l.err != nil {
		return l.err
	}
	return damagedf("%s at offset %d", text, l.offset())
}

func readTableEntry(l *lexer, num int64) (entry, error) {
	off, ok1 := l.unsigned()
	gen, ok2 := l.unsigned()
	l.skipSpace()
	c, ok3 := l.next()
	if c == 'f' && gen > 65535 { // mutool writes 65536; the generation of what is free for ever says nothing
		gen = 65535
	}
	if !ok1 || !ok2 || !ok3 || c != 'n' && c != 'f' || gen > 65535 {
		return entry{}, l.damage("malformed cross-reference entry")
	}
	if num > maxObjectNumber {
		return entry{}, unsupportedf("object number %d is above %d", num, maxObjectNumber)
	}
	e := entry{num: uint32(num), gen: uint16(gen)}
	if c == 'n' && off > 0 && num > 0 {
		e.kind, e.off = entryOffset, off
	}
	return e, nil
}

// sectionEntries returns the entries of sections i (of xref.sections) and those after it up to n, by object number, the one that counts for each.
func (x *xref) sectionEntries(from, to int) []entry {
	var all []int32
	for _, s := range x.sections[from:to] {
		for i := s.lo; i < s.hi; i++ {
			all = append(all, int32(i))
		}
	}
	slices.SortStableFunc(all, func(a, b int32) int {
		return int(x.entries.number(int(a))) - int(x.entries.number(int(b)))
	})
	all = slices.CompactFunc(all, func(a, b int32) bool { return x.entries.number(int(a)) == x.entries.number(int(b)) })
	out := make([]entry, len(all))
	for i, j := range all {
		out[i] = x.entries.at(int(j))
	}
	return out
}
