package api

import (
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"trien/vault"
)

func (s *Server) putDeliveryCertificate(c *gin.Context, a vault.Actor) error {
	return bindCertificate(s, c, a, s.vault.SetDeliveryCertificate)
}

// getExportDelivery sends an export enclosed for the actor. Each envelope has a key of its own: there are no ranges of it, and nothing to continue.
func (s *Server) getExportDelivery(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.ExportID](c, "export")
	if err != nil {
		return err
	}
	d, err := s.vault.DeliverExport(c.Request.Context(), a, id)
	if err != nil {
		return err
	}
	_, err = d.WriteTo(&deliveryWriter{c, d, contentWriter{c.Writer, s.metrics, s.limits.Stall}})
	if closeErr := d.Close(); closeErr != nil {
		s.log.WarnContext(c.Request.Context(), "export cannot be closed", slog.String(keyRequestID, requestID(c)), slog.Any("error", closeErr))
	}
	switch {
	case err == nil:
		return nil
	case c.Request.Context().Err() != nil || errors.Is(err, errGone):
		return errGone
	}
	return fmt.Errorf("sending a delivery: %w", err)
}

// deliveryWriter begins the answer with the first byte of the envelope, so that whatever fails before is a problem.
type deliveryWriter struct {
	c *gin.Context
	d *vault.Delivery
	contentWriter
}

func (w *deliveryWriter) Write(p []byte) (int, error) {
	if !w.c.Writer.Written() {
		w.c.Header("Content-Type", w.d.MediaType)
		w.c.Header("Content-Security-Policy", contentSandbox)
		w.c.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": w.d.Name}))
		w.c.Header("Content-Length", strconv.FormatInt(w.d.Size, 10))
		w.c.Status(http.StatusOK)
	}
	return w.contentWriter.Write(p)
}
