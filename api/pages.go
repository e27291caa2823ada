package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/vault"
)

const (
	sessionCookie  = "__Host-trien-session"
	searchCookie   = "__Host-trien-search"
	languageCookie = "trien-lang"

	csrfField = "csrf"
	keyField  = "idempotency_key"
)

// routePages lists the pages. They take the session from a cookie and nothing else.
func (s *Server) routePages(e *gin.Engine) {
	quick := e.Group("/", within(patience))
	quick.GET("/static/:file", s.open(s.getStatic))
	quick.GET("/problems/:code", s.page(s.problemPage))
	quick.GET("/", s.memberPage(s.homePage))
	quick.POST("/sign-in", s.page(s.signInForm))
	quick.POST("/sign-out", s.memberForm(s.signOutForm))
	quick.GET("/second-factor", s.memberPage(s.factorPage))
	quick.POST("/second-factor", s.memberForm(s.factorForm))
	quick.POST("/second-factor/confirmation", s.memberForm(s.factorConfirmationForm))
	quick.POST("/second-factor/removal", s.memberForm(s.factorRemovalForm))
	quick.POST("/search", s.memberForm(s.searchForm))
	quick.GET("/verify", s.page(s.verifyPage))
	e.POST("/verify", s.page(s.verifyForm))

	quick.GET("/new-dossier", s.memberPage(s.newDossierPage))
	quick.POST("/dossiers", s.memberForm(s.newDossierForm))
	quick.GET("/dossiers/:dossier", s.memberPage(s.dossierPage))
	e.POST("/dossiers/:dossier/records", s.memberUpload(s.recordForm))
	e.POST("/dossiers/:dossier/exports", s.memberForm(s.exportForm))
	e.POST("/records/:record/versions", s.memberUpload(s.versionForm))
	quick.GET("/versions/:version", s.memberPage(s.versionPage))
	quick.GET("/versions/:version/receipt", s.memberPage(s.receiptFile))
	e.POST("/versions/:version/content", s.memberForm(s.contentForm))
	e.POST("/versions/:version/submissions", s.memberForm(s.submissionForm))

	quick.GET("/exports", s.memberPage(s.exportsPage))
	e.GET("/exports/:export/content", s.memberPage(s.exportFile))
	e.GET("/exports/:export/delivery", s.memberPage(s.deliveryFile))
	quick.GET("/signing-jobs", s.memberPage(s.jobsPage))
	e.GET("/signing-jobs/:job/document", s.memberPage(s.jobFile))
	e.POST("/signing-jobs/:job/signed-document", s.memberUpload(s.signedFileForm))
	quick.POST("/signing-jobs/:job/withdrawal", s.memberForm(s.withdrawalForm))
	quick.GET("/access-record", s.memberPage(s.accessPage))
	quick.GET("/access-record/:event/proof", s.memberPage(s.eventProofFile))
	quick.GET("/my-dossiers", s.memberPage(s.ownDossiersPage))
	quick.GET("/my-dossiers/:dossier", s.memberPage(s.ownRecordPage))
	quick.GET("/accounts", s.memberPage(s.accountsPage))
	quick.GET("/accounts/:account", s.memberPage(s.accountPage))
	quick.POST("/accounts/:account/certificate", s.memberUpload(s.certificateForm))
	quick.POST("/accounts/:account/delivery-certificate", s.memberUpload(s.deliveryCertificateForm))
	quick.POST("/accounts/:account/signature-picture", s.memberUpload(s.pictureForm))
	quick.POST("/accounts/:account/signature-picture/removal", s.memberForm(s.pictureRemovalForm))
	quick.GET("/units", s.memberPage(s.unitsPage))
	quick.GET("/units/:unit", s.memberPage(s.unitPage))
}

// visit is one request for a page.
type visit struct {
	lang  language
	token vault.Token
	actor *vault.Actor // nil: not signed in
}

// page runs a handler for anyone, signed in or not.
func (s *Server) page(h func(*gin.Context, *visit) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if chooseLanguage(c) {
			return
		}
		v, err := s.visit(c)
		if err == nil && c.Request.Method != http.MethodGet {
			// Browsers say where a form comes from; the token of the form is looked at by memberForm.
			if e := s.origin.Check(c.Request); e != nil {
				err = s.refuseBody(c, errForgery)
			}
		}
		if err == nil {
			err = h(c, v)
		}
		if err != nil {
			s.failPage(c, v, err)
		}
	}
}

// memberPage runs a handler for who is signed in, and shows the others where to sign in, or where to enrol the second factor that their role takes.
func (s *Server) memberPage(h func(*gin.Context, *visit, vault.Actor) error) gin.HandlerFunc {
	return s.page(func(c *gin.Context, v *visit) error {
		if v.actor == nil {
			return s.showSignIn(c, v, signInView{Next: c.Request.URL.Path}, http.StatusOK)
		}
		if v.actor.MustEnrol && c.FullPath() != factorPath {
			c.Redirect(http.StatusSeeOther, factorPath)
			return nil
		}
		return h(c, v, *v.actor)
	})
}

// memberForm is memberPage for a form that brings its token.
func (s *Server) memberForm(h func(*gin.Context, *visit, vault.Actor, url.Values) error) gin.HandlerFunc {
	return s.page(func(c *gin.Context, v *visit) error {
		if v.actor == nil {
			return s.refuseBody(c, vault.ErrSessionExpired)
		}
		f, err := s.readForm(c)
		if err != nil {
			return err
		}
		if !v.owns(f.Get(csrfField)) {
			return errForgery
		}
		return h(c, v, *v.actor, f)
	})
}

// memberUpload is memberPage for a form with a file: its token is looked at before the file is read.
func (s *Server) memberUpload(h func(*gin.Context, *visit, vault.Actor) error) gin.HandlerFunc {
	return s.page(func(c *gin.Context, v *visit) error {
		if v.actor == nil {
			return s.refuseBody(c, vault.ErrSessionExpired)
		}
		return h(c, v, *v.actor)
	})
}

// visit finds out who asks. A session that has ended leaves a visitor who is not signed in.
func (s *Server) visit(c *gin.Context) (*visit, error) {
	v := &visit{lang: pageLanguage(c)}
	cookie, _ := c.Cookie(sessionCookie) // none is an empty one
	if !validToken(cookie) {
		return v, nil
	}
	a, err := s.vault.Authenticate(c.Request.Context(), vault.Token(cookie), source(c))
	if errors.Is(err, vault.ErrUnauthenticated) {
		setCookie(c, sessionCookie, "", -1)
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v.actor, v.token = &a, vault.Token(cookie)
	return v, nil
}

// csrf is the token of this session's forms. It follows from the session's token, so that any node can check it.
func (v *visit) csrf() string {
	if v.actor == nil {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(v.token))
	mac.Write([]byte("trien/csrf/v1"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (v *visit) owns(token string) bool {
	return token != "" && hmac.Equal([]byte(token), []byte(v.csrf()))
}

// readForm reads a small form without files.
func (s *Server) readForm(c *gin.Context) (url.Values, error) {
	if c.ContentType() != "application/x-www-form-urlencoded" {
		return nil, errContentType
	}
	c.Request.Body = io.NopCloser(s.body(c, maxForm))
	if err := c.Request.ParseForm(); err != nil {
		return nil, bodyError(err)
	}
	return c.Request.PostForm, nil
}

func setCookie(c *gin.Context, name, value string, seconds int) {
	http.SetCookie(c.Writer, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: seconds, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

func pageLanguage(c *gin.Context) language {
	if l, err := c.Cookie(languageCookie); err == nil && language(l) == english {
		return english
	}
	return vietnamese // also where the browser prefers English: the product speaks Vietnamese first
}

// chooseLanguage answers ?lang= by remembering it and asking for the page again without it.
func chooseLanguage(c *gin.Context) bool {
	l := language(c.Query("lang"))
	if c.Request.Method != http.MethodGet || l != vietnamese && l != english {
		return false
	}
	setCookie(c, languageCookie, string(l), int((365 * 24 * time.Hour).Seconds()))
	q := c.Request.URL.Query()
	q.Del("lang")
	to := url.URL{Path: localPath(c.Request.URL.Path), RawQuery: q.Encode()}
	c.Redirect(http.StatusSeeOther, to.String())
	return true
}

// localPath is path if it leads to this server, else the first page: "//elsewhere" would leave it.
func localPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n") {
		return "/"
	}
	return path
}

// failPage shows an error to a person, or to the page's own script.
func (s *Server) failPage(c *gin.Context, v *visit, err error) {
	k := s.judge(c, err)
	if c.Writer.Written() {
		panic(http.ErrAbortHandler)
	}
	if v == nil {
		v = &visit{lang: pageLanguage(c)}
	}
	if wantsJSON(c) {
		s.writeBytesProblem(c, v, k, fieldOf(err))
		return
	}
	if errors.Is(err, vault.ErrUnauthenticated) && v.actor == nil {
		view := signInView{Next: "/"}
		s.must(c, s.showSignIn(c, v, view, k.status, problemView(v.lang, k, fieldOf(err), c)))
		return
	}
	setProblemHeaders(c, k)
	s.must(c, s.show(c, v, k.status, "problem", pageData{Problem: problemView(v.lang, k, fieldOf(err), c)}))
}

// must ends the connection where not even an error page could be made; why is logged.
func (s *Server) must(c *gin.Context, err error) {
	if err != nil {
		s.judge(c, err)
		panic(http.ErrAbortHandler)
	}
}

// wantsJSON is how the page's own script asks.
func wantsJSON(c *gin.Context) bool { return c.GetHeader("Accept") == "application/json" }

func (s *Server) writeBytesProblem(c *gin.Context, v *visit, k kind, field string) {
	p := problemView(v.lang, k, field, c)
	setProblemHeaders(c, k)
	s.write(c, k.status, "application/problem+json", wire.Problem{
		Type: "/problems/" + k.code, Code: k.code, Status: k.status, Title: p.Title, Detail: p.Detail,
		En: wire.ProblemText{Title: k.en.title, Detail: k.en.detail}, RequestID: p.RequestID, Field: field,
	})
}

// problemData is an error as a page shows it.
type problemData struct {
	Code, Title, Detail, Field, RequestID string
}

func problemView(l language, k kind, field string, c *gin.Context) *problemData {
	t := k.vi
	if l == english {
		t = k.en
	}
	label := ""
	if field != "" {
		label = fieldLabel(l, field)
	}
	return &problemData{Code: k.code, Title: t.title, Detail: t.detail, Field: label, RequestID: requestID(c)}
}
