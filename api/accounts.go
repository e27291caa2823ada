package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/vault"
)

func (s *Server) postSession(c *gin.Context) error {
	in, err := readJSON[wire.SignIn](s, c)
	if err != nil {
		return err
	}
	session, token, err := s.signInAs(c, vault.Credentials{Login: in.Login, Password: in.Password, Code: in.Code})
	if err != nil {
		return err
	}
	a, err := s.vault.Authenticate(c.Request.Context(), token, source(c))
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusCreated, wire.Session{Token: string(token), Expires: session.Expires, Me: toMe(a)})
}

// signInAs opens a session, within the limits of the caller's address.
func (s *Server) signInAs(c *gin.Context, as vault.Credentials) (vault.Session, vault.Token, error) {
	leave, err := s.signIn.enter(c.Request.Context(), c.ClientIP())
	if err != nil {
		s.metrics.signInFailed(err)
		return vault.Session{}, "", err
	}
	defer leave()
	session, token, err := s.vault.SignIn(c.Request.Context(), as, source(c))
	if err != nil {
		s.metrics.signInFailed(err)
	}
	return session, token, err
}

func (s *Server) deleteSession(c *gin.Context, a vault.Actor) error {
	if err := s.vault.SignOut(c.Request.Context(), a); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (s *Server) getMe(c *gin.Context, a vault.Actor) error {
	return s.writeJSON(c, http.StatusOK, toMe(a))
}

func (s *Server) listUnits(c *gin.Context, a vault.Actor) error {
	units, err := s.vault.Units(c.Request.Context(), a)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toList(units, toUnit))
}

func (s *Server) postUnit(c *gin.Context, a vault.Actor) error {
	in, err := readJSON[wire.NewUnit](s, c)
	if err != nil {
		return err
	}
	u, err := s.vault.CreateUnit(c.Request.Context(), a, in.Name)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusCreated, toUnit(u))
}

func (s *Server) listAccounts(c *gin.Context, a vault.Actor) error {
	all, err := s.vault.Accounts(c.Request.Context(), a)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toList(all, toAccount))
}

func (s *Server) postAccount(c *gin.Context, a vault.Actor) error {
	in, err := readJSON[wire.NewAccount](s, c)
	if err != nil {
		return err
	}
	unit, err := parseID[vault.UnitID]("unit", in.Unit)
	if err != nil {
		return err
	}
	account, err := s.vault.CreateAccount(c.Request.Context(), a, vault.NewAccount{
		Login: in.Login, Name: in.Name, Post: in.Post, Password: in.Password, Unit: unit, Role: vault.Role(in.Role),
		Certificate: in.Certificate, PersonalNumber: in.PersonalNumber,
	})
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusCreated, toAccount(account))
}

func (s *Server) putCertificate(c *gin.Context, a vault.Actor) error {
	return bindCertificate(s, c, a, s.vault.SetCertificate)
}

// bindCertificate reads whose certificate it is, and which, and has the vault set it.
func bindCertificate(s *Server, c *gin.Context, a vault.Actor, set func(context.Context, vault.Actor, vault.AccountID, []byte) error) error {
	id, err := pathID[vault.AccountID](c, "account")
	if err != nil {
		return err
	}
	in, err := readJSON[wire.Certificate](s, c)
	if err != nil {
		return err
	}
	if err := set(c.Request.Context(), a, id, in.Certificate); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (s *Server) listOfficials(c *gin.Context, a vault.Actor) error {
	all, err := s.vault.Officials(c.Request.Context(), a)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toList(all, toOfficial))
}
