package api

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"trien/certs"
	"trien/signing"
	"trien/vault"
	"trien/vault/bundle"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static/*
var staticFiles embed.FS

// pageData is what the frame around every page shows. View is the page's own.
type pageData struct {
	Title   string
	Notice  string // something went well
	Expiry  []certs.ExpiryWarning
	Problem *problemData
	View    any

	Lang    language
	Other   language
	Toggle  string // address of the same page in the other language
	Actor   *vault.Actor
	CSRF    string
	Version string
	Path    string
}

// views holds each page's template, once for each language. They are parsed once, and never executed: a server's own know its catalogue.
var views = map[language]map[string]*template.Template{vietnamese: parseViews(vietnamese), english: parseViews(english)}

// viewsOf are the pages of a server whose registers and kinds are c's.
func viewsOf(c *vault.Catalogue) map[language]map[string]*template.Template {
	all := map[language]map[string]*template.Template{}
	for l, pages := range views {
		all[l] = map[string]*template.Template{}
		for name, page := range pages {
			all[l][name] = template.Must(page.Clone()).Funcs(viewFuncs(l, c)) // a template that was never executed can be cloned
		}
	}
	return all
}

func parseViews(l language) map[string]*template.Template {
	frame := template.Must(template.New("frame.html").Funcs(viewFuncs(l, nil)).ParseFS(templateFiles, "templates/frame.html", "templates/parts.html"))
	all := map[string]*template.Template{}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is constant
	}
	for _, f := range files {
		name := strings.TrimSuffix(path.Base(f), ".html")
		if name == "frame" || name == "parts" {
			continue
		}
		all[name] = template.Must(template.Must(frame.Clone()).ParseFS(templateFiles, f))
	}
	return all
}

func (s *Server) show(c *gin.Context, v *visit, status int, name string, d pageData) error {
	d.Lang, d.Other, d.Actor, d.CSRF, d.Version = v.lang, english, v.actor, v.csrf(), s.config.Version
	if v.lang == english {
		d.Other = vietnamese
	}
	if v.actor != nil {
		d.Expiry = s.vault.ExpiryNotices(*v.actor)
	}
	d.Path = c.Request.URL.Path
	d.Toggle = "/?lang=" + string(d.Other)
	if c.Request.Method == http.MethodGet {
		q := c.Request.URL.Query()
		q.Set("lang", string(d.Other))
		d.Toggle = localPath(d.Path) + "?" + q.Encode()
	}
	if d.Title == "" {
		d.Title = say(v.lang, "title."+name)
	}
	var b bytes.Buffer
	if err := s.views[v.lang][name].ExecuteTemplate(&b, "frame.html", d); err != nil {
		return fmt.Errorf("rendering page %s: %w", name, err)
	}
	c.Header("Content-Language", string(v.lang))
	c.Header("Vary", "Cookie")
	s.writeBytes(c, status, "text/html; charset=utf-8", b.Bytes())
	return nil
}

// ict is the time of Vietnam, which has known no other since 1975.
var ict = time.FixedZone("+07:00", 7*60*60)

func viewFuncs(l language, c *vault.Catalogue) template.FuncMap {
	return template.FuncMap{
		"t":        func(key string) string { return say(l, key) },
		"texts":    func(prefixes ...string) (string, error) { return textsJSON(l, prefixes) },
		"label":    func(x vault.Label) string { return pick(l, x.Vi, x.En) },
		"register": func(r vault.Register) string { return registerLabel(l, c, r) },
		"kind":     func(r vault.Register, k vault.Kind) string { return kindLabel(l, c, r, k) },
		"time":     clock,
		"iso":      func(t time.Time) string { return t.In(ict).Format(time.RFC3339) },
		"date":     birthDate,
		"size":     func(n int64) string { return sizeText(l, n) },
		"asset":    func(name string) string { return "/static/" + name + "?v=" + assetHash[name] },
		"entry":    indexText,
		"pdf":      func(v vault.Version) bool { return v.MediaType == "application/pdf" },
		"media":    mediaText,
		"may": func(a *vault.Actor, action string) bool {
			return a != nil && vault.Allowed(a.Role, vault.Action(action), true)
		},
		"tail":     tail,
		"target":   targetOf,
		"signer":   func(r signing.SignatureReport) string { return signerText(l, r) },
		"provenBy": func(r signing.SignatureReport) string { by := bundle.ProvenBy(&r); return pick(l, by.Vi, by.En) },
		"details":  func(r signing.SignatureReport) []bundle.Sentence { return bundle.Details(&r) },
		"signedAs": signedAs,
		"kindOf":   signatureKind,
		"finger":   fingerprint,
		"fingerOf": fingerOf,
		"both":     func(vi, en string) string { return pick(l, vi, en) },
		"string":   func(v any) string { return fmt.Sprint(v) },
		"newKey":   newKey,
		"reverse":  reversed,
		"dict":     dict,
	}
}

// clock is a time as people here write it.
func clock(t time.Time) string { return t.In(ict).Format("02/01/2006 15:04") }

func pick(l language, vi, en string) string {
	if l == english {
		return en
	}
	return vi
}

func registerLabel(l language, c *vault.Catalogue, r vault.Register) string {
	info, ok := c.Register(r)
	if !ok {
		return string(r)
	}
	return pick(l, info.Label.Vi, info.Label.En)
}

func kindLabel(l language, c *vault.Catalogue, r vault.Register, k vault.Kind) string {
	info, ok := c.Kind(r, k)
	if !ok {
		return string(k)
	}
	return pick(l, info.Label.Vi, info.Label.En)
}

// birthDate shows an ISO date as dd/mm/yyyy, and a year alone as it is.
func birthDate(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return t.Format("02/01/2006")
}

func sizeText(l language, n int64) string {
	const unit = 1024
	if n < unit {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, names := float64(n), []string{"KB", "MB", "GB", "TB"}
	i := -1
	for f >= unit && i < len(names)-1 {
		f /= unit
		i++
	}
	digits := 1
	if f >= 100 {
		digits = 0
	}
	text := strconv.FormatFloat(f, 'f', digits, 64) + " " + names[i]
	if l == vietnamese {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}

func indexText(v vault.Version) string {
	if i, ok := receiptIndex(v.Receipt); ok {
		return strconv.FormatUint(i, 10)
	}
	return ""
}

// tail is the last, random digits of an identifier, by which people tell one from another.
func tail(id fmt.Stringer) string {
	s := id.String()
	return s[max(len(s)-8, 0):]
}

// eventTarget is the most exact thing that an event is about.
type eventTarget struct {
	Word string // key of the kind of thing
	ID   uuid.UUID
}

func targetOf(t vault.Target) *eventTarget {
	for _, e := range []eventTarget{
		{"target.export", t.Export.UUID}, {"target.job", t.Job.UUID}, {"target.version", t.Version.UUID},
		{"target.record", t.Record.UUID}, {"target.dossier", t.Dossier.UUID}, {"target.account", t.Subject.UUID},
	} {
		if e.ID != uuid.Nil {
			return &e
		}
	}
	return nil
}

// signedAs says what the i-th signature of a judged file stands for.
func signedAs(v *bundle.Verdict, i int) string {
	switch s := &v.Signatures[i]; {
	case s == v.Person:
		return "verdict.person"
	case s == v.Seal:
		return "verdict.seal"
	default:
		return signatureKind(*s)
	}
}

func signatureKind(s signing.SignatureReport) string {
	if s.Kind == "timestamp" {
		return "verdict.stamp"
	}
	return "verdict.signature"
}

// signerText names a signer by the certificate, which is judged, rather than by the dictionary, which anyone may write.
func signerText(l language, r signing.SignatureReport) string {
	if r.Signer != nil && r.Signer.Subject.CommonName != "" {
		return r.Signer.Subject.CommonName
	}
	return say(l, "verdict.signature") + " " + r.Field
}

func mediaText(mediaType string) string {
	_, sub, _ := strings.Cut(mediaType, "/")
	return strings.ToUpper(sub)
}

func reversed(in []vault.Version) []vault.Version {
	out := make([]vault.Version, 0, len(in))
	for i := len(in) - 1; i >= 0; i-- {
		out = append(out, in[i])
	}
	return out
}

// dict makes a map for a part of a page that takes several values.
func dict(pairs ...any) (map[string]any, error) {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: key %d is no string", i)
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// assetHash is in the address of each static file, so that browsers may keep it for good.
var assetHash = hashAssets()

func hashAssets() map[string]string {
	all := map[string]string{}
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	for _, e := range entries {
		b, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(b)
		all[e.Name()] = hex.EncodeToString(sum[:6])
	}
	return all
}

// forGood is for an address that holds the hash of what it leads to.
const forGood = "public, max-age=31536000, immutable"

func (s *Server) getStatic(c *gin.Context) error {
	name := c.Param("file")
	if served, err := s.serveVerifier(c, name); served {
		return err
	}
	hash, ok := assetHash[name]
	if !ok {
		return errRoute
	}
	b, err := staticFiles.ReadFile("static/" + name)
	if err != nil {
		return fmt.Errorf("reading a static file: %w", err)
	}
	if c.Query("v") == hash {
		c.Header("Cache-Control", forGood)
	}
	if name == workerFile {
		c.Header("Content-Security-Policy", workerPolicy)
	}
	s.writeBytes(c, http.StatusOK, mime.TypeByExtension(path.Ext(name)), b)
	return nil
}
