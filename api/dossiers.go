package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/vault"
)

const usualPage = 50

func (s *Server) listRegisters(c *gin.Context) error {
	return s.writeJSON(c, http.StatusOK, toList(s.vault.Catalogue().Registers(), toRegister))
}

func (s *Server) listDossiers(c *gin.Context, a vault.Actor) error {
	q := vault.DossierQuery{Name: c.Query("q")}
	var err error
	if q.After, err = optionalID[vault.DossierID]("after", c.Query("after")); err != nil {
		return err
	}
	if q.Limit, err = limit(c, usualPage, 100); err != nil {
		return err
	}
	found, err := s.vault.Dossiers(c.Request.Context(), a, q)
	if err != nil {
		return err
	}
	l := toList(found, toDossier)
	if len(found) == q.Limit {
		l.Next = found[len(found)-1].ID.String()
	}
	return s.writeJSON(c, http.StatusOK, l)
}

// limit reads how many items a page has.
func limit(c *gin.Context, usual, most int) (int, error) {
	text := c.Query("limit")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, malformedField("limit")
	}
	return n, nil
}

func (s *Server) postDossier(c *gin.Context, a vault.Actor) error {
	in, err := readJSON[wire.NewDossier](s, c)
	if err != nil {
		return err
	}
	d, err := s.openDossier(c, a, in)
	if err != nil {
		return err
	}
	c.Header("Location", "/api/v1/dossiers/"+d.ID.String())
	return s.writeJSON(c, http.StatusCreated, toDossier(d))
}

// openDossier names the field at fault where it can be told before the vault refuses.
func (s *Server) openDossier(c *gin.Context, a vault.Actor, in wire.NewDossier) (vault.Dossier, error) {
	if _, ok := s.vault.Catalogue().Register(vault.Register(in.Register)); !ok {
		return vault.Dossier{}, invalidField("register")
	}
	if in.Subject.Name == "" {
		return vault.Dossier{}, invalidField("subject.name")
	}
	if _, ok := vault.Secrecy(in.Secrecy).Rank(); in.Secrecy != "" && !ok {
		return vault.Dossier{}, invalidField("secrecy")
	}
	return s.vault.OpenDossier(c.Request.Context(), a, vault.NewDossier{
		Register: vault.Register(in.Register), Secrecy: vault.Secrecy(in.Secrecy),
		Subject: vault.Subject{Name: in.Subject.Name, BirthDate: in.Subject.BirthDate, PersonalNumber: in.Subject.PersonalNumber},
	})
}

func (s *Server) getDossier(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.DossierID](c, "dossier")
	if err != nil {
		return err
	}
	d, err := s.vault.Dossier(c.Request.Context(), a, id)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toDossierView(d))
}
