package vaulttest

import (
	"context"
	"time"

	"trien/ledger"
	"trien/vault"
)

// Store wraps a metadata store.
func (f *Faults) Store(next vault.Store) vault.Store { return faultyStore{f, next} }

// faultyStore names every method, instead of embedding the port, so that a new one cannot slip past the faults.
type faultyStore struct {
	f    *Faults
	next vault.Store
}

func (s faultyStore) AddUnit(ctx context.Context, u vault.Unit, e vault.Event) error {
	return s.f.run("Store.AddUnit", func() error { return s.next.AddUnit(ctx, u, e) })
}

func (s faultyStore) Unit(ctx context.Context, id vault.UnitID) (vault.Unit, error) {
	return ask(s.f, "Store.Unit", func() (vault.Unit, error) { return s.next.Unit(ctx, id) })
}

func (s faultyStore) Units(ctx context.Context) ([]vault.Unit, error) {
	return ask(s.f, "Store.Units", func() ([]vault.Unit, error) { return s.next.Units(ctx) })
}

func (s faultyStore) CatalogueInUse(ctx context.Context) (vault.CatalogueInUse, error) {
	return ask(s.f, "Store.CatalogueInUse", func() (vault.CatalogueInUse, error) { return s.next.CatalogueInUse(ctx) })
}

func (s faultyStore) UseCatalogue(ctx context.Context, c *vault.Catalogue, e vault.Event) (bool, error) {
	return ask(s.f, "Store.UseCatalogue", func() (bool, error) { return s.next.UseCatalogue(ctx, c, e) })
}

func (s faultyStore) KindsInUse(ctx context.Context) ([]vault.Register, []vault.Kind, error) {
	var kinds []vault.Kind
	registers, err := ask(s.f, "Store.KindsInUse", func() (r []vault.Register, err error) {
		r, kinds, err = s.next.KindsInUse(ctx)
		return r, err
	})
	if err != nil {
		return nil, nil, err
	}
	return registers, kinds, nil
}

func (s faultyStore) Ancestors(ctx context.Context, id vault.UnitID, at time.Time) ([]vault.UnitID, error) {
	return ask(s.f, "Store.Ancestors", func() ([]vault.UnitID, error) { return s.next.Ancestors(ctx, id, at) })
}

func (s faultyStore) UnitTree(ctx context.Context) (*vault.UnitTree, error) {
	return ask(s.f, "Store.UnitTree", func() (*vault.UnitTree, error) { return s.next.UnitTree(ctx) })
}

func (s faultyStore) ChangeUnits(ctx context.Context, revision int64, changes []vault.UnitChange) error {
	return s.f.run("Store.ChangeUnits", func() error { return s.next.ChangeUnits(ctx, revision, changes) })
}

func (s faultyStore) UnitActs(ctx context.Context, id vault.UnitID) ([]vault.UnitAct, error) {
	return ask(s.f, "Store.UnitActs", func() ([]vault.UnitAct, error) { return s.next.UnitActs(ctx, id) })
}

func (s faultyStore) UnitHeads(ctx context.Context, id vault.UnitID) ([]vault.UnitHead, error) {
	return ask(s.f, "Store.UnitHeads", func() ([]vault.UnitHead, error) { return s.next.UnitHeads(ctx, id) })
}

func (s faultyStore) UnitSeals(ctx context.Context, id vault.UnitID) ([]vault.UnitSeal, error) {
	return ask(s.f, "Store.UnitSeals", func() ([]vault.UnitSeal, error) { return s.next.UnitSeals(ctx, id) })
}

func (s faultyStore) Holdings(ctx context.Context, id vault.DossierID) ([]vault.Holding, error) {
	return ask(s.f, "Store.Holdings", func() ([]vault.Holding, error) { return s.next.Holdings(ctx, id) })
}

func (s faultyStore) AddAccount(ctx context.Context, a vault.Account, e vault.Event) error {
	return s.f.run("Store.AddAccount", func() error { return s.next.AddAccount(ctx, a, e) })
}

func (s faultyStore) Account(ctx context.Context, id vault.AccountID) (vault.Account, error) {
	return ask(s.f, "Store.Account", func() (vault.Account, error) { return s.next.Account(ctx, id) })
}

func (s faultyStore) AccountByLogin(ctx context.Context, login string) (vault.Account, error) {
	return ask(s.f, "Store.AccountByLogin", func() (vault.Account, error) { return s.next.AccountByLogin(ctx, login) })
}

func (s faultyStore) Accounts(ctx context.Context) ([]vault.Account, error) {
	return ask(s.f, "Store.Accounts", func() ([]vault.Account, error) { return s.next.Accounts(ctx) })
}

func (s faultyStore) SetCertificate(ctx context.Context, id vault.AccountID, der []byte, e vault.Event) error {
	return s.f.run("Store.SetCertificate", func() error { return s.next.SetCertificate(ctx, id, der, e) })
}

func (s faultyStore) SetDeliveryCertificate(ctx context.Context, id vault.AccountID, der []byte, e vault.Event) error {
	return s.f.run("Store.SetDeliveryCertificate", func() error { return s.next.SetDeliveryCertificate(ctx, id, der, e) })
}

func (s faultyStore) SetSignaturePicture(ctx context.Context, id vault.AccountID, p vault.SealedPicture, e vault.Event) error {
	return s.f.run("Store.SetSignaturePicture", func() error { return s.next.SetSignaturePicture(ctx, id, p, e) })
}

func (s faultyStore) SignaturePicture(ctx context.Context, id vault.AccountID) (vault.SealedPicture, error) {
	return ask(s.f, "Store.SignaturePicture", func() (vault.SealedPicture, error) { return s.next.SignaturePicture(ctx, id) })
}

func (s faultyStore) AddSession(ctx context.Context, n vault.Session, e vault.Event) error {
	return s.f.run("Store.AddSession", func() error { return s.next.AddSession(ctx, n, e) })
}

func (s faultyStore) EndSession(ctx context.Context, id vault.SessionID, e vault.Event) error {
	return s.f.run("Store.EndSession", func() error { return s.next.EndSession(ctx, id, e) })
}

func (s faultyStore) AddDevice(ctx context.Context, d vault.Device, e vault.Event) error {
	return s.f.run("Store.AddDevice", func() error { return s.next.AddDevice(ctx, d, e) })
}

func (s faultyStore) Device(ctx context.Context, id vault.DeviceID) (vault.Device, error) {
	return ask(s.f, "Store.Device", func() (vault.Device, error) { return s.next.Device(ctx, id) })
}

func (s faultyStore) Devices(ctx context.Context, account vault.AccountID) ([]vault.Device, error) {
	return ask(s.f, "Store.Devices", func() ([]vault.Device, error) { return s.next.Devices(ctx, account) })
}

func (s faultyStore) RevokeDevice(ctx context.Context, id vault.DeviceID, e vault.Event) error {
	return s.f.run("Store.RevokeDevice", func() error { return s.next.RevokeDevice(ctx, id, e) })
}

func (s faultyStore) BeginFactor(ctx context.Context, f vault.SecondFactor, e vault.Event) error {
	return s.f.run("Store.BeginFactor", func() error { return s.next.BeginFactor(ctx, f, e) })
}

func (s faultyStore) SecondFactor(ctx context.Context, id vault.AccountID) (vault.SecondFactor, error) {
	return ask(s.f, "Store.SecondFactor", func() (vault.SecondFactor, error) { return s.next.SecondFactor(ctx, id) })
}

func (s faultyStore) ConfirmFactor(ctx context.Context, f vault.SecondFactor, step int64, recovery []ledger.Hash, e vault.Event) error {
	return s.f.run("Store.ConfirmFactor", func() error { return s.next.ConfirmFactor(ctx, f, step, recovery, e) })
}

func (s faultyStore) AddFactorSession(ctx context.Context, n vault.Session, p vault.FactorProof, e vault.Event) error {
	return s.f.run("Store.AddFactorSession", func() error { return s.next.AddFactorSession(ctx, n, p, e) })
}

func (s faultyStore) RemoveFactor(ctx context.Context, id vault.AccountID, p vault.FactorProof, e vault.Event) error {
	return s.f.run("Store.RemoveFactor", func() error { return s.next.RemoveFactor(ctx, id, p, e) })
}

func (s faultyStore) RecoveryCodes(ctx context.Context, id vault.AccountID) (int, error) {
	return ask(s.f, "Store.RecoveryCodes", func() (int, error) { return s.next.RecoveryCodes(ctx, id) })
}

func (s faultyStore) KnownPlace(ctx context.Context, place ledger.Hash, since time.Time) (bool, error) {
	return ask(s.f, "Store.KnownPlace", func() (bool, error) { return s.next.KnownPlace(ctx, place, since) })
}

func (s faultyStore) BeginTry(ctx context.Context, t vault.Try) error {
	return s.f.run("Store.BeginTry", func() error { return s.next.BeginTry(ctx, t) })
}

func (s faultyStore) EndTry(ctx context.Context, t vault.Try) error {
	return s.f.run("Store.EndTry", func() error { return s.next.EndTry(ctx, t) })
}

func (s faultyStore) ForgetTries(ctx context.Context, tries, places time.Time) error {
	return s.f.run("Store.ForgetTries", func() error { return s.next.ForgetTries(ctx, tries, places) })
}

func (s faultyStore) AddDeviceSession(ctx context.Context, n vault.Session, nonce [16]byte, until time.Time, e vault.Event) error {
	return s.f.run("Store.AddDeviceSession", func() error { return s.next.AddDeviceSession(ctx, n, nonce, until, e) })
}

func (s faultyStore) AddDecision(ctx context.Context, d vault.ScopeDecision, e vault.Event) error {
	return s.f.run("Store.AddDecision", func() error { return s.next.AddDecision(ctx, d, e) })
}

func (s faultyStore) Decision(ctx context.Context, id vault.DecisionID) (vault.ScopeDecision, error) {
	return ask(s.f, "Store.Decision", func() (vault.ScopeDecision, error) { return s.next.Decision(ctx, id) })
}

func (s faultyStore) DecisionsOf(ctx context.Context, unit vault.UnitID) ([]vault.ScopeDecision, error) {
	return ask(s.f, "Store.DecisionsOf", func() ([]vault.ScopeDecision, error) { return s.next.DecisionsOf(ctx, unit) })
}

func (s faultyStore) SetClearance(ctx context.Context, id vault.AccountID, c vault.Clearance, e vault.Event) error {
	return s.f.run("Store.SetClearance", func() error { return s.next.SetClearance(ctx, id, c, e) })
}

func (s faultyStore) SetSecrecy(ctx context.Context, d vault.DossierID, r vault.RecordID, from, to vault.Secrecy, e vault.Event) error {
	return s.f.run("Store.SetSecrecy", func() error { return s.next.SetSecrecy(ctx, d, r, from, to, e) })
}

func (s faultyStore) AddGrant(ctx context.Context, g vault.Grant, e vault.Event) error {
	return s.f.run("Store.AddGrant", func() error { return s.next.AddGrant(ctx, g, e) })
}

func (s faultyStore) Grant(ctx context.Context, id vault.GrantID) (vault.Grant, error) {
	return ask(s.f, "Store.Grant", func() (vault.Grant, error) { return s.next.Grant(ctx, id) })
}

func (s faultyStore) GrantsFor(ctx context.Context, q vault.GrantQuery) ([]vault.Grant, error) {
	return ask(s.f, "Store.GrantsFor", func() ([]vault.Grant, error) { return s.next.GrantsFor(ctx, q) })
}

func (s faultyStore) RevokeGrant(ctx context.Context, id vault.GrantID, e vault.Event) error {
	return s.f.run("Store.RevokeGrant", func() error { return s.next.RevokeGrant(ctx, id, e) })
}

func (s faultyStore) AddDossier(ctx context.Context, d vault.Dossier, e vault.Event) error {
	return s.f.run("Store.AddDossier", func() error { return s.next.AddDossier(ctx, d, e) })
}

func (s faultyStore) Dossier(ctx context.Context, id vault.DossierID) (vault.Dossier, error) {
	return ask(s.f, "Store.Dossier", func() (vault.Dossier, error) { return s.next.Dossier(ctx, id) })
}

func (s faultyStore) Dossiers(ctx context.Context, q vault.DossierQuery) ([]vault.Dossier, error) {
	return ask(s.f, "Store.Dossiers", func() ([]vault.Dossier, error) { return s.next.Dossiers(ctx, q) })
}

func (s faultyStore) Record(ctx context.Context, id vault.RecordID) (vault.Record, error) {
	return ask(s.f, "Store.Record", func() (vault.Record, error) { return s.next.Record(ctx, id) })
}

func (s faultyStore) Records(ctx context.Context, id vault.DossierID) ([]vault.RecordView, error) {
	return ask(s.f, "Store.Records", func() ([]vault.RecordView, error) { return s.next.Records(ctx, id) })
}

func (s faultyStore) Version(ctx context.Context, id vault.VersionID) (vault.Version, error) {
	return ask(s.f, "Store.Version", func() (vault.Version, error) { return s.next.Version(ctx, id) })
}

func (s faultyStore) ApprovedVersion(ctx context.Context, id vault.JobID) (vault.Version, error) {
	return ask(s.f, "Store.ApprovedVersion", func() (vault.Version, error) { return s.next.ApprovedVersion(ctx, id) })
}

func (s faultyStore) LatestVersion(ctx context.Context, id vault.RecordID) (vault.Version, error) {
	return ask(s.f, "Store.LatestVersion", func() (vault.Version, error) { return s.next.LatestVersion(ctx, id) })
}

func (s faultyStore) BeginUpload(ctx context.Context, u vault.Upload) (vault.VersionID, error) {
	return ask(s.f, "Store.BeginUpload", func() (vault.VersionID, error) { return s.next.BeginUpload(ctx, u) })
}

func (s faultyStore) BeatUpload(ctx context.Context, id vault.UploadID, now time.Time) error {
	return s.f.run("Store.BeatUpload", func() error { return s.next.BeatUpload(ctx, id, now) })
}

func (s faultyStore) CommitVersion(ctx context.Context, n vault.NewVersion) error {
	return s.f.run("Store.CommitVersion", func() error { return s.next.CommitVersion(ctx, n) })
}

func (s faultyStore) CommitExport(ctx context.Context, u vault.UploadID, x vault.Export, j vault.Job, e vault.Event) error {
	return s.f.run("Store.CommitExport", func() error { return s.next.CommitExport(ctx, u, x, j, e) })
}

func (s faultyStore) CommitSealedExport(ctx context.Context, u vault.UploadID, x vault.Export, signature ledger.Hash, e vault.Event) error {
	return s.f.run("Store.CommitSealedExport", func() error { return s.next.CommitSealedExport(ctx, u, x, signature, e) })
}

func (s faultyStore) AbandonUpload(ctx context.Context, id vault.UploadID) error {
	return s.f.run("Store.AbandonUpload", func() error { return s.next.AbandonUpload(ctx, id) })
}

func (s faultyStore) AddJob(ctx context.Context, j vault.Job, e vault.Event) error {
	return s.f.run("Store.AddJob", func() error { return s.next.AddJob(ctx, j, e) })
}

func (s faultyStore) Job(ctx context.Context, id vault.JobID) (vault.Job, error) {
	return ask(s.f, "Store.Job", func() (vault.Job, error) { return s.next.Job(ctx, id) })
}

func (s faultyStore) WaitingJobs(ctx context.Context, signer vault.AccountID, now time.Time) ([]vault.Job, error) {
	return ask(s.f, "Store.WaitingJobs", func() ([]vault.Job, error) { return s.next.WaitingJobs(ctx, signer, now) })
}

func (s faultyStore) WithdrawJob(ctx context.Context, id vault.JobID, e vault.Event) error {
	return s.f.run("Store.WithdrawJob", func() error { return s.next.WithdrawJob(ctx, id, e) })
}

func (s faultyStore) Export(ctx context.Context, id vault.ExportID) (vault.Export, error) {
	return ask(s.f, "Store.Export", func() (vault.Export, error) { return s.next.Export(ctx, id) })
}

func (s faultyStore) ExportsOf(ctx context.Context, id vault.DossierID) ([]vault.Export, error) {
	return ask(s.f, "Store.ExportsOf", func() ([]vault.Export, error) { return s.next.ExportsOf(ctx, id) })
}

func (s faultyStore) ExportsFor(ctx context.Context, recipient vault.AccountID) ([]vault.Export, error) {
	return ask(s.f, "Store.ExportsFor", func() ([]vault.Export, error) { return s.next.ExportsFor(ctx, recipient) })
}

func (s faultyStore) Exports(ctx context.Context, after vault.ExportID, limit int) ([]vault.Export, error) {
	return ask(s.f, "Store.Exports", func() ([]vault.Export, error) { return s.next.Exports(ctx, after, limit) })
}

func (s faultyStore) CommitRenewedExport(ctx context.Context, u vault.UploadID, x vault.Export, replaced string, e vault.Event) error {
	return s.f.run("Store.CommitRenewedExport", func() error { return s.next.CommitRenewedExport(ctx, u, x, replaced, e) })
}

func (s faultyStore) ClaimEntries(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]vault.PendingEntry, error) {
	return ask(s.f, "Store.ClaimEntries", func() ([]vault.PendingEntry, error) { return s.next.ClaimEntries(ctx, limit, now, lease) })
}

func (s faultyStore) CompleteEntries(ctx context.Context, done []vault.Logged) error {
	return s.f.run("Store.CompleteEntries", func() error { return s.next.CompleteEntries(ctx, done) })
}

func (s faultyStore) AddEvent(ctx context.Context, e vault.Event) error {
	return s.f.run("Store.AddEvent", func() error { return s.next.AddEvent(ctx, e) })
}

func (s faultyStore) Events(ctx context.Context, q vault.EventQuery) ([]vault.Event, error) {
	return ask(s.f, "Store.Events", func() ([]vault.Event, error) { return s.next.Events(ctx, q) })
}

func (s faultyStore) DossiersOf(ctx context.Context, in []vault.Register, personalNumber string) ([]vault.Dossier, error) {
	return ask(s.f, "Store.DossiersOf", func() ([]vault.Dossier, error) { return s.next.DossiersOf(ctx, in, personalNumber) })
}

func (s faultyStore) BatchEvents(ctx context.Context, limit int, now time.Time, age time.Duration,
	makeBatch func([]vault.SeededEvent) (vault.EventBatch, error)) (int, error) {
	return ask(s.f, "Store.BatchEvents", func() (int, error) { return s.next.BatchEvents(ctx, limit, now, age, makeBatch) })
}

func (s faultyStore) ClaimBatches(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]vault.EventBatch, error) {
	return ask(s.f, "Store.ClaimBatches", func() ([]vault.EventBatch, error) { return s.next.ClaimBatches(ctx, limit, now, lease) })
}

func (s faultyStore) CompleteBatches(ctx context.Context, done []vault.EventBatch) error {
	return s.f.run("Store.CompleteBatches", func() error { return s.next.CompleteBatches(ctx, done) })
}

func (s faultyStore) PlacedEvent(ctx context.Context, id vault.EventID) (vault.PlacedEvent, error) {
	return ask(s.f, "Store.PlacedEvent", func() (vault.PlacedEvent, error) { return s.next.PlacedEvent(ctx, id) })
}

func (s faultyStore) UnloggedEvents(ctx context.Context) (int, time.Time, error) {
	var oldest time.Time
	n, err := ask(s.f, "Store.UnloggedEvents", func() (n int, err error) {
		n, oldest, err = s.next.UnloggedEvents(ctx)
		return n, err
	})
	if err != nil {
		return 0, time.Time{}, err
	}
	return n, oldest, nil
}

func (s faultyStore) ExpireUploads(ctx context.Context, before, now time.Time) (int, error) {
	return ask(s.f, "Store.ExpireUploads", func() (int, error) { return s.next.ExpireUploads(ctx, before, now) })
}

func (s faultyStore) Garbage(ctx context.Context, limit int) ([]string, error) {
	return ask(s.f, "Store.Garbage", func() ([]string, error) { return s.next.Garbage(ctx, limit) })
}

func (s faultyStore) ForgetGarbage(ctx context.Context, keys []string) error {
	return s.f.run("Store.ForgetGarbage", func() error { return s.next.ForgetGarbage(ctx, keys) })
}

func (s faultyStore) Known(ctx context.Context, keys []string) (map[string]bool, error) {
	return ask(s.f, "Store.Known", func() (map[string]bool, error) { return s.next.Known(ctx, keys) })
}

func (s faultyStore) Ready(ctx context.Context) error {
	return s.f.run("Store.Ready", func() error { return s.next.Ready(ctx) })
}

func (s faultyStore) Session(ctx context.Context, token ledger.Hash, now time.Time) (vault.Session, vault.Account, error) {
	var account vault.Account
	session, err := ask(s.f, "Store.Session", func() (n vault.Session, err error) {
		n, account, err = s.next.Session(ctx, token, now)
		return n, err
	})
	if err != nil {
		return vault.Session{}, vault.Account{}, err
	}
	return session, account, nil
}

func (s faultyStore) PendingEntries(ctx context.Context) (int, time.Time, error) {
	var oldest time.Time
	n, err := ask(s.f, "Store.PendingEntries", func() (n int, err error) {
		n, oldest, err = s.next.PendingEntries(ctx)
		return n, err
	})
	if err != nil {
		return 0, time.Time{}, err
	}
	return n, oldest, nil
}
