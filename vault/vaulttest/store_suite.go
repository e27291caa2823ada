package vaulttest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
	"trien/vault"
)

// Store is the suite that every [vault.Store] passes. open returns an empty store, and ends it by t.Cleanup.
//
// Besides what each method does, it holds that an act and its event stand or fall together, that a refused act leaves
// nothing behind, and that of acts which exclude each other and run at once exactly one succeeds.
func Store(t *testing.T, open func(t *testing.T) vault.Store) {
	for _, part := range []struct {
		name string
		test func(w *world)
	}{
		{"units", storeUnits},
		{"units over time", storeUnitsOverTime},
		{"heads and seals of units", storeUnitHeads},
		{"refused acts on units", storeUnitsRefused},
		{"holdings", storeHoldings},
		{"acts on units at once", storeUnitsAtOnce},
		{"acts on units at random", storeUnitsAtRandom},
		{"accounts", storeAccounts},
		{"signature pictures", storePictures},
		{"accounts at once", storeAccountsAtOnce},
		{"sessions", storeSessions},
		{"second factors", storeFactors},
		{"second factors at once", storeFactorsAtOnce},
		{"failed sign-ins", storeTries},
		{"failed sign-ins at once", storeTriesAtOnce},
		{"devices", storeDevices},
		{"devices at once", storeDevicesAtOnce},
		{"events", storeEvents},
		{"batches of events", storeBatches},
		{"batches that fail", storeBatchesRefused},
		{"batches at once", storeBatchesAtOnce},
		{"catalogues", storeCatalogues},
		{"one catalogue at once", storeCataloguesAtOnce},
		{"persons", storePersons},
		{"decisions", storeDecisions},
		{"clearances", storeClearances},
		{"grants", storeGrants},
		{"secrecy", storeSecrecy},
		{"secrecy at once", storeSecrecyAtOnce},
		{"dossiers", storeDossiers},
		{"dossier pages", storeDossierPages},
		{"dossier search", storeDossierSearch},
		{"uploads", storeUploads},
		{"idempotency keys", storeKeys},
		{"one key at once", storeKeysAtOnce},
		{"versions", storeVersions},
		{"refused versions", storeVersionsRefused},
		{"versions of one record at once", storeVersionsAtOnce},
		{"commit against the sweeper", storeCommitOrExpire},
		{"commit against abandonment", storeCommitOrAbandon},
		{"commit against a repeated request", storeCommitOrRepeat},
		{"jobs", storeJobs},
		{"one job at once", storeJobsAtOnce},
		{"exports", storeExports},
		{"exports without a signature", storeExportsEnded},
		{"one export at once", storeExportsAtOnce},
		{"pages of exports", storeExportPages},
		{"renewal", storeRenewal},
		{"one renewal at once", storeRenewalAtOnce},
		{"outbox", storeOutbox},
		{"publishers at once", storePublishersAtOnce},
		{"sweeping", storeSweep},
		{"times", storeTimes},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(newWorld(t, open(t))) })
	}
}

// world is a store with a unit, its people and a dossier, and what the tests have put into it so far.
type world struct {
	*testing.T
	vault.Store
	now      time.Time
	unit     vault.Unit
	staff    vault.Account
	official vault.Account
	dossier  vault.Dossier
	used     vault.Event // an event that stands already

	sessions []vault.Session
	devices  []vault.DeviceID
	dossiers []vault.DossierID
	jobs     []vault.JobID
	objects  []string
}

func newWorld(t *testing.T, store vault.Store) *world {
	w := &world{T: t, Store: store, now: time.Date(2026, 5, 6, 7, 8, 9, 123456000, time.UTC)}
	w.unit = vault.Unit{ID: vault.UnitID{UUID: id()}, Name: "Ban Tổ chức Thử Nghiệm"}
	w.used = w.event(vault.ManageAccess)
	w.must("AddUnit", w.AddUnit(w.Context(), w.unit, w.used))
	w.staff = w.account("staff", vault.Staff)
	w.official = w.account("official", vault.Official)
	for _, a := range []vault.Account{w.staff, w.official} {
		w.must("AddAccount", w.AddAccount(w.Context(), a, w.event(vault.ManageAccess)))
	}
	w.dossier = w.newDossier("Nguyễn Văn Thử", "000001")
	w.must("AddDossier", w.AddDossier(w.Context(), w.dossier, w.event(vault.OpenDossier)))
	w.must("Ready", w.Ready(w.Context()))
	return w
}

func id() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func rangeDigest() []byte { d := digest("range"); return d[:] }

func digest(s string) ledger.Hash { return sha256.Sum256([]byte(s)) }

func (w *world) must(what string, err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%s: %v", what, err)
	}
}

func (w *world) want(what string, err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Errorf("%s: %v, want %v", what, err, want)
	}
}

func (w *world) same(what string, got, want any) {
	w.Helper()
	if !reflect.DeepEqual(got, want) {
		w.Errorf("%s:\n got %.2000s\nwant %.2000s", what, fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	}
}

func (w *world) event(action vault.Action) vault.Event {
	return vault.Event{
		ID: vault.EventID{UUID: id()}, Time: w.now, Account: w.staff.ID, Unit: w.unit.ID, Role: vault.Staff, Action: action,
		Outcome: vault.Done, Source: vault.Source{Address: "127.0.0.1", Agent: "suite"},
	}
}

// state is all that can be seen of the store.
type state struct {
	units    []vault.Unit
	revision int64 // of their tree
	accounts []vault.Account
	sessions []vault.Session
	devices  []vault.Device
	dossiers []vault.DossierView
	jobs     []vault.Job
	garbage  []string
	known    map[string]bool
	pending  int
	oldest   time.Time
	events   []vault.Event
}

func (w *world) state() state {
	w.Helper()
	ctx := w.Context()
	var s state
	var err error
	s.units, err = w.Units(ctx)
	w.must("Units", err)
	tree, err := w.UnitTree(ctx)
	w.must("UnitTree", err)
	s.revision = tree.Revision
	s.accounts, err = w.Accounts(ctx)
	w.must("Accounts", err)
	for _, n := range w.sessions {
		if n, _, err = w.Session(ctx, n.Hash, w.now); err == nil {
			s.sessions = append(s.sessions, n)
		}
	}
	for _, id := range w.devices {
		if d, err := w.Device(ctx, id); err == nil {
			s.devices = append(s.devices, d)
		}
	}
	for _, id := range w.dossiers {
		var view vault.DossierView
		if view.Dossier, err = w.Dossier(ctx, id); errors.Is(err, vault.ErrNotFound) {
			continue
		}
		w.must("Dossier", err)
		view.Records, err = w.Records(ctx, id)
		w.must("Records", err)
		view.Exports, err = w.ExportsOf(ctx, id)
		w.must("ExportsOf", err)
		s.dossiers = append(s.dossiers, view)
	}
	for _, id := range w.jobs {
		j, err := w.Job(ctx, id)
		if errors.Is(err, vault.ErrNotFound) {
			continue
		}
		w.must("Job", err)
		s.jobs = append(s.jobs, j)
	}
	s.garbage = w.garbage()
	s.known, err = w.Known(ctx, w.objects)
	w.must("Known", err)
	s.pending, s.oldest, err = w.PendingEntries(ctx)
	w.must("PendingEntries", err)
	s.events, err = w.Events(ctx, vault.EventQuery{Limit: 10000})
	w.must("Events", err)
	return s
}

// refused holds that an act fails with an error of the kind wanted and changes nothing.
func (w *world) refused(what string, want error, act func(ctx context.Context) error) {
	w.Helper()
	before := w.state()
	w.want(what, act(w.Context()), want)
	w.unchanged(what, before)
}

// unchanged holds that the store is as it was.
func (w *world) unchanged(what string, before state) {
	w.Helper()
	after := w.state()
	w.same(what+" changed units", after.units, before.units)
	w.same(what+" changed the tree of units", after.revision, before.revision)
	w.same(what+" changed accounts", after.accounts, before.accounts)
	w.same(what+" changed sessions", after.sessions, before.sessions)
	w.same(what+" changed devices", after.devices, before.devices)
	w.same(what+" changed dossiers", after.dossiers, before.dossiers)
	w.same(what+" changed jobs", after.jobs, before.jobs)
	w.same(what+" changed the garbage", after.garbage, before.garbage)
	w.same(what+" changed what is known", after.known, before.known)
	w.same(what+" changed how much is pending", after.pending, before.pending)
	w.same(what+" changed what is pending", after.oldest, before.oldest)
	w.same(what+" changed the access record", after.events, before.events)
}

// act holds that an act stands or falls with its event: it fails with one that stands already, or when its context has
// ended, and leaves nothing behind; with a new one it succeeds, and the event is in the access record.
func (w *world) act(what string, action vault.Action, do func(ctx context.Context, e vault.Event) error) {
	w.Helper()
	w.refused(what+" with a used event", vault.ErrConflict, func(ctx context.Context) error { return do(ctx, w.used) })
	w.refused(what+" in an ended context", context.Canceled, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return do(ctx, w.event(action))
	})
	e := w.event(action)
	w.must(what, do(w.Context(), e))
	events, err := w.Events(w.Context(), vault.EventQuery{Limit: 1})
	w.must("Events", err)
	w.same("the event of "+what, events, []vault.Event{e})
}

// atOnce runs n acts together and returns their errors.
func atOnce(n int, act func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var work sync.WaitGroup
	for i := range n {
		work.Go(func() {
			<-start
			errs[i] = act(i)
		})
	}
	close(start)
	work.Wait()
	return errs
}

// oneWins holds that exactly one of the acts succeeded, and the others failed with errors of the kind wanted. It returns
// the winner.
func (w *world) oneWins(what string, want error, errs []error) int {
	w.Helper()
	winner := slices.IndexFunc(errs, func(err error) bool { return err == nil })
	if winner < 0 {
		w.Fatalf("%s: nobody won: %v", what, errors.Join(errs...))
	}
	for i, err := range errs {
		if i != winner && !errors.Is(err, want) {
			w.Errorf("%s: loser %d of %d: %v, want %v", what, i, len(errs), err, want)
		}
	}
	return winner
}

func (w *world) garbage() []string {
	w.Helper()
	keys, err := w.Garbage(w.Context(), 10000)
	w.must("Garbage", err)
	slices.Sort(keys)
	return keys
}

func (w *world) known(key string) bool {
	w.Helper()
	known, err := w.Known(w.Context(), []string{key})
	w.must("Known", err)
	return known[key]
}
