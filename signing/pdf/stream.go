package pdf

import (
	"bytes"
	"errors"
	"io"
)

// Stream is a stream in a file. Its data is read by range when asked for.
type Stream struct {
	Dict   Dict
	doc    *Document
	start  int64
	length int64
	// closing is the number of bytes from the end of the data to after "endstream".
	closing int64
}

// Raw reads the stored bytes.
func (s *Stream) Raw() *io.SectionReader { return io.NewSectionReader(s.doc.src.r, s.start, s.length) }

// Span is where in the file the stored bytes stand.
func (s *Stream) Span() Span { return Span{s.start, s.start + s.length} }

// streamAt completes a stream whose dictionary was parsed: l stands after the keyword "stream".
func (d *Document) streamAt(l lexer, dict Dict, resolve func(Object) (Object, error)) (*Stream, error) {
	if c, ok := l.peek(); ok && (c == ' ' || c == '\t') {
		mark := l
		for c, ok = l.peek(); ok && (c == ' ' || c == '\t'); c, ok = l.peek() {
			l.pos++
		}
		if c != '\r' && c != '\n' {
			l = mark
		}
	}
	if l.accept("\r") {
		if !l.accept("\n") {
			d.note("stream-eol", l.offset(), "stream keyword followed by a lone carriage return")
		}
	} else if !l.accept("\n") {
		return nil, l.damage("no end of line after stream")
	}
	if _, outside := dict["F"]; outside {
		return nil, unsupportedf("stream at offset %d lies in another file", l.offset())
	}
	o := dict["Length"]
	if _, isRef := o.(Ref); isRef {
		if resolve == nil {
			return nil, damagedf("/Length of the cross-reference stream at offset %d is not direct", l.offset())
		}
		var err error
		if o, err = resolve(o); err != nil {
			return nil, err
		}
	}
	s := &Stream{Dict: dict, doc: d, start: l.offset()}
	n, ok := o.(Integer)
	if ok && n >= 0 && int64(n) <= d.src.size-s.start {
		s.length = int64(n)
		found, err := s.close()
		if err != nil || found {
			return s, err
		}
	} else {
		s.length = 0
	}
	return s, s.mend(int64(n))
}

// close looks for "endstream" after the data.
func (s *Stream) close() (bool, error) {
	l := newLexer(s.doc.src, s.start+s.length)
	l.skipBlank()
	found := l.accept("endstream")
	s.closing = l.offset() - s.start - s.length
	return found, l.err
}

// mend finds the end of a stream whose /Length is a little wrong, as older producers write it. Further away it is damage.
func (s *Stream) mend(said int64) error {
	const around = 4096
	from := max(s.start, min(s.start+max(said, 0), s.doc.src.size)-32)
	near := make([]byte, min(around, s.doc.src.size-from))
	if err := readFull(s.doc.src.r, near, from); err != nil {
		return err
	}
	i := bytes.Index(near, []byte("endstream"))
	if i < 0 {
		return damagedf("stream at offset %d has no end where its length says", s.start)
	}
	s.doc.note("stream-length", s.start, "stream length does not match its data")
	s.length = from + int64(i) - s.start
	s.closing = int64(len("endstream"))
	switch { // the end of line before endstream is not data
	case bytes.HasSuffix(near[:i], []byte("\r\n")):
		s.length -= 2
		s.closing += 2
	case bytes.HasSuffix(near[:i], []byte("\n")), bytes.HasSuffix(near[:i], []byte("\r")):
		s.length--
		s.closing++
	}
	return nil
}

// Decoded reads through the filters (Flate with predictors, ASCIIHex, ASCII85, RunLength): at most limit bytes, more is
// ErrUnsupported, as are other filters. Data that does not decode gives ErrDamaged while reading.
func (s *Stream) Decoded(limit int64) (io.ReadCloser, error) {
	names, parms, err := s.filters()
	if err != nil {
		return nil, err
	}
	raw := &rawReader{r: s.Raw()}
	var r io.Reader = raw
	for i, name := range names {
		if r, err = newFilter(name, parms[i], r); err != nil { // it may have read, through the filters below
			return nil, raw.sort(err)
		}
	}
	return io.NopCloser(&decodedReader{r: r, raw: raw, left: limit}), nil
}

// filters returns the names of the filters and their parameters (nil for none).
func (s *Stream) filters() ([]Name, []Dict, error) {
	list := func(key Name) (Array, error) {
		o, err := s.doc.Resolve(s.Dict[key])
		if err != nil || o == nil {
			return nil, err
		}
		if a, ok := o.(Array); ok {
			return a, nil
		}
		return Array{o}, nil
	}
	filters, err := list("Filter")
	if err != nil {
		return nil, nil, err
	}
	params, err := list("DecodeParms")
	if err != nil {
		return nil, nil, err
	}
	if len(filters) > maxFilters {
		return nil, nil, unsupportedf("stream with more than %d filters", maxFilters)
	}
	names := make([]Name, len(filters))
	dicts := make([]Dict, len(filters))
	for i, f := range filters {
		if names[i], err = Get[Name](s.doc, f); err != nil {
			return nil, nil, err
		}
		if i < len(params) {
			if dicts[i], err = Get[Dict](s.doc, params[i]); err != nil {
				return nil, nil, err
			}
		}
		direct := make(Dict, len(dicts[i]))
		for k, v := range dicts[i] {
			if direct[k], err = s.doc.Resolve(v); err != nil {
				return nil, nil, err
			}
		}
		dicts[i] = direct
	}
	return names, dicts, nil
}

// rawReader remembers an error of the reader below, so that it is not taken for damage of the data.
type rawReader struct {
	r   io.Reader
	err error
}

func (r *rawReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// sort gives the error of a filter its kind: the reader's own, or damage of the data.
func (r *rawReader) sort(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrDamaged), errors.Is(err, ErrUnsupported):
		return err
	case r.err != nil:
		return r.err
	}
	return damagedf("stream does not decode: %v", err)
}

// decodedReader bounds the decoded bytes.
type decodedReader struct {
	r    io.Reader
	raw  *rawReader
	left int64
}

func (r *decodedReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if int64(len(p)) > r.left+1 {
		p = p[:r.left+1]
	}
	n, err := r.r.Read(p)
	if int64(n) > r.left {
		return int(r.left), unsupportedf("decoded stream is too long")
	}
	r.left -= int64(n)
	if err == io.EOF && r.raw.err == nil {
		return n, io.EOF
	}
	return n, r.raw.sort(err)
}
