package api

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"trien/vault"
)

// firstBytes are read before the answer begins, so that content that fails its check there is refused with a problem and not
// with a broken connection.
const firstBytes = 64 << 10

// copyBuffer is how much is read from the vault at once otherwise.
const copyBuffer = 1 << 20

// contentSandbox keeps a document that a browser shows after all from running anything.
const contentSandbox = "sandbox; default-src 'none'; frame-ancestors 'none'"

// stream sends content, or the one range of it that is asked for (RFC 9110, 14.2), and closes it.
func (s *Server) stream(c *gin.Context, content *vault.Content) error {
	defer func() {
		if err := content.Close(); err != nil {
			s.log.WarnContext(c.Request.Context(), "content cannot be closed", slog.String(keyRequestID, requestID(c)), slog.Any("error", err))
		}
	}()
	etag := contentTag(content)
	c.Header("ETag", etag)
	if etagListed(c.GetHeader("If-None-Match"), etag) {
		c.Status(http.StatusNotModified)
		return nil
	}
	whole := byteRange{0, content.Size}
	part, status := whole, http.StatusOK
	if r := c.GetHeader("Range"); r != "" && (c.GetHeader("If-Range") == "" || c.GetHeader("If-Range") == etag) {
		asked, ok, err := parseRange(r, content.Size)
		if err != nil {
			c.Header("Content-Range", fmt.Sprintf("bytes */%d", content.Size))
			return err
		}
		if ok {
			part, status = asked, http.StatusPartialContent
		}
	}
	first := make([]byte, min(firstBytes, part.length))
	if _, err := content.ReadAt(first, part.start); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading content: %w", err)
	}
	setContentHeaders(c, content, part, status)
	if err := s.send(c, content, part, first); err != nil {
		if c.Request.Context().Err() != nil {
			return errGone
		}
		return fmt.Errorf("sending content: %w", err)
	}
	return nil
}

// aheadFrom is the size from which content is sent by the vault's own read-ahead, though it reads the first bytes once more.
const aheadFrom = 4 << 20

func (s *Server) send(c *gin.Context, content *vault.Content, part byteRange, first []byte) error {
	w := &contentWriter{c.Writer, s.metrics, s.limits.Stall}
	if ahead, ok := content.ReaderAt.(io.WriterTo); ok && part.length == content.Size && content.Size >= aheadFrom {
		_, err := ahead.WriteTo(w)
		return err
	}
	if _, err := w.Write(first); err != nil {
		return err
	}
	rest := byteRange{part.start + int64(len(first)), part.length - int64(len(first))}
	_, err := io.CopyBuffer(w, io.NewSectionReader(content, rest.start, rest.length), make([]byte, min(copyBuffer, rest.length+1)))
	return err
}

// contentTag is the SHA-256 of content. What is put together for one signing job has none; its name and size stand for it, since
// a job's document never changes.
func contentTag(content *vault.Content) string {
	if content.SHA256.IsZero() {
		return fmt.Sprintf(`"%s-%d"`, content.Name, content.Size)
	}
	return `"` + content.SHA256.String() + `"`
}

func setContentHeaders(c *gin.Context, content *vault.Content, part byteRange, status int) {
	c.Header("Accept-Ranges", "bytes")
	c.Header("Content-Type", content.MediaType)
	c.Header("Content-Security-Policy", contentSandbox)
	c.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": content.Name}))
	c.Header("Content-Length", strconv.FormatInt(part.length, 10))
	if status == http.StatusPartialContent {
		c.Header("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.start, part.start+part.length-1, content.Size))
	}
	c.Status(status)
}

// contentWriter gives each write its own deadline. It hides the connection's ReadFrom, which would take all under one.
type contentWriter struct {
	w     gin.ResponseWriter
	m     *metrics
	stall time.Duration
}

func (w *contentWriter) Write(p []byte) (int, error) {
	extendWrite(w.w, w.stall)
	n, err := w.w.Write(p)
	w.m.given.Add(float64(n))
	if err != nil {
		err = fmt.Errorf("%w: %w", errGone, err)
	}
	return n, err
}

func etagListed(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == "*" || part == etag {
			return true
		}
	}
	return false
}

type byteRange struct{ start, length int64 }

// parseRange reads a Range header. Not ok: there is no single range of bytes in it, and the whole is sent, as RFC 9110 allows.
// The error is errRange if the one range lies outside.
func parseRange(header string, size int64) (byteRange, bool, error) {
	spec, bytes := strings.CutPrefix(header, "bytes=")
	from, to, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !bytes || !dash || strings.Contains(spec, ",") {
		return byteRange{}, false, nil
	}
	if from == "" { // the last so many
		n, ok := parsePosition(to)
		if !ok {
			return byteRange{}, false, nil
		}
		n = min(n, size)
		if n == 0 {
			return byteRange{}, false, errRange
		}
		return byteRange{size - n, n}, true, nil
	}
	start, ok := parsePosition(from)
	last := size - 1
	if to != "" && ok {
		last, ok = parsePosition(to)
	}
	if !ok || to != "" && last < start {
		return byteRange{}, false, nil
	}
	if start >= size {
		return byteRange{}, false, errRange
	}
	return byteRange{start, min(last, size-1) - start + 1}, true, nil
}

// parsePosition reads digits alone; what exceeds every size counts as the largest.
func parsePosition(s string) (int64, bool) {
	if s == "" || strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) >= 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		n = 1<<63 - 1
	}
	return n, true
}
