package vaulttest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"trien/ledger"
	"trien/vault"
)

// MemoryStore is a [vault.Store] in memory. One lock serialises all of it, and every method checks everything before it
// changes anything, so that an error leaves nothing behind.
type MemoryStore struct {
	mu       sync.Mutex
	units    map[vault.UnitID]*memoryUnit
	tree     int64 // the revision of the units
	acts     []vault.UnitAct
	holdings map[vault.DossierID][]vault.Holding // oldest first
	accounts map[vault.AccountID]vault.Account
	pictures map[vault.AccountID]vault.SealedPicture
	factors  map[vault.AccountID]*memoryFactor
	tries    map[ledger.Hash]memoryTry
	known    map[ledger.Hash]time.Time // places
	sessions map[vault.SessionID]memorySession
	devices  map[vault.DeviceID]vault.Device
	nonces   map[memoryNonce]time.Time
	decided  map[vault.DecisionID]vault.ScopeDecision
	grants   map[vault.GrantID]vault.Grant
	// catalogues in the order in which they were put to use, and the sums of their files, by register and version
	catalogues []vault.CatalogueInUse
	files      map[memoryFile]ledger.Hash
	dossiers   map[vault.DossierID]vault.Dossier
	records    map[vault.RecordID]*memoryRecord
	versions   map[vault.VersionID]vault.Version
	uploads    map[vault.UploadID]*memoryUpload
	jobs       map[vault.JobID]vault.Job
	exports    map[vault.ExportID]vault.Export
	outbox     []*memoryEntry
	events     map[vault.EventID]vault.Event
	seeds      map[vault.EventID]ledger.EventSeed
	queue      []vault.EventID // events that are in no batch
	places     map[vault.EventID]memoryPlace
	batches    []*memoryBatch
	garbage    []string
}

type memorySession struct {
	vault.Session
	ended bool
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{
		units:    map[vault.UnitID]*memoryUnit{},
		holdings: map[vault.DossierID][]vault.Holding{},
		accounts: map[vault.AccountID]vault.Account{},
		pictures: map[vault.AccountID]vault.SealedPicture{},
		factors:  map[vault.AccountID]*memoryFactor{},
		tries:    map[ledger.Hash]memoryTry{},
		known:    map[ledger.Hash]time.Time{},
		sessions: map[vault.SessionID]memorySession{},
		devices:  map[vault.DeviceID]vault.Device{},
		nonces:   map[memoryNonce]time.Time{},
		files:    map[memoryFile]ledger.Hash{},
		decided:  map[vault.DecisionID]vault.ScopeDecision{},
		grants:   map[vault.GrantID]vault.Grant{},
		dossiers: map[vault.DossierID]vault.Dossier{},
		records:  map[vault.RecordID]*memoryRecord{},
		versions: map[vault.VersionID]vault.Version{},
		uploads:  map[vault.UploadID]*memoryUpload{},
		jobs:     map[vault.JobID]vault.Job{},
		exports:  map[vault.ExportID]vault.Export{},
		events:   map[vault.EventID]vault.Event{},
		seeds:    map[vault.EventID]ledger.EventSeed{},
		places:   map[vault.EventID]memoryPlace{},
	}
}

var _ vault.Store = (*MemoryStore)(nil)

// do runs act alone.
func (s *MemoryStore) do(ctx context.Context, act func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return act()
}

// look is do with a result.
func look[T any](ctx context.Context, s *MemoryStore, act func() (T, error)) (T, error) {
	var found T
	err := s.do(ctx, func() (err error) {
		found, err = act()
		return err
	})
	return found, err
}

// get finds a row by its id.
func get[K comparable, V any](rows map[K]V, id K, noun string) (V, error) {
	v, ok := rows[id]
	if !ok {
		return v, fmt.Errorf("%w: %s %v", vault.ErrNotFound, noun, id)
	}
	return v, nil
}

// free checks that no row has the id.
func free[K comparable, V any](rows map[K]V, id K, noun string) error {
	if _, taken := rows[id]; taken {
		return fmt.Errorf("%w: %s %v stands already", vault.ErrConflict, noun, id)
	}
	return nil
}

// first returns the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func valid(ok bool, what string) error {
	if !ok {
		return fmt.Errorf("%w: %s", vault.ErrInvalid, what)
	}
	return nil
}

// newestFirst sorts by id: UUIDv7 sort by the time they were made.
func newestFirst[T any](rows []T, id func(T) [16]byte) {
	slices.SortFunc(rows, func(a, b T) int {
		x, y := id(a), id(b)
		return bytes.Compare(y[:], x[:])
	})
}

func upTo[T any](rows []T, limit int) []T { return rows[:max(0, min(len(rows), limit))] }

func moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// Ready is always nil.
func (s *MemoryStore) Ready(ctx context.Context) error { return ctx.Err() }

// AddAccount adds a person's access.
func (s *MemoryStore) AddAccount(ctx context.Context, a vault.Account, e vault.Event) error {
	return s.do(ctx, func() error {
		if a.Clearance == "" {
			a.Clearance = vault.Unclassified
		}
		err := first(free(s.accounts, a.ID, "account"), s.checkStanding(a.Unit), s.checkEvent(e),
			valid(a.Login != "" && a.Login == strings.ToLower(a.Login), "a login in lower case"),
			valid(a.Name != "", "an account without a name"), valid(a.Password != "", "an account without a password"),
			valid(slices.Contains(vault.Roles(), a.Role), "no such role"),
			valid((a.Role == vault.RoleSubject) == (a.PersonalNumber != ""), "a personal number is a subject's"),
			level(a.Clearance), valid((a.Clearance == vault.Unclassified) == a.ClearedUntil.IsZero(), "a clearance has a term"))
		if err != nil {
			return err
		}
		for _, other := range s.accounts {
			if other.Login == a.Login {
				return vault.ErrNameTaken
			}
		}
		a.Created, a.ClearedUntil = moment(a.Created), moment(a.ClearedUntil)
		s.accounts[a.ID] = cloneAccount(a)
		s.record(e)
		return nil
	})
}

func cloneAccount(a vault.Account) vault.Account {
	a.Certificate, a.DeliveryCertificate = bytes.Clone(a.Certificate), bytes.Clone(a.DeliveryCertificate)
	return a
}

// Account reads an account.
func (s *MemoryStore) Account(ctx context.Context, id vault.AccountID) (vault.Account, error) {
	return look(ctx, s, func() (vault.Account, error) {
		a, err := get(s.accounts, id, "account")
		return cloneAccount(a), err
	})
}

// AccountByLogin finds an account.
func (s *MemoryStore) AccountByLogin(ctx context.Context, login string) (vault.Account, error) {
	return look(ctx, s, func() (vault.Account, error) {
		for _, a := range s.accounts {
			if a.Login == login {
				return cloneAccount(a), nil
			}
		}
		return vault.Account{}, fmt.Errorf("%w: account", vault.ErrNotFound)
	})
}

// Accounts lists all accounts by login.
func (s *MemoryStore) Accounts(ctx context.Context) ([]vault.Account, error) {
	return look(ctx, s, func() ([]vault.Account, error) {
		var all []vault.Account
		for _, a := range s.accounts {
			all = append(all, cloneAccount(a))
		}
		slices.SortFunc(all, func(a, b vault.Account) int { return strings.Compare(a.Login, b.Login) })
		return all, nil
	})
}

// SetCertificate binds a certificate; nil takes it away.
func (s *MemoryStore) SetCertificate(ctx context.Context, id vault.AccountID, der []byte, e vault.Event) error {
	return s.bind(ctx, id, e, func(a *vault.Account) { a.Certificate = bytes.Clone(der) })
}

// SetDeliveryCertificate binds a certificate to enclose for; nil takes it away.
func (s *MemoryStore) SetDeliveryCertificate(ctx context.Context, id vault.AccountID, der []byte, e vault.Event) error {
	if der != nil && len(der) == 0 {
		return fmt.Errorf("%w: an empty certificate", vault.ErrInvalid)
	}
	return s.bind(ctx, id, e, func(a *vault.Account) { a.DeliveryCertificate = bytes.Clone(der) })
}

func (s *MemoryStore) bind(ctx context.Context, id vault.AccountID, e vault.Event, change func(*vault.Account)) error {
	return s.do(ctx, func() error {
		a, err := get(s.accounts, id, "account")
		if err := first(err, s.checkEvent(e)); err != nil {
			return err
		}
		change(&a)
		s.accounts[id] = a
		s.record(e)
		return nil
	})
}

// AddSession opens a session.
func (s *MemoryStore) AddSession(ctx context.Context, n vault.Session, e vault.Event) error {
	return s.do(ctx, func() error {
		if err := first(valid(n.Device.IsZero(), "the session is a device's"), s.checkSession(n), s.checkEvent(e)); err != nil {
			return err
		}
		s.addSession(n)
		s.record(e)
		return nil
	})
}

func (s *MemoryStore) checkSession(n vault.Session) error {
	_, noAccount := get(s.accounts, n.Account, "account")
	for _, other := range s.sessions {
		if other.Hash == n.Hash {
			return fmt.Errorf("%w: the token stands already", vault.ErrConflict)
		}
	}
	return first(free(s.sessions, n.ID, "session"), noAccount, valid(n.Expires.After(n.Created), "a session that ends before it begins"))
}

func (s *MemoryStore) addSession(n vault.Session) {
	n.Created, n.Expires = moment(n.Created), moment(n.Expires)
	s.sessions[n.ID] = memorySession{Session: n}
}

// Session finds a running session by its token.
func (s *MemoryStore) Session(ctx context.Context, token ledger.Hash, now time.Time) (vault.Session, vault.Account, error) {
	var account vault.Account
	session, err := look(ctx, s, func() (vault.Session, error) {
		for _, n := range s.sessions {
			if n.Hash == token && !n.ended && n.Expires.After(now) && s.devices[n.Device].Revoked.IsZero() {
				account = cloneAccount(s.accounts[n.Account])
				return n.Session, nil
			}
		}
		return vault.Session{}, fmt.Errorf("%w: session", vault.ErrNotFound)
	})
	return session, account, err
}

// EndSession ends a session; one that has ended is not found.
func (s *MemoryStore) EndSession(ctx context.Context, id vault.SessionID, e vault.Event) error {
	return s.do(ctx, func() error {
		n, err := get(s.sessions, id, "session")
		if err == nil && n.ended {
			err = fmt.Errorf("%w: session has ended", vault.ErrNotFound)
		}
		if err := first(err, s.checkEvent(e)); err != nil {
			return err
		}
		n.ended = true
		s.sessions[id] = n
		s.record(e)
		return nil
	})
}

func (s *MemoryStore) checkEvent(e vault.Event) error {
	return first(free(s.events, e.ID, "event"), valid(e.ID != vault.EventID{}, "an event without an id"),
		valid(e.Outcome == vault.Done || e.Outcome == vault.Refused, "an event without an outcome"),
		valid(e.Action != "", "an event without an action"))
}

func (s *MemoryStore) record(e vault.Event) {
	e.Time = moment(e.Time)
	s.events[e.ID] = e
	s.seeds[e.ID] = ledger.EventSeed(ledger.NewSalt())
	s.queue = append(s.queue, e.ID)
}

// AddEvent writes a line of the access record.
func (s *MemoryStore) AddEvent(ctx context.Context, e vault.Event) error {
	return s.do(ctx, func() error {
		if err := s.checkEvent(e); err != nil {
			return err
		}
		s.record(e)
		return nil
	})
}

// Events lists the access record, newest first.
func (s *MemoryStore) Events(ctx context.Context, q vault.EventQuery) ([]vault.Event, error) {
	return look(ctx, s, func() ([]vault.Event, error) {
		var found []vault.Event
		for _, e := range s.events {
			if (q.Dossier == vault.DossierID{} || e.Target.Dossier == q.Dossier) && before(e.ID.UUID, q.After.UUID) &&
				(q.Until.IsZero() || !e.Time.After(q.Until)) {
				found = append(found, e)
			}
		}
		newestFirst(found, func(e vault.Event) [16]byte { return e.ID.UUID })
		return upTo(found, q.Limit), nil
	})
}

// before reports whether id belongs on the pages after the one that ended with after; zero: on the first.
func before(id, after [16]byte) bool {
	return after == [16]byte{} || cmp.Compare(string(id[:]), string(after[:])) < 0
}
