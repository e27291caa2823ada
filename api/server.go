package api

import (
	"context"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// Config of a server.
type Config struct {
	Vault   Vault
	Logger  *slog.Logger // nil: nowhere
	Version string       // of the program, shown in pages and metrics
	// Scratch is the folder for the encrypted scratch files of verification; "" is the system's temporary one.
	Scratch string
	// PublicURL is how people reach the server, for the command shown to signers; "" derives it from the request.
	PublicURL string
	// TrustedProxies are addresses or CIDRs whose X-Forwarded-For is believed; none by default.
	TrustedProxies []string
	// Verifier is the folder of the verifier for browsers, as make build leaves it in api/generated; nil: the one built in, if any.
	Verifier fs.FS
	// Logs are the logs that strangers read below /ledger, by name; [DefaultLog] is that of versions.
	Logs map[string]PublicLog
	// Publications tell for metrics how far strangers can see each log.
	Publications map[string]func(context.Context) (Publication, error)
	// Witnesses tell for metrics how the witnesses of each log do.
	Witnesses map[string]func() []WitnessState
	Limits    Limits
}

// Limits that an operator may set. A zero field takes its default.
type Limits struct {
	VerifySize      int64 // bytes of a PDF to verify; default 512 MiB
	VerifyPerMinute int   // verifications from one address; default 12
	VerifyAtOnce    int   // verifications at one time; default 4
	ReadPerMinute   int   // resources of the ledger to one address; default 6000
	ReadAtOnce      int   // resources of the ledger read at one time, each of which takes 16 MiB of memory at most; default 16
	SignInPerMinute int   // sign-ins from one address; default 60
	SignInAtOnce    int   // sign-ins at one time, each of which takes 64 MiB of memory; default 4
	// Stall ends a connection over which no byte of a body came or went for so long; default 60 s. Uploads and downloads may take
	// as long as bytes keep coming.
	Stall time.Duration
}

func (l Limits) withDefaults() Limits {
	def := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	if l.VerifySize == 0 {
		l.VerifySize = 512 << 20
	}
	def(&l.VerifyPerMinute, 12)
	def(&l.VerifyAtOnce, 4)
	def(&l.ReadPerMinute, 6000)
	def(&l.ReadAtOnce, 16)
	def(&l.SignInPerMinute, 60)
	def(&l.SignInAtOnce, 4)
	if l.Stall == 0 {
		l.Stall = time.Minute
	}
	return l
}

// How long a peer may be silent, and what a request may bring.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	patience      = 2 * time.Minute // for what is neither upload nor download, nor builds or seals an export
	maxHeader     = 32 << 10
	maxJSON       = 1 << 20
	maxForm       = 64 << 10
)

// Server answers over HTTP. It holds no state but rate limits and metrics: any number may stand before one vault.
type Server struct {
	vault   Vault
	views   map[language]map[string]*template.Template
	log     *slog.Logger
	config  Config
	limits  Limits
	metrics *metrics
	// verifier for browsers; nil: built without one
	verifier  *verifier
	origin    *http.CrossOriginProtection
	verify    limiter
	signIn    limiter
	strangers limiter // who read the ledger
	user      *gin.Engine
	admin     *gin.Engine
}

// New returns a server over a vault. It panics if TrustedProxies holds what is no address, which the caller's configuration
// should have refused.
func New(c Config) *Server {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	l := c.Limits.withDefaults()
	s := &Server{
		vault: c.Vault, views: viewsOf(c.Vault.Catalogue()), log: c.Logger, config: c, limits: l, verifier: verifierOf(c),
		metrics:   newMetrics(c.Vault, c.Version, c.Logger),
		origin:    http.NewCrossOriginProtection(),
		verify:    newLimiter(l.VerifyPerMinute, l.VerifyAtOnce),
		signIn:    newLimiter(l.SignInPerMinute, l.SignInAtOnce),
		strangers: newLimiter(l.ReadPerMinute, l.ReadAtOnce),
	}
	s.metrics.registry.MustRegister(&publications{c.Publications, c.Logger}, &witnesses{c.Witnesses})
	s.user = s.engine()
	s.routeInterface(s.user)
	s.routeLogs(s.user)
	s.routePages(s.user)
	s.routeHealth(s.user)
	s.admin = s.engine()
	s.routeHealth(s.admin)
	s.admin.GET("/metrics", gin.WrapH(s.metrics.handler()))
	return s
}

// Handler serves people and programs: interface, pages, health.
func (s *Server) Handler() http.Handler { return s.user }

// AdminHandler serves the administration network: metrics and health.
func (s *Server) AdminHandler() http.Handler { return s.admin }

// HTTPServer is an [http.Server] for one of the handlers, with the time limits that they count on: uploads and downloads may
// take as long as bytes keep coming.
func HTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

func init() { gin.SetMode(gin.ReleaseMode) } // else gin prints its routes to standard output

func (s *Server) engine() *gin.Engine {
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	e.RedirectFixedPath = false
	e.ContextWithFallback = false
	if err := e.SetTrustedProxies(s.config.TrustedProxies); err != nil {
		panic("api: trusted proxies: " + err.Error())
	}
	e.Use(s.observe, s.recover, secureHeaders)
	e.NoRoute(s.noRoute)
	e.NoMethod(s.open(func(*gin.Context) error { return errMethod }))
	return e
}

// noRoute answers programs and people each in their way.
func (s *Server) noRoute(c *gin.Context) {
	if isPage(c) {
		s.failPage(c, &visit{lang: pageLanguage(c)}, errRoute)
		return
	}
	s.fail(c, errRoute)
}

// isPage tells what people read from what programs do: by the route, or where there is none by what is asked for.
func isPage(c *gin.Context) bool {
	route := c.FullPath()
	switch {
	case strings.HasPrefix(c.Request.URL.Path, "/api/"), strings.HasPrefix(c.Request.URL.Path, "/ledger/"), strings.HasPrefix(route, "/static/"):
		return false
	case route == "":
		return strings.Contains(c.GetHeader("Accept"), "text/html")
	}
	return route != "/healthz" && route != "/readyz" && route != "/metrics"
}

// routeInterface lists the routes of the interface. openapi.yaml has each of them, which a test holds.
func (s *Server) routeInterface(e *gin.Engine) {
	v1 := e.Group("/api/v1") // may take its time
	quick := e.Group("/api/v1", within(patience))
	quick.GET("/openapi.yaml", s.open(s.getOpenAPI))
	quick.POST("/sessions", s.open(s.postSession))
	quick.DELETE("/sessions/current", s.signedIn(s.deleteSession))
	quick.GET("/me", s.signedIn(s.getMe))
	quick.GET("/me/second-factor", s.signedIn(s.getSecondFactor))
	quick.POST("/me/second-factor", s.signedIn(s.postSecondFactor))
	quick.POST("/me/second-factor/confirmation", s.signedIn(s.postFactorConfirmation))
	quick.POST("/me/second-factor/removal", s.signedIn(s.postFactorRemoval))
	quick.GET("/units", s.signedIn(s.listUnits))
	quick.POST("/units", s.signedIn(s.postUnit))
	quick.GET("/units/:unit", s.signedIn(s.getUnit))
	quick.GET("/units/:unit/history", s.signedIn(s.getUnitHistory))
	quick.GET("/unit-tree", s.signedIn(s.getUnitTree))
	v1.POST("/unit-acts", s.signedIn(s.postUnitAct))
	v1.POST("/unit-imports", s.signedIn(s.postUnitImport))
	quick.GET("/accounts", s.signedIn(s.listAccounts))
	quick.POST("/accounts", s.signedIn(s.postAccount))
	quick.PUT("/accounts/:account/certificate", s.signedIn(s.putCertificate))
	quick.PUT("/accounts/:account/delivery-certificate", s.signedIn(s.putDeliveryCertificate))
	quick.PUT("/accounts/:account/signature-picture", s.signedIn(s.putSignaturePicture))
	quick.DELETE("/accounts/:account/signature-picture", s.signedIn(s.deleteSignaturePicture))
	quick.PUT("/accounts/:account/clearance", s.signedIn(s.putClearance))
	quick.GET("/units/:unit/decisions", s.signedIn(s.listDecisions))
	quick.POST("/units/:unit/decisions", s.signedIn(s.postDecision))
	quick.POST("/grants", s.signedIn(s.postGrant))
	quick.DELETE("/grants/:grant", s.signedIn(s.deleteGrant))
	quick.GET("/policy/explanation", s.signedIn(s.getExplanation))
	quick.GET("/devices", s.signedIn(s.listDevices))
	quick.POST("/devices", s.signedIn(s.postDevice))
	quick.DELETE("/devices/:device", s.signedIn(s.deleteDevice))
	quick.POST("/device-sessions", s.open(s.postDeviceSession))
	quick.GET("/officials", s.signedIn(s.listOfficials))
	quick.GET("/registers", s.open(s.listRegisters))

	quick.GET("/dossiers", s.signedIn(s.listDossiers))
	quick.POST("/dossiers", s.signedIn(s.postDossier))
	quick.GET("/dossiers/:dossier", s.signedIn(s.getDossier))
	quick.GET("/dossiers/:dossier/holdings", s.signedIn(s.listHoldings))
	quick.PUT("/dossiers/:dossier/secrecy", s.signedIn(s.putSecrecy))
	v1.POST("/dossiers/:dossier/records", s.signedIn(s.postRecord))
	v1.POST("/dossiers/:dossier/exports", s.signedIn(s.postExport))
	v1.POST("/records/:record/versions", s.signedIn(s.postVersion))
	quick.GET("/versions/:version", s.signedIn(s.getVersion))
	v1.GET("/versions/:version/content", s.signedIn(s.getContent))
	quick.GET("/versions/:version/receipt", s.signedIn(s.getReceipt))
	v1.POST("/versions/:version/submissions", s.signedIn(s.postSubmission))

	v1.POST("/submissions", s.signedIn(s.postSubmissions))

	quick.GET("/exports", s.signedIn(s.listExports))
	quick.GET("/exports/:export", s.signedIn(s.getExport))
	v1.GET("/exports/:export/content", s.signedIn(s.getExportContent))
	v1.GET("/exports/:export/delivery", s.signedIn(s.getExportDelivery))
	quick.GET("/signing-jobs", s.signedIn(s.listJobs))
	quick.GET("/signing-jobs/:job", s.signedIn(s.getJob))
	quick.DELETE("/signing-jobs/:job", s.signedIn(s.deleteJob))
	quick.GET("/signing-jobs/:job/offer", s.signedIn(s.getOffer))
	v1.GET("/signing-jobs/:job/document", s.signedIn(s.getJobDocument))
	v1.POST("/signing-jobs/:job/signature", s.signedIn(s.postSignature))
	v1.PUT("/signing-jobs/:job/signed-document", s.signedIn(s.putSignedDocument))

	quick.GET("/ledger/checkpoint", s.open(s.getCheckpoint))
	quick.GET("/ledger/consistency", s.open(s.getConsistency))
	quick.GET("/ledger/policy", s.open(s.getPolicy))
	quick.GET("/anchors", s.open(s.getAnchors))
	quick.GET("/access-record", s.signedIn(s.listEvents))
	quick.GET("/access-record/:event/proof", s.signedIn(s.getEventProof))
	quick.GET("/my-dossiers", s.signedIn(s.listOwnDossiers))
	quick.GET("/my-dossiers/:dossier/access-record", s.signedIn(s.listOwnEvents))
	v1.POST("/verify", s.open(s.postVerify))
}

func (s *Server) routeHealth(e *gin.Engine) {
	e.GET("/healthz", s.open(s.getHealth))
	e.GET("/readyz", s.open(s.getReady))
}
