package pdf

import (
	"io"
	"time"
)

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

