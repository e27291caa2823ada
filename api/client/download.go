package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"trien/api/wire"
)

const downloadTries = 6

// Content describes what was downloaded.
type Content struct {
	Name      string // as the server suggests; holds no personal name
	MediaType string
	Size      int64
	SHA256    string // hex; checked. Empty for the document of a signing job, whose digest the signer checks
}

// Content writes a version's bytes to w, saying why they are read.
func (c *Client) Content(ctx context.Context, version, purpose string, w io.Writer) (Content, error) {
	return c.download(ctx, "/versions/"+url.PathEscape(version)+"/content", purpose, &transfer{sum: sha256.New(), w: w})
}

// JobDocument writes the prepared document of a signing job to w. Its hash is not checked here: the signer holds the digest of
// its byte range against what is signed.
func (c *Client) JobDocument(ctx context.Context, job string, w io.Writer) (Content, error) {
	return c.download(ctx, "/signing-jobs/"+url.PathEscape(job)+"/document", "", &transfer{sum: sha256.New(), w: w, unhashed: true})
}

// ExportContent writes a signed export to w.
func (c *Client) ExportContent(ctx context.Context, export string, w io.Writer) (Content, error) {
	return c.download(ctx, "/exports/"+url.PathEscape(export)+"/content", "", &transfer{sum: sha256.New(), w: w})
}

// DeliverExport writes a signed export to w, enclosed for the account's delivery certificate (CMS EnvelopedData, DER). Each request has an envelope of its own: a
// download that broke off is not continued, and the content has no hash to check. What is inside proves itself once it is opened.
func (c *Client) DeliverExport(ctx context.Context, export string, w io.Writer) (Content, error) {
	t := &transfer{sum: sha256.New(), w: w, unhashed: true}
	again := func(err error) bool { return t.done == 0 && retryGet(err) }
	err := c.retry(ctx, downloadTries, again, func() error { return c.fetch(ctx, "/exports/"+url.PathEscape(export)+"/delivery", "", t) })
	if err != nil {
		return Content{}, err
	}
	return t.content, nil
}

// SaveDelivery writes a signed export, enclosed as by [Client.DeliverExport], to a file that appears at path only when it is whole.
func (c *Client) SaveDelivery(ctx context.Context, export, path string) (Content, error) {
	return save(path, func(w io.Writer) (Content, error) { return c.DeliverExport(ctx, export, w) })
}

// SaveContent writes a version's bytes to a file that appears at path only when it is whole.
func (c *Client) SaveContent(ctx context.Context, version, purpose, path string) (Content, error) {
	return save(path, func(w io.Writer) (Content, error) { return c.Content(ctx, version, purpose, w) })
}

// SaveExport writes a signed export to a file that appears at path only when it is whole.
func (c *Client) SaveExport(ctx context.Context, export, path string) (Content, error) {
	return save(path, func(w io.Writer) (Content, error) { return c.ExportContent(ctx, export, w) })
}

func save(path string, write func(io.Writer) (Content, error)) (Content, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".trien-*.part") // readable by its owner alone
	if err != nil {
		return Content{}, fmt.Errorf("saving a download: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // nothing to remove once it was renamed
	content, err := write(f)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return Content{}, err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return Content{}, fmt.Errorf("saving a download: %w", err)
	}
	return content, nil
}

// transfer is one download over any number of connections.
type transfer struct {
	content  Content
	etag     string
	done     int64
	sum      hash.Hash
	w        io.Writer
	unhashed bool // the server declares no hash
}

// download continues after a lost connection where it stopped, and checks size and hash at the end. On an error the bytes
// already written to w are a beginning that was not checked.
func (c *Client) download(ctx context.Context, path, purpose string, t *transfer) (Content, error) {
	for {
		before := t.done
		err := c.retry(ctx, downloadTries, retryGet, func() error { return c.fetch(ctx, path, purpose, t) })
		if err == nil {
			break
		}
		if !retryGet(err) || t.done == before { // as long as each round brings something, it goes on
			return Content{}, err
		}
	}
	if sum := hex.EncodeToString(t.sum.Sum(nil)); t.content.SHA256 != "" && sum != t.content.SHA256 || t.done != t.content.Size {
		return Content{}, fmt.Errorf("%w: SHA-256 or size", ErrDamaged)
	}
	return t.content, nil
}

func (c *Client) fetch(ctx context.Context, path, purpose string, t *transfer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := c.newRequest(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	if purpose != "" {
		req.Header.Set(wire.Purpose, url.PathEscape(purpose))
	}
	if t.done > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", t.done))
		req.Header.Set("If-Range", t.etag)
	}
	resp, err := c.do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := t.begin(resp); err != nil {
		return err
	}
	return t.copy(ctx, c, resp.Body, cancel)
}

// begin reads the headers of the first answer, and holds every later one against them.
func (t *transfer) begin(resp *http.Response) error {
	etag := resp.Header.Get("ETag")
	if t.done > 0 {
		start := fmt.Sprintf("bytes %d-", t.done)
		if resp.StatusCode != http.StatusPartialContent || etag != t.etag || !strings.HasPrefix(resp.Header.Get("Content-Range"), start) {
			return fmt.Errorf("%w: it changed while it was downloaded", ErrDamaged)
		}
		return nil
	}
	sum := strings.Trim(etag, `"`)
	if t.unhashed {
		sum = ""
	} else if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size {
		return fmt.Errorf("%w: no hash declared", ErrAnswer)
	}
	if resp.StatusCode != http.StatusOK || resp.ContentLength < 0 {
		return fmt.Errorf("%w: no size declared", ErrAnswer)
	}
	t.etag = etag
	t.content = Content{SHA256: sum, Size: resp.ContentLength, MediaType: resp.Header.Get("Content-Type")}
	if _, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); err == nil {
		t.content.Name = filepath.Base(params["filename"])
	}
	return nil
}

var errStalled = errors.New("nothing arrived for too long")

func (t *transfer) copy(ctx context.Context, c *Client, body io.Reader, cancel context.CancelCauseFunc) error {
	watch := time.AfterFunc(stallTimeout, func() { cancel(errStalled) })
	defer watch.Stop()
	buf := make([]byte, 256<<10)
	for {
		n, err := body.Read(buf)
		watch.Reset(stallTimeout)
		if n > 0 {
			if _, e := t.w.Write(buf[:n]); e != nil {
				return fmt.Errorf("writing a download: %w", e)
			}
			t.sum.Write(buf[:n])
			t.done += int64(n)
		}
		switch {
		case errors.Is(err, io.EOF) && t.done == t.content.Size:
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%w: the download broke off", ErrConnection)
		case err != nil && errors.Is(context.Cause(ctx), errStalled):
			return fmt.Errorf("%w: %w", ErrConnection, errStalled)
		case err != nil:
			return c.connectionError(ctx, err)
		}
	}
}
