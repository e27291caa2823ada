package api

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"trien/ledger"
	"trien/vault"
)

const (
	maxField  = 4 << 10 // bytes of one field
	maxFields = 16
	fileField = "file"
	overhead  = 1 << 20 // of a form around its document
)

// takeDeposit streams a multipart form into the vault: fields first, then one file. check, where given, sees the fields before
// the file is read. A body that is refused early is drained within bounds, so that its sender gets the answer.
func (s *Server) takeDeposit(c *gin.Context, a vault.Actor, n vault.NewDeposit, check func(fields) error) (vault.Version, error) {
	v, err := s.depositForm(c, a, n, check)
	s.metrics.deposit(v.Size, err)
	if err != nil {
		return vault.Version{}, s.refuseBody(c, err)
	}
	return v, nil
}

func (s *Server) depositForm(c *gin.Context, a vault.Actor, n vault.NewDeposit, check func(fields) error) (vault.Version, error) {
	most := s.vault.MaxSize() + overhead
	if c.Request.ContentLength > most {
		return vault.Version{}, vault.ErrTooLarge
	}
	form, err := newForm(c.GetHeader("Content-Type"), s.body(c, most))
	if err != nil {
		return vault.Version{}, err
	}
	f, file, err := form.read(depositFields(check != nil, !n.Record.IsZero()))
	if err != nil {
		return vault.Version{}, err
	}
	if check != nil {
		if err := check(f); err != nil {
			return vault.Version{}, err
		}
	}
	if err := f.fill(&n); err != nil {
		return vault.Version{}, err
	}
	v, err := s.vault.Deposit(c.Request.Context(), a, n, file)
	if err == nil && !file.ended {
		drain(c) // the idempotency key was fulfilled before, and the file not read again
	}
	return v, err
}

// refuseBody drains what is left of a refused request, and passes on why.
func (s *Server) refuseBody(c *gin.Context, why error) error {
	switch {
	case errors.Is(why, errSlow), errors.Is(why, vault.ErrInterrupted):
		giveUp(c)
	case c.Request.Context().Err() == nil:
		drain(c)
	}
	return why
}

func depositFields(page, newVersion bool) []string {
	names := []string{"origin", "basis", "sha256", "size"}
	if !newVersion {
		names = append(names, "kind", "title", "secrecy")
	}
	if page {
		names = append(names, csrfField, keyField)
	}
	return names
}

// fields of a form, each given once.
type fields map[string]string

func (f fields) fill(n *vault.NewDeposit) error {
	n.Kind, n.Title = vault.Kind(f["kind"]), f["title"]
	n.Origin, n.Basis = vault.Origin(f["origin"]), f["basis"]
	if n.Record.IsZero() && n.Title == "" {
		return invalidField("title")
	}
	if n.Record.IsZero() && n.Kind == "" {
		return invalidField("kind")
	}
	if !slices.Contains([]vault.Origin{vault.Declared, vault.Digitised, vault.Produced, vault.Shared}, n.Origin) {
		return invalidField("origin")
	}
	n.Secrecy = vault.Secrecy(f["secrecy"])
	if _, ok := n.Secrecy.Rank(); n.Secrecy != "" && !ok {
		return invalidField("secrecy")
	}
	if key := f[keyField]; key != "" {
		n.IdempotencyKey = key
	}
	if f["size"] != "" {
		size, err := strconv.ParseInt(f["size"], 10, 64)
		if err != nil || size < 1 {
			return invalidField("size")
		}
		n.Size = size
	}
	if f["sha256"] == "" {
		return nil
	}
	h, err := ledger.ParseHash(f["sha256"])
	if err != nil {
		return invalidField("sha256")
	}
	n.SHA256 = &h
	return nil
}

// form reads multipart/form-data part by part; nothing of the file is kept.
type form struct {
	parts *multipart.Reader
	tail  *tailReader
	last  []byte // the final boundary
}

// readAhead spares a system call, and a deadline, for every few kilobytes of a large file.
const readAhead = 64 << 10

func newForm(contentType string, body io.Reader) (*form, error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || media != "multipart/form-data" {
		return nil, errContentType
	}
	boundary := params["boundary"]
	if boundary == "" || len(boundary) > 70 { // RFC 2046, 5.1.1
		return nil, fmt.Errorf("%w: boundary", errRequest)
	}
	tail := &tailReader{r: bufio.NewReaderSize(body, readAhead)}
	return &form{multipart.NewReader(tail, boundary), tail, []byte("--" + boundary + "--")}, nil
}

// next returns the next part, or io.EOF after the final boundary. Where a form breaks off in the head of a part the library says
// io.EOF too, or that the head is malformed: then the body is over and the final boundary is not among what was read last.
func (f *form) next() (*multipart.Part, error) {
	part, err := f.parts.NextRawPart()
	switch {
	case err == nil:
		return part, nil
	case f.tail.over && !bytes.Contains(f.tail.last, f.last):
		return nil, formError(io.ErrUnexpectedEOF)
	case err == io.EOF: // bare: wrapped, it is a form that breaks off
		return nil, io.EOF
	}
	return nil, formError(err)
}

// tailReader remembers the last bytes that were read through it, more of them than the multipart reader looks ahead.
type tailReader struct {
	r    io.Reader
	last []byte
	over bool // the body is at its end
}

const tailSize = 8 << 10

func (t *tailReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.over = errors.Is(err, io.EOF)
	if n >= tailSize {
		t.last = append(t.last[:0], p[n-tailSize:n]...)
		return n, err
	}
	if over := len(t.last) + n - tailSize; over > 0 {
		t.last = t.last[:copy(t.last, t.last[over:])]
	}
	t.last = append(t.last, p[:n]...)
	return n, err
}

// read takes fields of the names allowed up to the file, which is left to be read.
func (f *form) read(allowed []string) (fields, *filePart, error) {
	got := fields{}
	for {
		part, err := f.next()
		if errors.Is(err, io.EOF) {
			return nil, nil, errFormFile
		}
		if err != nil {
			return nil, nil, err
		}
		name := part.FormName()
		if name == fileField {
			return got, &filePart{part: part, form: f}, nil
		}
		_, repeated := got[name]
		if repeated || !slices.Contains(allowed, name) || len(got) >= maxFields {
			return nil, nil, &fieldError{printableName(name), errFormField}
		}
		value, err := io.ReadAll(io.LimitReader(part, maxField+1))
		if err != nil {
			return nil, nil, formError(err)
		}
		if len(value) > maxField {
			return nil, nil, &fieldError{name, errFormField}
		}
		got[name] = string(value)
	}
}

// printableName keeps what a stranger called a field from coming back as more than a word.
func printableName(name string) string {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' {
			return ""
		}
	}
	return name[:min(len(name), 32)]
}

// filePart reads the file. It reports its end only when the form ends there too: what is cut off, or goes on, is an error before
// anything is committed.
type filePart struct {
	part  *multipart.Part
	form  *form
	ended bool
	err   error // of the end
}

func (p *filePart) Read(b []byte) (int, error) {
	if p.ended {
		return 0, p.err
	}
	n, err := p.part.Read(b)
	if err == nil {
		return n, nil
	}
	p.ended = true
	if errors.Is(err, io.EOF) {
		p.err = p.form.end()
	} else {
		p.err = formError(err)
	}
	return n, p.err
}

// end is io.EOF if the form has no part more.
func (f *form) end() error {
	_, err := f.next()
	if err == nil {
		return errFormOrder
	}
	return err
}

// formError tells a body that was cut off or is too large from one that is not well formed.
func formError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return vault.ErrTooLarge
	case errors.Is(err, errSlow), errors.Is(err, vault.ErrInterrupted):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", vault.ErrInterrupted, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%w: %w", errRequest, err)
}
