package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/vault"
)

type dossierData struct {
	vault.DossierView
	Officials []vault.Account
	Kinds     []vault.KindInfo
	Origins   []vault.Origin
	MaxSize   int64
}

func (s *Server) dossierPage(c *gin.Context, v *visit, a vault.Actor) error {
	id, err := pathID[vault.DossierID](c, "dossier")
	if err != nil {
		return err
	}
	return s.showDossier(c, v, a, id, http.StatusOK, pageData{Notice: notice(c, v)})
}

func (s *Server) showDossier(c *gin.Context, v *visit, a vault.Actor, id vault.DossierID, status int, d pageData) error {
	view, err := s.vault.Dossier(c.Request.Context(), a, id)
	if err != nil {
		return err
	}
	data := dossierData{
		DossierView: view, Origins: []vault.Origin{vault.Declared, vault.Digitised, vault.Shared}, MaxSize: s.vault.MaxSize(),
	}
	info, _ := s.vault.Catalogue().Register(view.Register)
	for _, k := range info.Kinds {
		if !k.Retired {
			data.Kinds = append(data.Kinds, k)
		}
	}
	if vault.Allowed(a.Role, vault.Submit, true) {
		if data.Officials, err = s.vault.Officials(c.Request.Context(), a); err != nil {
			return err
		}
	}
	d.View = data
	return s.show(c, v, status, "dossier", d)
}

func (s *Server) recordForm(c *gin.Context, v *visit, a vault.Actor) error {
	id, err := pathID[vault.DossierID](c, "dossier")
	if err != nil {
		return s.refuseBody(c, err)
	}
	return s.depositPage(c, v, a, vault.NewDeposit{Dossier: id})
}

func (s *Server) versionForm(c *gin.Context, v *visit, a vault.Actor) error {
	id, err := pathID[vault.RecordID](c, "record")
	if err != nil {
		return s.refuseBody(c, err)
	}
	return s.depositPage(c, v, a, vault.NewDeposit{Record: id})
}

// depositPage takes the form of a page; its script asks for JSON and is told where to go next.
func (s *Server) depositPage(c *gin.Context, v *visit, a vault.Actor, n vault.NewDeposit) error {
	x, err := s.takeDeposit(c, a, n, func(f fields) error {
		if !v.owns(f[csrfField]) {
			return errForgery
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.briefly(c.Request.Context(), a, x.ID)
	next := "/dossiers/" + x.Dossier.String() + "?done=deposited"
	if wantsJSON(c) {
		return s.writeJSON(c, http.StatusCreated, map[string]string{"location": next})
	}
	c.Redirect(http.StatusSeeOther, next)
	return nil
}

type versionView struct {
	vault.Version
	Text string // the manifest
}

func (s *Server) versionPage(c *gin.Context, v *visit, a vault.Actor) error {
	id, err := pathID[vault.VersionID](c, "version")
	if err != nil {
		return err
	}
	x, err := s.vault.Version(c.Request.Context(), a, id)
	if err != nil {
		return err
	}
	return s.show(c, v, http.StatusOK, "version", pageData{View: versionView{x, string(x.Manifest)}})
}

// receiptFile is the proof of a version as a file to keep.
func (s *Server) receiptFile(c *gin.Context, _ *visit, a vault.Actor) error {
	id, err := pathID[vault.VersionID](c, "version")
	if err != nil {
		return err
	}
	p, err := s.vault.Receipt(c.Request.Context(), a, id, false)
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(toProof(id, p), "", "  ")
	if err != nil {
		return fmt.Errorf("writing a proof: %w", err)
	}
	c.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "proof-" + id.String() + ".json"}))
	s.writeBytes(c, http.StatusOK, "application/json", body)
	return nil
}

// contentForm is a form, so that the purpose stands in no address.
func (s *Server) contentForm(c *gin.Context, _ *visit, a vault.Actor, f url.Values) error {
	id, err := pathID[vault.VersionID](c, "version")
	if err != nil {
		return err
	}
	content, err := s.vault.Disclose(c.Request.Context(), a, id, f.Get("purpose"))
	if err != nil {
		return err
	}
	return s.stream(c, content)
}

func (s *Server) submissionForm(c *gin.Context, v *visit, a vault.Actor, f url.Values) error {
	id, err := pathID[vault.VersionID](c, "version")
	if err != nil {
		return err
	}
	signer, err := optionalID[vault.AccountID]("signer", f.Get("signer"))
	if err != nil {
		return err
	}
	j, err := s.vault.Submit(c.Request.Context(), a, id, signer, f.Get("reason"))
	if err != nil {
		return s.onDossier(c, v, a, f, err)
	}
	c.Redirect(http.StatusSeeOther, "/dossiers/"+j.Dossier.String()+"?done=submitted")
	return nil
}

func (s *Server) exportForm(c *gin.Context, v *visit, a vault.Actor, f url.Values) error {
	id, err := pathID[vault.DossierID](c, "dossier")
	if err != nil {
		return err
	}
	n, err := newExport(wire.NewExport{Signer: f.Get("signer"), Recipient: f.Get("recipient"), Purpose: f.Get("purpose")})
	if err == nil {
		_, _, err = s.vault.ExportDossier(c.Request.Context(), a, id, n)
	}
	if err != nil {
		return s.onDossier(c, v, a, f, err)
	}
	c.Redirect(http.StatusSeeOther, "/dossiers/"+id.String()+"?done=exported")
	return nil
}

// onDossier shows what people can put right above the dossier they are at; the rest goes its usual way.
func (s *Server) onDossier(c *gin.Context, v *visit, a vault.Actor, f url.Values, why error) error {
	id, err := parseID[vault.DossierID]("dossier", f.Get("dossier"))
	if k, _ := kindOf(why); err != nil || k.status >= http.StatusInternalServerError || errors.Is(why, vault.ErrNotFound) {
		return why
	}
	k := s.judge(c, why)
	setProblemHeaders(c, k)
	return s.showDossier(c, v, a, id, k.status, pageData{Problem: problemView(v.lang, k, fieldOf(why), c)})
}

type problemPageView struct{ Kind problemData }

// problemPage explains a code, for who follows the type of a problem.
func (s *Server) problemPage(c *gin.Context, v *visit) error {
	for _, k := range append([]kind{unknown}, kinds...) {
		if k.code == c.Param("code") {
			return s.show(c, v, http.StatusOK, "problemtype", pageData{View: problemPageView{*problemView(v.lang, k, "", c)}})
		}
	}
	return errRoute
}
