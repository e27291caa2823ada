package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"trien/vault"
)

// getHealth says that the process answers, and nothing about what it depends on: an orchestrator restarts what fails it.
func (s *Server) getHealth(c *gin.Context) error {
	return s.writeJSON(c, http.StatusOK, gin.H{"status": "ok"})
}

// getReady says whether every port of the vault answers. Which one does not is in the log.
func (s *Server) getReady(c *gin.Context) error {
	ctx, cancel := context.WithTimeout(c.Request.Context(), 5*time.Second)
	defer cancel()
	if err := s.vault.Ready(ctx); err != nil {
		return fmt.Errorf("%w: %w", vault.ErrUnavailable, err)
	}
	return s.writeJSON(c, http.StatusOK, gin.H{"status": "ready"})
}
