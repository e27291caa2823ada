package pdf

import (
	"io"
	"iter"
	"time"
)

// Document is an open PDF, read by range; only cross-reference, trailer and touched objects are in memory, cached within a bound.
// It is not safe for concurrent use; many Documents may read one io.ReaderAt.
type Document struct{}

// Open reads the cross-reference (tables, streams, hybrid, /Prev chains, linearised) and the trailer of the size bytes of r.
// Errors wrap the kinds above. The catalog is not looked at.
func Open(r io.ReaderAt, size int64) (*Document, error) { panic("contract") }

// Size of the file in bytes.
func (d *Document) Size() int64 { panic("contract") }

// Reader of the whole file, for exact bytes.
func (d *Document) Reader() io.ReaderAt { panic("contract") }

// Version is the later of header and catalog, e.g. "1.7".
func (d *Document) Version() string { panic("contract") }

// Trailer of the latest section (of a cross-reference stream: its dictionary).
func (d *Document) Trailer() Dict { panic("contract") }

// Root is the reference of the catalog.
func (d *Document) Root() Ref { panic("contract") }

// Catalog returns the catalog.
func (d *Document) Catalog() (Dict, error) { panic("contract") }

// StartXref is the offset of the latest cross-reference section, as written after the last startxref.
func (d *Document) StartXref() int64 { panic("contract") }

// Object reads the indirect object ref; nil if it is free, not defined or of another generation, as the standard says.
func (d *Document) Object(ref Ref) (Object, error) { panic("contract") }

// Resolve follows references until o is a direct object.
func (d *Document) Resolve(o Object) (Object, error) { panic("contract") }

// Get resolves o and asserts its kind: zero value and nil for null, an error wrapping ErrDamaged for another kind.
// An Integer passes for a Real.
func Get[T Object](d *Document, o Object) (T, error) { panic("contract") }

// XrefKind is the form of a cross-reference section.
type XrefKind int

const (
	XrefTable XrefKind = iota
	XrefStream
	XrefHybrid // a table with /XRefStm
)

// Entry is one object as a revision (re)defines it.
type Entry struct {
	Ref        Ref
	Free       bool
	Offset     int64 // in the file; 0 if free or Compressed
	Compressed bool  // stands in an object stream
	Stream     int   // the object stream's number if Compressed
	Index      int   // index within it
}

// Revision is one saving of the file: a cross-reference section (two in a linearised or hybrid file) and what it defines.
type Revision struct {
	Index     int   // 0 is the oldest
	StartXref int64 // offset of its (newest) section
	Kind      XrefKind
	Trailer   Dict
	End       int64 // offset just after its %%EOF and, if present, the end of line after it
}

// Revisions, the oldest first.
func (d *Document) Revisions() []Revision { panic("contract") }

// Entries of revision i (0 the oldest) by object number.
func (d *Document) Entries(i int) iter.Seq[Entry] { panic("contract") }

// At opens the file as it was at revision i: its first End bytes.
func (d *Document) At(i int) (*Document, error) { panic("contract") }

// Anomaly is a departure from the standard that was tolerated; a judge of signatures may not want to. Only what was read is noted.
type Anomaly struct {
	Code   string // stable, e.g. "duplicate-key"
	Offset int64
	Text   string
}

// Anomalies met so far (at most 100 are kept).
func (d *Document) Anomalies() []Anomaly { panic("contract") }

// Span is a range of bytes of the file, End exclusive.
type Span struct{ Start, End int64 }

// Spans returns where in the file the values of the dictionary ref stand, delimiters included: for a signature's /Contents from '<' to
// just after '>'. path leads through direct dictionaries inside ref (e.g. "V"). An error wraps ErrUnsupported if the object stands in an
// object stream, ErrDamaged if a key is repeated or path leads elsewhere than to a direct dictionary.
func (d *Document) Spans(ref Ref, path ...Name) (map[Name]Span, error) { panic("contract") }

// Stream is a stream in a file.
type Stream struct {
	Dict Dict
}

// Raw reads the stored bytes.
func (s *Stream) Raw() *io.SectionReader { panic("contract") }

// Decoded reads through the filters (Flate with predictors, ASCIIHex, ASCII85, RunLength), at most limit bytes: more is
// ErrUnsupported, as are other filters.
func (s *Stream) Decoded(limit int64) (io.ReadCloser, error) { panic("contract") }

// Page is a leaf of the page tree with its inherited attributes resolved.
type Page struct {
	Ref       Ref
	Dict      Dict
	Resources Object     // as it stands: nil, a Dict or a Ref
	MediaBox  [4]float64 // normalised: x0 < x1, y0 < y1
	CropBox   [4]float64 // within MediaBox; equal to it if absent
	Rotate    int        // 0, 90, 180, 270
}

// Pages walks the page tree in order. After an error the walk ends.
func (d *Document) Pages() iter.Seq2[Page, error] { panic("contract") }

// Update is an incremental update of a Document: objects added or replaced, written after its last byte.
type Update struct{}

// NewUpdate starts an update on the latest revision of d.
func NewUpdate(d *Document) (*Update, error) { panic("contract") }

// Reserve returns a fresh object number, to be given an object by Set.
func (u *Update) Reserve() Ref { panic("contract") }

// Add puts o under a fresh number.
func (u *Update) Add(o Object) Ref { panic("contract") }

// Set puts o under ref, replacing what the base has there.
func (u *Update) Set(ref Ref, o Object) { panic("contract") }

// Object is what ref will be: set in this update, or else as in the base.
func (u *Update) Object(ref Ref) (Object, error) { panic("contract") }

// Tail writes the update: the bytes to append to the base. The cross-reference has the form of the base's latest section; /Root, /Info and the
// first /ID are kept. Placeholder names must be unique. All references set must be reserved ones or of the base.
func (u *Update) Tail() (*Tail, error) { panic("contract") }

// Tail is the bytes of a revision.
type Tail struct {
	Base  int64 // size of the file they are appended to
	Bytes []byte
}

// Span of the placeholder name, in the whole file (base and tail).
func (t *Tail) Span(name string) (Span, bool) { panic("contract") }

// Patch replaces the placeholder's bytes; b must have its exact length.
func (t *Tail) Patch(name string, b []byte) error { panic("contract") }

// Size of base and tail.
func (t *Tail) Size() int64 { panic("contract") }

// ReaderAt reads base followed by the tail.
func (t *Tail) ReaderAt(base io.ReaderAt) io.ReaderAt { panic("contract") }

// Info of a document, for intake checks.
type Info struct {
	Version string // "1.7"
	Pages   int
	Signed  bool   // has signature fields with values
	PDFA    string // "3b" when its XMP claims it, else ""
}

// Check opens the document and walks catalog and page tree to the last page, so that a truncated or damaged file is refused with its reason.
func Check(r io.ReaderAt, size int64) (Info, error) { panic("contract") }

// Writer makes a new PDF 1.7 as a stream: pages of other documents, images and attachments, in PDF/A-3 dress (XMP, sRGB OutputIntent,
// /ID, /AF) where its content allows. Nothing is held in memory but cross-references and small dictionaries.
type Writer struct{}

// Meta of the document. Title etc. any Unicode. ID: 16 bytes of file identifier.
type Meta struct {
	Title, Author, Subject, Language string // Language "vi-VN"
	Creator                          string
	Created                          time.Time
	ID                               [16]byte
}

func NewWriter(w io.Writer, m Meta) (*Writer, error) { panic("contract") }

// ImportPages copies all pages of src (inherited attributes resolved, objects renumbered, streams copied raw) and returns how many.
// Annotations: only links to URIs and appearances of form fields/signatures survive (flattened into the page where visible); no scripts, no actions.
func (w *Writer) ImportPages(src io.ReaderAt, size int64) (pages int, err error) { panic("contract") }

// ImportOwnPages is ImportPages for a document made by this program with all that PDF/A-3b asks of pages (fonts embedded, no device CMYK):
// it does not take away the claim.
func (w *Writer) ImportOwnPages(src io.ReaderAt, size int64) (pages int, err error) {
	panic("contract")
}

// AddImage makes an A4 page (or landscape) with a JPEG, PNG or TIFF (all its pages) fitted to the margins.
func (w *Writer) AddImage(mediaType string, src io.ReaderAt, size int64) (pages int, err error) {
	panic("contract")
}

// Bookmark adds an outline entry to the 0-based page given.
func (w *Writer) Bookmark(title string, page int) { panic("contract") }

// Attachment is an embedded file, stored raw (no filter) so that it can be read by range.
type Attachment struct {
	Name, Description, MediaType string
	Relationship                 string // "Source", "Data", "Supplement", "Unspecified"
	Modified                     time.Time
	Size                         int64 // exact; the writer fails if Content differs
	Content                      io.Reader
}

func (w *Writer) Attach(a Attachment) error { panic("contract") }

// Pages written so far.
func (w *Writer) Pages() int { panic("contract") }

// Close writes page tree, names, outline, metadata and cross-reference.
func (w *Writer) Close() error { panic("contract") }

// EmbeddedFile found in a document's EmbeddedFiles name tree.
type EmbeddedFile struct {
	Name, Description, MediaType, Relationship string
	Size                                       int64
	// Content reads the raw bytes by range. It is ErrUnsupported if the stream has a filter other than none or (bounded) Flate.
	Content *io.SectionReader
}

// Attachments lists embedded files of the latest revision in name order. Duplicate names are ErrDamaged.
func (d *Document) Attachments() ([]EmbeddedFile, error) { panic("contract") }

// PageCount walks the page tree.
func (d *Document) PageCount() (int, error) { panic("contract") }
