package vault

import (
	"crypto/ed25519"
	"crypto/x509"
	"log/slog"
	"time"

	"trien/certs"
	"trien/signing"
	"trien/vault/calendar"
	"trien/vault/catalogue"
	"trien/vault/policy"
)

// Config is what a vault is made of.
type Config struct {
	Store   Store
	Objects Objects
	Keys    KeyWrapper
	Log     Log // of versions
	// AccessLog is of access events. Without one they are batched, and the batches wait.
	AccessLog Log
	Sealer    Sealer
	// SealPicture is how the seal looks on exports (see [CheckSealPicture]); nil: it shows the organisation's name alone.
	SealPicture *signing.Picture
	// Catalogue says what registers and kinds there are; nil: [catalogue.Default].
	Catalogue *Catalogue
	// Calendar says which days are worked; nil: [calendar.Default].
	Calendar *calendar.Calendar
	// SubjectRules take the place of [RegisterInfo.Subject], register by register.
	SubjectRules map[Register]SubjectRule
	// Policies decide who may do what; nil: the program's own, without any added.
	Policies *policy.Engine
	// Breached are passwords that nobody may have; nil: any may be had.
	Breached *BreachedPasswords
	// SecondFactor lists the roles on which a second factor is forced; nil: it is forced on nobody.
	SecondFactor []Role
	// OfferKey signs what devices are asked to sign. Without one no device is enrolled and nothing is offered.
	OfferKey ed25519.PrivateKey
	Clock    Clock // nil: the system's
	Stamps   signing.Timestamper
	Anchors  *certs.Anchors // of people, seals and TSAs
	// Intermediates are issuing authorities that tokens may not carry.
	Intermediates []*x509.Certificate
	// Revocation asks whether a certificate is good before it is used; nil: one that keeps what it is told in memory.
	Revocation *certs.Fetcher
	Logger     *slog.Logger
	Limits     Limits
}

// Limits that an operator may set. A zero field takes its default.
type Limits struct {
	MaxSize     int64         // bytes of one document; default 2 GiB
	SessionTerm time.Duration // default 8 h
	JobTerm     time.Duration // how long a signing job waits; default 72 h
	UploadGrace time.Duration // an upload that has not beaten for this long is abandoned; default 15 min
	ReceiptWait time.Duration // the longest a use case waits for a receipt; default 30 s
	// SealsPerMinute bounds the uses of the organisation's key by this process; default 60.
	SealsPerMinute int
}

func (l Limits) withDefaults() Limits {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if l.MaxSize == 0 {
		l.MaxSize = 2 << 30
	}
	if l.SealsPerMinute == 0 {
		l.SealsPerMinute = 60
	}
	def(&l.SessionTerm, 8*time.Hour)
	def(&l.JobTerm, 72*time.Hour)
	def(&l.UploadGrace, 15*time.Minute)
	def(&l.ReceiptWait, 30*time.Second)
	return l
}

// Vault runs the use cases. It holds no state of its own but how often its seal was asked for: any number may serve the same store.
type Vault struct {
	store         Store
	objects       Objects
	keys          KeyWrapper
	log           Log
	accessLog     Log // may be nil
	catalogue     *Catalogue
	calendar      *calendar.Calendar
	subjectRules  map[Register]SubjectRule
	policies      *policy.Engine
	sealer        Sealer
	sealPicture   *signing.Picture // may be nil
	mustEnrol     []Role
	breached      *BreachedPasswords // may be nil
	offerKey      ed25519.PrivateKey
	clock         Clock
	stamps        signing.Timestamper
	anchors       *certs.Anchors
	intermediates []*x509.Certificate
	logger        *slog.Logger
	limits        Limits
	pending       chan struct{} // wakes the publisher
	sealTurns     sealRate
	revocation    *certs.Fetcher
	expiries      expiries
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// New returns a vault over the ports given.
func New(c Config) *Vault {
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	if c.Catalogue == nil {
		c.Catalogue = catalogue.Default()
	}
	if c.Calendar == nil {
		c.Calendar = calendar.Default()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Revocation == nil {
		c.Revocation = inMemory(c.Clock)
	}
	if c.Policies == nil {
		c.Policies = builtIn()
	}
	limits := c.Limits.withDefaults()
	return &Vault{
		store: c.Store, objects: c.Objects, keys: c.Keys, log: c.Log, accessLog: c.AccessLog, catalogue: c.Catalogue, calendar: c.Calendar,
		subjectRules: c.SubjectRules, policies: c.Policies, sealer: c.Sealer, sealPicture: c.SealPicture, mustEnrol: c.SecondFactor, breached: c.Breached, offerKey: c.OfferKey, clock: c.Clock, stamps: c.Stamps,
		anchors: c.Anchors, intermediates: c.Intermediates, logger: c.Logger, limits: limits, pending: make(chan struct{}, 1),
		sealTurns: newSealRate(limits.SealsPerMinute), revocation: c.Revocation,
	}
}

// inMemory asks for revocation and keeps what it is told in memory.
func inMemory(clock Clock) *certs.Fetcher {
	f := &certs.Fetcher{Now: clock.Now, Policy: certs.RevocationPolicy{View: certs.DefaultViewGrace}}
	if cache, err := certs.NewCache(certs.CacheConfig{}); err == nil { // without a folder nothing can fail
		f.Cache = cache
	}
	return f
}

func (v *Vault) now() time.Time { return v.clock.Now().UTC().Truncate(time.Microsecond) }

// Calendar is what the vault counts working days by.
func (v *Vault) Calendar() *calendar.Calendar { return v.calendar }

// MaxSize is the largest document taken, in bytes.
func (v *Vault) MaxSize() int64 { return v.limits.MaxSize }
