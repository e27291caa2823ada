package api

import (
	"fmt"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"trien/vault"
)

// signedIn runs a handler of the interface for whoever holds the bearer token. A cookie is not looked at here, so that no other
// site's page can act through a browser.
func (s *Server) signedIn(h func(*gin.Context, vault.Actor) error) gin.HandlerFunc {
	return s.open(func(c *gin.Context) error {
		token, ok := bearer(c.GetHeader("Authorization"))
		if !ok {
			return vault.ErrUnauthenticated
		}
		a, err := s.vault.Authenticate(c.Request.Context(), token, source(c))
		if err != nil {
			return err
		}
		return h(c, a)
	})
}

// bearer reads the token of RFC 6750, section 2.1.
func bearer(header string) (vault.Token, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "bearer") || !validToken(token) {
		return "", false
	}
	return vault.Token(token), true
}

func validToken(t string) bool {
	return len(t) >= 16 && len(t) <= 256 && strings.IndexFunc(t, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

func source(c *gin.Context) vault.Source {
	agent := c.Request.UserAgent()
	return vault.Source{Address: c.ClientIP(), Agent: agent[:min(len(agent), 200)]}
}

// parseID reads an identifier as it stands in an address or a field: the one canonical text of a UUID.
func parseID[T ~struct{ uuid.UUID }](field, s string) (T, error) {
	id, err := uuid.Parse(s)
	if err != nil || id.String() != s {
		return T{}, fmt.Errorf("reading an identifier: %w", malformedField(field))
	}
	return T{id}, nil
}

// optionalID is parseID where nothing means the zero identifier.
func optionalID[T ~struct{ uuid.UUID }](field, s string) (T, error) {
	if s == "" {
		return T{}, nil
	}
	return parseID[T](field, s)
}

// pathID reads an identifier of the address.
func pathID[T ~struct{ uuid.UUID }](c *gin.Context, name string) (T, error) {
	return parseID[T](name, c.Param(name))
}

// text of an identifier; nothing for the zero one.
func idText(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}
