package pdf

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"
)

// Writer makes a new PDF 1.7 as a stream: pages of other documents, images and attachments, in PDF/A-3 dress (XMP, sRGB OutputIntent,
// /ID, /AF) where its content allows. Nothing is held in memory but cross-references and small dictionaries.
//
// After an error of the output, or of a source in the middle of a stream, the file cannot be finished: every later call returns that error.
// A source refused before (see ImportPages) leaves the Writer as it was.
type Writer struct {
	out     *bufio.Writer
	written int64
	err     error
	meta    Meta

	offsets []int64 // by object number; 0: not written
	catalog Ref
	tree    Ref   // root of the page tree
	nodes   []Ref // its children, each with pagesPerNode pages
	pages   []Ref

	bookmarks  []bookmark
	files      []namedFile
	names      map[String]bool // of files
	layers     []Ref           // optional content groups
	layersOff  []Ref
	conformant bool // every page so far may be in PDF/A-3b
}

// Meta of the document. Title etc. any Unicode. ID: 16 bytes of file identifier.
type Meta struct {
	Title, Author, Subject, Language string // Language "vi-VN"
	Creator                          string // the program that ordered the document
	Created                          time.Time
	ID                               [16]byte
}

type bookmark struct {
	title string
	page  int
}

const (
	producer     = "Trien"
	pagesPerNode = 64
	maxTableFile = 9_999_999_999 // offsets have ten digits
)

// NewWriter writes the header. Equal Meta and equal content give equal bytes.
func NewWriter(w io.Writer, m Meta) (*Writer, error) {
	pw := &Writer{out: bufio.NewWriterSize(w, 64<<10), meta: m, offsets: make([]int64, 1), names: map[String]bool{}, conformant: true}
	pw.catalog = pw.reserve()
	pw.tree = pw.reserve()
	// The comment says that the file is binary (7.5.2), in the four bytes above 127 that PDF/A asks for.
	return pw, pw.write([]byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"))
}

// Pages written so far.
func (w *Writer) Pages() int { return len(w.pages) }

// Bookmark adds an outline entry to the 0-based page given, which may be written later.
func (w *Writer) Bookmark(title string, page int) {
	w.bookmarks = append(w.bookmarks, bookmark{title: title, page: page})
}

var errClosed = errors.New("pdf: writer is closed")

// fail makes err stick.
func (w *Writer) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return w.err
}

func (w *Writer) write(b []byte) error {
	if w.err != nil {
		return w.err
	}
	n, err := w.out.Write(b)
	w.written += int64(n)
	if err != nil {
		return w.fail(fmt.Errorf("writing PDF: %w", err))
	}
	return nil
}

func (w *Writer) reserve() Ref {
	w.offsets = append(w.offsets, 0)
	return Ref{Num: len(w.offsets) - 1}
}

// add writes o under a fresh number.
func (w *Writer) add(o Object) (Ref, error) {
	r := w.reserve()
	return r, w.set(r, o)
}

// set writes o as object r, once.
func (w *Writer) set(r Ref, o Object) error {
	if err := w.begin(r); err != nil {
		return err
	}
	s, isStream := o.(*NewStream)
	if isStream {
		dict := s.Dict.Clone()
		dict["Length"] = Integer(len(s.Data))
		o = dict
	}
	b := AppendObject(nil, o)
	if isStream {
		b = append(b, "\nstream\n"...)
		b = append(b, s.Data...)
		b = append(b, "\nendstream"...)
	}
	return w.write(append(b, "\nendobj\n"...))
}

func (w *Writer) begin(r Ref) error {
	if w.err != nil {
		return w.err
	}
	if w.written > maxTableFile {
		return w.fail(unsupportedf("file longer than %d bytes", int64(maxTableFile)))
	}
	w.offsets[r.Num] = w.written
	return w.write(fmt.Appendf(nil, "%d 0 obj\n", r.Num))
}

// copyStream writes a stream of exactly length bytes of data.
func (w *Writer) copyStream(r Ref, dict Dict, data io.Reader, length int64) error {
	return w.makeStream(r, dict, length, func(body io.Writer) error {
		_, err := io.Copy(body, io.LimitReader(data, length))
		return err
	})
}

// makeStream writes a stream with the data that produce writes: exactly length bytes, or any number if length is negative; then /Length follows
// as an object of its own.
func (w *Writer) makeStream(r Ref, dict Dict, length int64, produce func(io.Writer) error) error {
	dict = dict.Clone()
	var later Ref
	if length < 0 {
		later = w.reserve()
		dict["Length"] = later
	} else {
		dict["Length"] = Integer(length)
	}
	if err := w.begin(r); err != nil {
		return err
	}
	if err := w.write(append(AppendObject(nil, dict), "\nstream\n"...)); err != nil {
		return err
	}
	start := w.written
	if err := produce((*streamBody)(w)); err != nil {
		return w.fail(fmt.Errorf("writing data of a stream: %w", err))
	}
	n := w.written - start
	if length >= 0 && n != length {
		return w.fail(fmt.Errorf("writing data of a stream: %w: %d bytes instead of %d", io.ErrUnexpectedEOF, n, length))
	}
	if err := w.write([]byte("\nendstream\nendobj\n")); err != nil || length >= 0 {
		return err
	}
	return w.set(later, Integer(n))
}

// streamBody is a Writer seen as the body of its open stream.
type streamBody Writer

func (b *streamBody) Write(p []byte) (int, error) {
	if err := (*Writer)(b).write(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// addPage writes a page; dict is completed with type and parent.
func (w *Writer) addPage(dict Dict) error {
	if len(w.pages)%pagesPerNode == 0 && len(w.pages)/pagesPerNode == len(w.nodes) {
		w.nodes = append(w.nodes, w.reserve())
	}
	dict["Type"] = Name("Page")
	dict["Parent"] = w.nodes[len(w.pages)/pagesPerNode]
	r, err := w.add(dict)
	if err != nil {
		return err
	}
	w.pages = append(w.pages, r)
	return nil
}
