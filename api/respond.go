package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/vault"
)

// open runs a handler for anyone.
func (s *Server) open(h func(*gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			s.fail(c, err)
		}
	}
}

// fail is the one place where an error becomes an answer. What the table does not know, and what is the system's fault, is
// logged here, once.
func (s *Server) fail(c *gin.Context, err error) {
	k := s.judge(c, err)
	if c.Writer.Written() {
		panic(http.ErrAbortHandler) // the peer must notice that the answer is not whole
	}
	s.writeProblem(c, k, fieldOf(err))
}

func (s *Server) judge(c *gin.Context, err error) kind {
	if errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil {
		err = errGone
	}
	k, known := kindOf(err)
	if !known || k.status >= http.StatusInternalServerError && !errors.Is(err, errBusy) && !errors.Is(err, errUnforeseen) {
		s.log.LogAttrs(c.Request.Context(), slog.LevelError, "request failed", slog.String(keyRequestID, requestID(c)),
			slog.String("route", c.FullPath()), slog.String("code", k.code), slog.Any("error", err))
	}
	return k
}

func (s *Server) writeProblem(c *gin.Context, k kind, field string) {
	p := problemOf(c, k, field)
	setProblemHeaders(c, k)
	c.Writer.Header().Del("ETag")
	c.Header("Content-Language", string(acceptLanguage(c.GetHeader("Accept-Language"))))
	c.Header("Vary", "Accept-Language")
	s.write(c, k.status, "application/problem+json", p)
	c.Abort()
}

// problemOf is what a problem says, in the language asked for.
func problemOf(c *gin.Context, k kind, field string) wire.Problem {
	t := k.vi
	if acceptLanguage(c.GetHeader("Accept-Language")) == english {
		t = k.en
	}
	return wire.Problem{
		Type: "/problems/" + k.code, Code: k.code, Status: k.status, Title: t.title, Detail: t.detail,
		En: wire.ProblemText{Title: k.en.title, Detail: k.en.detail}, RequestID: requestID(c), Field: field,
	}
}

func setProblemHeaders(c *gin.Context, k kind) {
	if k.retry > 0 {
		c.Header("Retry-After", strconv.Itoa(int(k.retry.Seconds())))
	}
	if k.status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", `Bearer realm="trien"`)
	}
}

// writeJSON answers with v.
func (s *Server) writeJSON(c *gin.Context, status int, v any) error {
	s.write(c, status, "application/json", v)
	return nil
}

func (s *Server) write(c *gin.Context, status int, contentType string, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Errorf("encoding an answer: %w", err)) // shapes of package wire always encode
	}
	s.writeBytes(c, status, contentType, b.Bytes())
}

// writeBytes answers with a small body. An error here is the peer's going away.
func (s *Server) writeBytes(c *gin.Context, status int, contentType string, body []byte) {
	extendWrite(c.Writer, s.limits.Stall)
	c.Header("Content-Length", strconv.Itoa(len(body)))
	c.Data(status, contentType, body)
}

// readJSON reads a body of one JSON value without unknown fields.
func readJSON[T any](s *Server, c *gin.Context) (T, error) {
	var v T
	media, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || media != "application/json" {
		return v, errContentType
	}
	return v, decodeJSON(s.body(c, maxJSON), &v)
}

func decodeJSON(r io.Reader, v any) error {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return bodyError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one JSON value", errRequest)
	}
	return nil
}

// bodyError says what went wrong while a body was read.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return errBodyTooLarge
	case errors.Is(err, errSlow), errors.Is(err, vault.ErrInterrupted):
		return err
	}
	return fmt.Errorf("%w: %w", errRequest, err)
}

// language of what people read.
type language string

const (
	vietnamese language = "vi"
	english    language = "en"
)

// acceptLanguage picks English only if the client ranks it above Vietnamese (RFC 9110, 12.5.4).
func acceptLanguage(header string) language {
	best, rank := vietnamese, 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		l := language(primary)
		if (l == vietnamese || l == english) && q > rank {
			best, rank = l, q
		}
	}
	return best
}
