package bundle

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// ContentsFormat is the first line of a contents listing.
const ContentsFormat = "trien/dossier/v1"

const (
	contentsTime     = "2006-01-02T15:04:05.000000Z"
	maxLine          = 1000    // bytes of purpose and titles
	maxContentsBytes = 8 << 20 // maxRecords of the longest
)

// Contents is the machine-readable listing of an export (attachment dossier.txt): exactly which documents must be in it.
type Contents struct {
	Export, Dossier uuid.UUID
	Register        string    // code
	Exported        time.Time // whole microseconds
	Purpose         string    // one line; may be empty
	Pages           int       // of the whole export
	Entries         []Entry
}

// Entry lists one document.
type Entry struct {
	Version             uuid.UUID
	Kind                string // code, as in the manifest
	Number              int    // of the version, from 1
	MediaType           string
	FirstPage, LastPage int // of the export, from 1
	Title               string
}

// MarshalText gives the one canonical text: fixed line order, "key value\n", UTF-8. Errors wrap [ErrMalformed] and name the field.
func (c Contents) MarshalText() ([]byte, error) {
	if field := c.invalidField(); field != "" {
		return nil, fmt.Errorf("%w: field %q", ErrMalformed, field)
	}
	purpose := c.Purpose
	if purpose == "" {
		purpose = "-"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nexport %s\ndossier %s\nregister %s\n", ContentsFormat, c.Export, c.Dossier, c.Register)
	fmt.Fprintf(&b, "exported %s\npurpose %s\n", c.Exported.UTC().Format(contentsTime), purpose)
	fmt.Fprintf(&b, "pages %d\ndocuments %d\n", c.Pages, len(c.Entries))
	for i, e := range c.Entries {
		fmt.Fprintf(&b, "\ndocument %d\nversion %s\nkind %s\nnumber %d\nmedia-type %s\n", i+1, e.Version, e.Kind, e.Number, e.MediaType)
		fmt.Fprintf(&b, "file %s\npages %d-%d\ntitle %s\n", c.OriginalName(i), e.FirstPage, e.LastPage, e.Title)
	}
	if b.Len() > maxContentsBytes {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, maxContentsBytes)
	}
	return b.Bytes(), nil
}

// invalidField names the first field that has no canonical text, or "".
func (c Contents) invalidField() string {
	utc := c.Exported.UTC()
	switch {
	case c.Export == uuid.Nil:
		return "export"
	case c.Dossier == uuid.Nil:
		return "dossier"
	case !validCode(c.Register):
		return "register"
	case utc.Nanosecond()%1000 != 0 || utc.Year() < 1 || utc.Year() > 9999:
		return "exported"
	case c.Purpose != "" && !validLine(c.Purpose):
		return "purpose"
	case len(c.Entries) == 0 || len(c.Entries) > maxRecords:
		return "documents"
	}
	next := 0
	seen := make(map[uuid.UUID]bool)
	for _, e := range c.Entries {
		switch {
		case e.Version == uuid.Nil || seen[e.Version]:
			return "version"
		case !validCode(e.Kind):
			return "kind"
		case e.Number < 1:
			return "number"
		case !validMediaType(e.MediaType):
			return "media-type"
		case e.FirstPage < 2 || e.LastPage < e.FirstPage || next != 0 && e.FirstPage != next:
			return "pages"
		case !validLine(e.Title):
			return "title"
		}
		seen[e.Version] = true
		next = e.LastPage + 1
	}
	if c.Pages != next-1 {
		return "pages"
	}
	return ""
}

// ParseContents accepts exactly what [Contents.MarshalText] writes. Errors wrap [ErrMalformed].
func ParseContents(text []byte) (Contents, error) {
	c, err := parseContents(text)
	if err != nil {
		return Contents{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	again, err := c.MarshalText()
	if err != nil {
		return Contents{}, err
	}
	if !bytes.Equal(again, text) {
		return Contents{}, fmt.Errorf("%w: not in canonical form", ErrMalformed)
	}
	return c, nil
}

// parseContents reads leniently; its caller compares what the result marshals to.
func parseContents(text []byte) (Contents, error) {
	var c Contents
	if len(text) > maxContentsBytes {
		return c, fmt.Errorf("longer than %d bytes", maxContentsBytes)
	}
	format, rest, _ := strings.Cut(string(text), "\n")
	if format != ContentsFormat {
		return c, fmt.Errorf("first line is not %q", ContentsFormat)
	}
	var documents int
	r := lineReader{rest: rest}
	r.read("export", readUUID(&c.Export))
	r.read("dossier", readUUID(&c.Dossier))
	r.read("register", readString(&c.Register))
	r.read("exported", func(s string) (err error) { c.Exported, err = time.Parse(contentsTime, s); return err })
	r.read("purpose", func(s string) error {
		if s != "-" {
			c.Purpose = s
		}
		return nil
	})
	r.read("pages", readInt(&c.Pages))
	r.read("documents", readInt(&documents))
	for i := 0; i < documents && r.err == nil && i < maxRecords; i++ {
		var e Entry
		r.empty()
		r.read("document", func(string) error { return nil })
		r.read("version", readUUID(&e.Version))
		r.read("kind", readString(&e.Kind))
		r.read("number", readInt(&e.Number))
		r.read("media-type", readString(&e.MediaType))
		r.read("file", func(string) error { return nil })
		r.read("pages", func(s string) error {
			first, last, _ := strings.Cut(s, "-")
			if err := readInt(&e.FirstPage)(first); err != nil {
				return err
			}
			return readInt(&e.LastPage)(last)
		})
		r.read("title", readString(&e.Title))
		c.Entries = append(c.Entries, e)
	}
	return c, r.err
}

// lineReader takes "key value" lines off a text; after an error it reads no more.
type lineReader struct {
	rest string
	err  error
}

func (r *lineReader) read(key string, take func(string) error) {
	if r.err != nil {
		return
	}
	line, after, ended := strings.Cut(r.rest, "\n")
	value, keyed := strings.CutPrefix(line, key+" ")
	switch {
	case !ended || !keyed:
		r.err = fmt.Errorf("line %q is missing", key)
	case take(value) != nil:
		r.err = fmt.Errorf("line %q cannot be read", key)
	}
	r.rest = after
}

func (r *lineReader) empty() {
	if r.err != nil {
		return
	}
	after, ok := strings.CutPrefix(r.rest, "\n")
	if !ok {
		r.err = fmt.Errorf("empty line before a document is missing")
	}
	r.rest = after
}

func readString(to *string) func(string) error {
	return func(s string) error { *to = s; return nil }
}

func readUUID(to *uuid.UUID) func(string) error {
	return func(s string) (err error) { *to, err = uuid.Parse(s); return err }
}

func readInt(to *int) func(string) error {
	return func(s string) (err error) { *to, err = strconv.Atoi(s); return err }
}

// validCode: what the ledger allows in registers and kinds.
func validCode(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

func validMediaType(s string) bool {
	kind, sub, found := strings.Cut(s, "/")
	return found && kind != "" && sub != "" && len(s) <= 127 &&
		strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// validLine keeps a text on its line and visible: no control, no direction mark, no odd space.
func validLine(s string) bool {
	if s == "" || s == "-" || len(s) > maxLine || !utf8.ValidString(s) || strings.TrimSpace(s) != s {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) < 0
}
