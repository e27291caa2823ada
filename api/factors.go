package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/boombuler/barcode/qr"
	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/vault"
)

func (s *Server) getSecondFactor(c *gin.Context, a vault.Actor) error {
	f, err := s.vault.FactorState(c.Request.Context(), a)
	if err != nil {
		return err
	}
	w := wire.SecondFactor{RecoveryCodes: f.Recovery}
	if !f.Confirmed.IsZero() {
		w.Confirmed = &f.Confirmed
	}
	return s.writeJSON(c, http.StatusOK, w)
}

func (s *Server) postSecondFactor(c *gin.Context, a vault.Actor) error {
	f, err := s.vault.BeginFactor(c.Request.Context(), a)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusCreated, wire.FactorSecret{URI: f.URI, Secret: f.Text})
}

func (s *Server) postFactorConfirmation(c *gin.Context, a vault.Actor) error {
	in, err := readJSON[wire.FactorCode](s, c)
	if err != nil {
		return err
	}
	codes, err := s.confirmFactor(c, a, in.Code)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, wire.RecoveryCodes{RecoveryCodes: codes})
}

func (s *Server) postFactorRemoval(c *gin.Context, a vault.Actor) error {
	in, err := readJSON[wire.FactorCode](s, c)
	if err != nil {
		return err
	}
	if err := s.removeFactor(c, a, in.Code); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// confirmFactor and removeFactor count as sign-ins against the caller's address: both let a code be guessed.
func (s *Server) confirmFactor(c *gin.Context, a vault.Actor, code string) ([]string, error) {
	leave, err := s.signIn.enter(c.Request.Context(), c.ClientIP())
	if err != nil {
		return nil, err
	}
	defer leave()
	return s.vault.ConfirmFactor(c.Request.Context(), a, code)
}

func (s *Server) removeFactor(c *gin.Context, a vault.Actor, code string) error {
	leave, err := s.signIn.enter(c.Request.Context(), c.ClientIP())
	if err != nil {
		return err
	}
	defer leave()
	return s.vault.RemoveFactor(c.Request.Context(), a, code)
}

const factorPath = "/second-factor"

type factorView struct {
	State  vault.FactorState
	Begun  bool     // a code of it can confirm it
	Secret string   // shown this once, with QR
	QR     *drawing // nil: the secret is not shown
	Codes  []string // for recovery, shown this once
}

// Enrolled: there is a factor that counts.
func (v factorView) Enrolled() bool { return !v.State.Confirmed.IsZero() }

func (s *Server) factorPage(c *gin.Context, v *visit, a vault.Actor) error {
	return s.showFactor(c, v, a, factorView{}, http.StatusOK, pageData{})
}

func (s *Server) showFactor(c *gin.Context, v *visit, a vault.Actor, view factorView, status int, d pageData) error {
	var err error
	if view.State, err = s.vault.FactorState(c.Request.Context(), a); err != nil {
		return err
	}
	d.View = view
	return s.show(c, v, status, "factor", d)
}

func (s *Server) factorForm(c *gin.Context, v *visit, a vault.Actor, _ url.Values) error {
	f, err := s.vault.BeginFactor(c.Request.Context(), a)
	if err != nil {
		return err
	}
	drawn, err := drawQR(f.URI)
	if err != nil {
		return err
	}
	return s.showFactor(c, v, a, factorView{Begun: true, Secret: f.Text, QR: drawn}, http.StatusOK, pageData{})
}

func (s *Server) factorConfirmationForm(c *gin.Context, v *visit, a vault.Actor, f url.Values) error {
	codes, err := s.confirmFactor(c, a, f.Get("code"))
	if err != nil {
		return s.codeRefused(c, v, a, factorView{Begun: true}, err)
	}
	return s.showFactor(c, v, a, factorView{Codes: codes}, http.StatusOK, pageData{})
}

func (s *Server) factorRemovalForm(c *gin.Context, v *visit, a vault.Actor, f url.Values) error {
	if err := s.removeFactor(c, a, f.Get("code")); err != nil {
		return s.codeRefused(c, v, a, factorView{}, err)
	}
	setCookie(c, sessionCookie, "", -1)
	c.Redirect(http.StatusSeeOther, "/")
	return nil
}

// codeRefused shows the page again where another code may do.
func (s *Server) codeRefused(c *gin.Context, v *visit, a vault.Actor, view factorView, err error) error {
	if !errors.Is(err, vault.ErrCode) {
		return err
	}
	k := s.judge(c, err)
	return s.showFactor(c, v, a, view, k.status, pageData{Problem: problemView(v.lang, k, fieldOf(err), c)})
}

// drawing is a QR code as a path of SVG over a square of so many modules: no image has to be fetched, and so none is kept.
type drawing struct {
	Side int
	Path string
}

// quiet is the white edge around a QR code, in modules (ISO/IEC 18004).
const quiet = 4

func drawQR(text string) (*drawing, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("drawing a QR code: %w", err)
	}
	side := code.Bounds().Dx()
	var b strings.Builder
	for y := range side {
		for x := range side {
			if dark, _, _, _ := code.At(x, y).RGBA(); dark == 0 {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	return &drawing{Side: side + 2*quiet, Path: b.String()}, nil
}
