package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"trien/api/wire"
)

const depositTries = 6

// Deposit says what goes in. Content is read at least once, and once more for each try after a lost connection.
type Deposit struct {
	Dossier string // a new record of Kind and Title in this dossier …
	Kind    string
	Title   string
	Secrecy string // of the new record; empty: the least that its kind and its dossier say
	Record  string // … or a new version of this record

	Origin string // declared, digitised or shared
	Basis  string

	Content io.ReaderAt
	Size    int64
	// SHA256 is declared to the server in hex, which refuses the file if it differs. Empty: Content is read once to find it.
	SHA256 string
	// IdempotencyKey names this deposit: under the same key it is made once. Empty: a fresh one.
	IdempotencyKey string
	// Wait asks for the receipt too, for at most so long.
	Wait time.Duration
	// Progress, if set, is told how many bytes of Content went out; after a lost connection it starts over.
	Progress func(sent int64)
}

// Deposit streams a document into the vault. After a lost connection it sends it again under the same idempotency key.
func (c *Client) Deposit(ctx context.Context, d Deposit) (wire.Deposited, error) {
	if d.SHA256 == "" {
		sum := sha256.New()
		if _, err := io.Copy(sum, io.NewSectionReader(d.Content, 0, d.Size)); err != nil {
			return wire.Deposited{}, fmt.Errorf("reading the document: %w", err)
		}
		d.SHA256 = hex.EncodeToString(sum.Sum(nil))
	}
	if d.IdempotencyKey == "" {
		d.IdempotencyKey = rand.Text()
	}
	var done wire.Deposited
	err := c.retry(ctx, depositTries, retryKeyed, func() error {
		var err error
		done, err = c.depositOnce(ctx, d)
		return err
	})
	return done, err
}

func (c *Client) depositOnce(ctx context.Context, d Deposit) (wire.Deposited, error) {
	var done wire.Deposited
	path := "/dossiers/" + url.PathEscape(d.Dossier) + "/records"
	if d.Record != "" {
		path = "/records/" + url.PathEscape(d.Record) + "/versions"
	}
	form, err := newForm(d)
	if err != nil {
		return done, err
	}
	req, err := c.newRequest(ctx, http.MethodPost, path, nil, form.body())
	if err != nil {
		return done, err
	}
	req.ContentLength = form.size()
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(form.body()), nil }
	req.Header.Set("Content-Type", form.contentType)
	req.Header.Set("Expect", "100-continue")
	req.Header.Set(wire.IdempotencyKey, d.IdempotencyKey)
	if d.Wait > 0 {
		req.Header.Set("Prefer", "wait="+strconv.Itoa(int((d.Wait+time.Second-1)/time.Second)))
	}
	resp, err := c.do(req)
	if err != nil {
		if failed := form.failed.Load(); failed != nil { // the document, not the connection, broke off
			return done, fmt.Errorf("reading the document: %w", *failed)
		}
		return done, err
	}
	defer closeQuietly(resp.Body)
	return done, c.decode(ctx, resp.Body, &done)
}

// form is a multipart body of known length around a document that is never in memory.
type form struct {
	contentType string
	head, tail  []byte
	deposit     Deposit
	failed      atomic.Pointer[error] // set by the transport's goroutine
}

func newForm(d Deposit) (*form, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	fields := [][2]string{{"kind", d.Kind}, {"title", d.Title}, {"secrecy", d.Secrecy}, {"origin", d.Origin}, {"basis", d.Basis}, {"sha256", d.SHA256}}
	if d.Size > 0 {
		fields = append(fields, [2]string{"size", strconv.FormatInt(d.Size, 10)})
	}
	for _, f := range fields {
		if f[1] == "" || d.Record != "" && (f[0] == "kind" || f[0] == "title" || f[0] == "secrecy") {
			continue
		}
		if err := w.WriteField(f[0], f[1]); err != nil {
			return nil, fmt.Errorf("writing a form: %w", err)
		}
	}
	h := textproto.MIMEHeader{}
	// The file's own name is not sent: it often holds a person's.
	h.Set("Content-Disposition", `form-data; name="file"; filename="document"`)
	h.Set("Content-Type", "application/octet-stream")
	if _, err := w.CreatePart(h); err != nil {
		return nil, fmt.Errorf("writing a form: %w", err)
	}
	n := b.Len()
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("writing a form: %w", err)
	}
	return &form{contentType: w.FormDataContentType(), head: b.Bytes()[:n], tail: b.Bytes()[n:], deposit: d}, nil
}

func (f *form) size() int64 { return int64(len(f.head)) + f.deposit.Size + int64(len(f.tail)) }

func (f *form) body() io.Reader {
	content := &meter{r: io.NewSectionReader(f.deposit.Content, 0, f.deposit.Size), form: f}
	return io.MultiReader(bytes.NewReader(f.head), content, bytes.NewReader(f.tail))
}

type meter struct {
	r    io.Reader
	sent int64
	form *form
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.sent += int64(n)
	if n > 0 && m.form.deposit.Progress != nil {
		m.form.deposit.Progress(m.sent)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		m.form.failed.Store(&err)
	}
	return n, err
}
