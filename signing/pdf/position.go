package pdf

// Span is a range of bytes of the file, End exclusive.
type Span struct{ Start, End int64 }

// Spans returns where in the file the values of the dictionary ref stand, delimiters included: for a signature's /Contents from '<' to
// just after '>'. path leads through direct dictionaries inside ref (e.g. "V"). An error wraps ErrUnsupported if the object stands in an
// object stream, ErrDamaged if a key is repeated or path leads elsewhere than to a direct dictionary.
func (d *Document) Spans(ref Ref, path ...Name) (map[Name]Span, error) {
	e, ok := d.xref.find(ref.Num)
	switch {
	case !ok || e.kind == entryFree || int(e.gen) != ref.Gen:
		return nil, damagedf("object %d is missing", ref.Num)
	case e.kind == entryCompressed:
		return nil, unsupportedf("object %d stands in an object stream", ref.Num)
	}
	p, found, err := d.objectHeader(e.off)
	if err != nil {
		return nil, err
	}
	if found != ref {
		return nil, damagedf("object %d stands in the place of object %d", found.Num, ref.Num)
	}
	spans, err := p.spans()
	for _, key := range path {
		if err != nil {
			return nil, err
		}
		at, ok := spans[key]
		if !ok {
			return nil, damagedf("object %d has no /%s", ref.Num, key)
		}
		p = newParser(newLexer(d.src, at.Start), d.note)
		spans, err = p.spans()
	}
	return spans, err
}

// spans parses a dictionary for the places of its values.
func (p *parser) spans() (map[Name]Span, error) {
	p.skipSpace()
	if !p.accept("<<") {
		return nil, p.fail("no dictionary")
	}
	spans := map[Name]Span{}
	for {
		p.skipSpace()
		if p.accept(">>") {
			return spans, nil
		}
		if c, ok := p.peek(); !ok || c != '/' {
			return nil, p.fail("dictionary key missing")
		}
		key, err := p.name()
		if err != nil {
			return nil, err
		}
		p.skipSpace()
		start := p.offset()
		if _, err := p.object(1); err != nil {
			return nil, err
		}
		if _, twice := spans[key]; twice {
			return nil, damagedf("key /%s repeated in the dictionary at offset %d", key, start)
		}
		spans[key] = Span{Start: start, End: p.offset()}
	}
}
