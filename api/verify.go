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
	spool, err := envelope.NewSpool(s.config.Scratch)
	if err != nil {
		return nil, s.refuseBody(c, fmt.Errorf("%w: %w", vault.ErrUnavailable, err))
	}
	defer func() {
		if err := spool.Close(); err != nil {
			s.log.WarnContext(c.Request.Context(), "scratch file cannot be closed", slog.String(keyRequestID, requestID(c)), slog.Any("error", err))
		}
	}()
	if err := s.fillSpool(c, spool); err != nil {
		return nil, s.refuseBody(c, err)
	}
	r, err := spool.Finish()
	if err != nil {
		return nil, fmt.Errorf("reading a scratch file: %w", err)
	}
	if r.Size() == 0 {
		return nil, vault.ErrEmpty
	}
	verdict, err := s.vault.Verify(c.Request.Context(), r, r.Size())
	if err != nil {
		return nil, fmt.Errorf("judging a file: %w", err)
	}
	return verdict, nil
}

func (s *Server) fillSpool(c *gin.Context, spool *envelope.Spool) error {
	most := s.limits.VerifySize + overhead
	if c.Request.ContentLength > most {
		return vault.ErrTooLarge
	}
	file, err := verifyBody(c.GetHeader("Content-Type"), s.body(c, most))
	if err != nil {
		return err
	}
	n, err := io.Copy(spool, io.LimitReader(file, s.limits.VerifySize+1))
	if n > s.limits.VerifySize {
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

// verifyBody finds the file in what was sent.
func verifyBody(contentType string, body io.Reader) (io.Reader, error) {
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
