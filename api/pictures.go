package api

import (
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"trien/vault"
)

func (s *Server) putSignaturePicture(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.AccountID](c, "account")
	if err != nil {
		return s.refuseBody(c, err)
	}
	if c.ContentType() != "image/png" {
		return s.refuseBody(c, errContentType)
	}
	png, err := io.ReadAll(s.body(c, vault.MaxPicture))
	if err != nil {
		return s.refuseBody(c, bodyError(err))
	}
	if err := s.vault.SetSignaturePicture(c.Request.Context(), a, id, png); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (s *Server) deleteSignaturePicture(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.AccountID](c, "account")
	if err != nil {
		return err
	}
	if err := s.vault.SetSignaturePicture(c.Request.Context(), a, id, nil); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
