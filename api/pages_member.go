package api

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/vault"
)

// newKey is the idempotency key of one showing of a form: sending it twice deposits once.
func newKey() string { return rand.Text() }

type signInView struct {
	Next, Login string
}

func (s *Server) showSignIn(c *gin.Context, v *visit, view signInView, status int, problem ...*problemData) error {
	d := pageData{View: view}
	if len(problem) > 0 {
		d.Problem = problem[0]
	}
	return s.show(c, v, status, "signin", d)
}

func (s *Server) signInForm(c *gin.Context, v *visit) error {
	f, err := s.readForm(c)
	if err != nil {
		return err
	}
	view := signInView{Next: localPath(f.Get("next")), Login: f.Get("login")}
	session, token, err := s.signInAs(c, vault.Credentials{Login: view.Login, Password: f.Get("password"), Code: f.Get("code")})
	if err != nil {
		k := s.judge(c, err)
		setProblemHeaders(c, k)
		return s.showSignIn(c, v, view, k.status, problemView(v.lang, k, fieldOf(err), c))
	}
	setCookie(c, sessionCookie, string(token), max(int(time.Until(session.Expires).Seconds()), 1))
	c.Redirect(http.StatusSeeOther, view.Next)
	return nil
}

func (s *Server) signOutForm(c *gin.Context, _ *visit, a vault.Actor, _ url.Values) error {
	if err := s.vault.SignOut(c.Request.Context(), a); err != nil {
		return err
	}
	setCookie(c, sessionCookie, "", -1)
	setCookie(c, searchCookie, "", -1)
	c.Redirect(http.StatusSeeOther, "/")
	return nil
}

// homePage is each role's own first page.
func (s *Server) homePage(c *gin.Context, v *visit, a vault.Actor) error {
	switch {
	case vault.Allowed(a.Role, vault.ListDossiers, true):
		return s.listPage(c, v, a)
	case vault.Allowed(a.Role, vault.ReadAccess, true):
		return s.accessPage(c, v, a)
	case vault.Allowed(a.Role, vault.ManageAccess, true):
		return s.accountsPage(c, v, a)
	case vault.Allowed(a.Role, vault.ReadOwnAccess, true):
		return s.ownDossiersPage(c, v, a)
	}
	return s.exportsPage(c, v, a)
}

type listView struct {
	Query    string
	Dossiers []vault.Dossier
	After    string // the page after this one; empty: none
	First    bool
}

func (s *Server) listPage(c *gin.Context, v *visit, a vault.Actor) error {
	q := vault.DossierQuery{Name: searchText(c), Limit: usualPage}
	var err error
	if q.After, err = optionalID[vault.DossierID]("after", c.Query("after")); err != nil {
		return err
	}
	found, err := s.vault.Dossiers(c.Request.Context(), a, q)
	if err != nil {
		return err
	}
	view := listView{Query: q.Name, Dossiers: found, First: c.Query("after") == ""}
	if len(found) == q.Limit {
		view.After = found[len(found)-1].ID.String()
	}
	return s.show(c, v, http.StatusOK, "home", pageData{View: view, Notice: notice(c, v)})
}

// searchForm remembers what is searched for in a cookie of this session: a name must not stand in an address, where logs and
// histories keep it.
func (s *Server) searchForm(c *gin.Context, _ *visit, _ vault.Actor, f url.Values) error {
	q := f.Get("q")
	if len(q) > 200 {
		return invalidField("q")
	}
	age := 0 // until the browser closes
	if q == "" {
		age = -1
	}
	setCookie(c, searchCookie, base64.RawURLEncoding.EncodeToString([]byte(q)), age)
	c.Redirect(http.StatusSeeOther, "/")
	return nil
}

func searchText(c *gin.Context) string {
	cookie, err := c.Cookie(searchCookie)
	if err != nil {
		return ""
	}
	q, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil || len(q) > 200 {
		return ""
	}
	return string(q)
}

// notice says what went well, by a code in the address.
func notice(c *gin.Context, v *visit) string {
	switch code := c.Query("done"); code {
	case "deposited", "submitted", "exported", "withdrawn", "opened", "signed", "bound", "removed":
		return say(v.lang, "done."+code)
	}
	return ""
}

type newDossierView struct {
	Registers []vault.RegisterInfo
	Entered   wire.NewDossier
}

func (s *Server) newDossierPage(c *gin.Context, v *visit, _ vault.Actor) error {
	return s.show(c, v, http.StatusOK, "newdossier", pageData{View: newDossierView{Registers: s.vault.Catalogue().Registers()}})
}

// newDossierForm shows the form again, with what was entered, if the vault refuses it.
func (s *Server) newDossierForm(c *gin.Context, v *visit, a vault.Actor, f url.Values) error {
	in := wire.NewDossier{Register: f.Get("register"), Subject: wire.Subject{
		Name: f.Get("name"), BirthDate: isoDate(f.Get("birth_date")), PersonalNumber: f.Get("personal_number"),
	}}
	d, err := s.openDossier(c, a, in)
	if errors.Is(err, vault.ErrInvalid) || errors.Is(err, vault.ErrConflict) {
		k := s.judge(c, err)
		return s.show(c, v, k.status, "newdossier", pageData{
			View: newDossierView{Registers: s.vault.Catalogue().Registers(), Entered: in}, Problem: problemView(v.lang, k, fieldOf(err), c),
		})
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/dossiers/"+d.ID.String()+"?done=opened")
	return nil
}

// isoDate reads dd/mm/yyyy as people here write it; anything else stays for the vault to judge.
func isoDate(s string) string {
	t, err := time.Parse("2/1/2006", s)
	if err != nil {
		return s
	}
	return t.Format(time.DateOnly)
}

type exportsView struct{ Exports []vault.Export }

func (s *Server) exportsPage(c *gin.Context, v *visit, a vault.Actor) error {
	mine, err := s.vault.MyExports(c.Request.Context(), a)
	if err != nil {
		return err
	}
	return s.show(c, v, http.StatusOK, "exports", pageData{View: exportsView{mine}})
}

func (s *Server) exportFile(c *gin.Context, _ *visit, a vault.Actor) error {
	return s.getExportContent(c, a)
}

func (s *Server) deliveryFile(c *gin.Context, _ *visit, a vault.Actor) error {
	return s.getExportDelivery(c, a)
}

type jobsView struct {
	Jobs   []vault.Job
	Server string
	Login  string
	// MaxSize of a file that another program signed.
	MaxSize int64
}

func (s *Server) jobsPage(c *gin.Context, v *visit, a vault.Actor) error {
	waiting, err := s.vault.Jobs(c.Request.Context(), a)
	if err != nil {
		return err
	}
	view := jobsView{Jobs: waiting, Server: s.publicURL(c), Login: a.Login, MaxSize: s.vault.MaxSize() + signedRoom}
	return s.show(c, v, http.StatusOK, "jobs", pageData{View: view, Notice: notice(c, v)})
}

func (s *Server) jobFile(c *gin.Context, _ *visit, a vault.Actor) error {
	return s.getJobDocument(c, a)
}

// publicURL is how the signer's agent reaches the server.
func (s *Server) publicURL(c *gin.Context) string {
	if s.config.PublicURL != "" {
		return s.config.PublicURL
	}
	u := url.URL{Scheme: "https", Host: c.Request.Host}
	if c.Request.TLS == nil {
		u.Scheme = "http"
	}
	return u.String()
}

func (s *Server) withdrawalForm(c *gin.Context, _ *visit, a vault.Actor, _ url.Values) error {
	id, err := pathID[vault.JobID](c, "job")
	if err != nil {
		return err
	}
	if err := s.vault.WithdrawJob(c.Request.Context(), a, id); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/signing-jobs?done=withdrawn")
	return nil
}

type accessView struct {
	Events  []vault.Event
	Dossier string
	After   string
}

func (s *Server) accessPage(c *gin.Context, v *visit, a vault.Actor) error {
	q, err := eventQuery(c)
	if err != nil {
		return err
	}
	events, err := s.vault.AccessRecord(c.Request.Context(), a, q)
	if err != nil {
		return err
	}
	view := accessView{Events: events, Dossier: idText(q.Dossier.UUID)}
	if len(events) == q.Limit {
		view.After = events[len(events)-1].ID.String()
	}
	return s.show(c, v, http.StatusOK, "access", pageData{View: view})
}

type accountsView struct {
	Units    []vault.Unit
	Accounts []vault.Account
	UnitName map[vault.UnitID]string
}

func (s *Server) accountsPage(c *gin.Context, v *visit, a vault.Actor) error {
	view := accountsView{UnitName: map[vault.UnitID]string{}}
	var err error
	if view.Units, err = s.vault.Units(c.Request.Context(), a); err != nil {
		return err
	}
	if view.Accounts, err = s.vault.Accounts(c.Request.Context(), a); err != nil {
		return err
	}
	for _, u := range view.Units {
		view.UnitName[u.ID] = u.Name
	}
	return s.show(c, v, http.StatusOK, "accounts", pageData{View: view})
}

// briefly waits a moment for the receipt, so that the page that follows most often shows the ledger's state at once.
func (s *Server) briefly(ctx context.Context, a vault.Actor, id vault.VersionID) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	// Whether it came is seen on that page.
	_, _ = s.vault.Receipt(ctx, a, id, true)
}
