package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"

	"trien/vault"
	"trien/vault/bundle"
	"trien/vault/envelope"
)

// postVerify judges a stranger's PDF: the body itself, or the file of a form.
func (s *Server) postVerify(c *gin.Context) error {
	verdict, err := s.judgeUpload(c)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := verdict.WriteJSON(&b); err != nil {
		return fmt.Errorf("writing a verdict: %w", err)
	}
	s.writeBytes(c, http.StatusOK, "application/json", b.Bytes())
	return nil
}

// judgeUpload takes what was sent into an encrypted scratch file and lets the vault judge it. Nothing is kept.
func (s *Server) judgeUpload(c *gin.Context) (*bundle.Verdict, error) {
	leave, err := s.verify.enter(c.Request.Context(), c.ClientIP())
	if err != nil {
		return nil, s.refuseBody(c, err)
	}
	defer leave()
	var verdict *bundle.Verdict
	err = s.spooled(c, s.limits.VerifySize, bareFile, func(r *envelope.Reader) error {
		if verdict, err = s.vault.Verify(c.Request.Context(), r, r.Size()); err != nil {
			return fmt.Errorf("judging a file: %w", err)
		}
		return nil
	})
	return verdict, err
}

// findFile finds the file in what was sent.
type findFile func(contentType string, body io.Reader) (io.Reader, error)

// spooled takes what was sent, of so many bytes at most, into an encrypted scratch file for the time of act.
func (s *Server) spooled(c *gin.Context, most int64, find findFile, act func(*envelope.Reader) error) error {
	spool, err := envelope.NewSpool(s.config.Scratch)
	if err != nil {
		return s.refuseBody(c, fmt.Errorf("%w: %w", vault.ErrUnavailable, err))
	}
	defer func() {
		if err := spool.Close(); err != nil {
			s.log.WarnContext(c.Request.Context(), "scratch file cannot be closed", slog.String(keyRequestID, requestID(c)), slog.Any("error", err))
		}
	}()
	if err := s.fillSpool(c, spool, most, find); err != nil {
		return s.refuseBody(c, err)
	}
	r, err := spool.Finish()
	if err != nil {
		return fmt.Errorf("reading a scratch file: %w", err)
	}
	if r.Size() == 0 {
		return vault.ErrEmpty
	}
	return act(r)
}

func (s *Server) fillSpool(c *gin.Context, spool *envelope.Spool, most int64, find findFile) error {
	if c.Request.ContentLength > most+overhead {
		return vault.ErrTooLarge
	}
	file, err := find(c.GetHeader("Content-Type"), s.body(c, most+overhead))
	if err != nil {
		return err
	}
	n, err := io.Copy(spool, io.LimitReader(file, most+1))
	if n > most {
		return vault.ErrTooLarge
	}
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return vault.ErrTooLarge
		}
		return fmt.Errorf("filling a scratch file: %w", err)
	}
	return nil
}

// bareFile is the body itself, or the one part of a form.
func bareFile(contentType string, body io.Reader) (io.Reader, error) {
	media, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return nil, errContentType
	case media == "application/pdf", media == "application/octet-stream":
		return body, nil
	case media != "multipart/form-data":
		return nil, errContentType
	}
	form, err := newForm(contentType, body)
	if err != nil {
		return nil, err
	}
	_, file, err := form.read(nil)
	if err != nil {
		return nil, err
	}
	return file, nil
}
