package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"trien/deploy/standalone/standalonetest"
	"trien/ledger"
	"trien/ledger/audit"
	"trien/ledger/tiles"
	"trien/vault"
	"trien/vault/postgres"
)

// comparison is a database with versions, and a folder in which their log is published.
type comparison struct {
	t         *testing.T
	owner     *pgx.Conn
	store     *postgres.Store
	url, log  string
	ownerURL  string
	policy    string
	key       *ledger.SigningKey
	edge      tiles.Edge
	account   vault.Account
	dossier   vault.Dossier
	versions  []vault.VersionID
	inventory string
}

func newComparison(t *testing.T, n int) *comparison {
	t.Helper()
	ownerURL, appURL, role := standalonetest.Postgres(t)
	if err := postgres.Migrate(t.Context(), ownerURL, role); err != nil {
		t.Fatal(err)
	}
	c := &comparison{t: t, url: appURL, ownerURL: ownerURL, log: t.TempDir()}
	var err error
	c.owner, err = pgx.Connect(t.Context(), ownerURL)
	c.must(err)
	t.Cleanup(func() { _ = c.owner.Close(t.Context()) })
	c.store, err = postgres.Open(t.Context(), appURL)
	c.must(err)
	t.Cleanup(c.store.Close)
	c.key, err = ledger.GenerateSigningKey("vault.example/records")
	c.must(err)
	policy, err := ledger.NewPolicy(c.key.VerifierKey())
	c.must(err)
	c.policy = filepath.Join(t.TempDir(), "policy.txt")
	c.must(os.WriteFile(c.policy, policy.Text(), 0o600))
	unit := vault.Unit{ID: vault.UnitID{UUID: newUUID()}, Name: "Đơn vị"}
	c.must(c.store.AddUnit(t.Context(), unit, c.event()))
	c.account = vault.Account{ID: vault.AccountID{UUID: newUUID()}, Login: "an", Name: "An", Unit: unit.ID, Role: vault.Official, Password: "$", Created: time.Now()}
	c.must(c.store.AddAccount(t.Context(), c.account, c.event()))
	c.dossier = vault.Dossier{
		ID: vault.DossierID{UUID: newUUID()}, Register: vault.Party, Unit: unit.ID, Created: time.Now(), Secrecy: vault.Unclassified,
		Subject: vault.Subject{Name: "Thử", PersonalNumber: "1"},
	}
	c.must(c.store.AddDossier(t.Context(), c.dossier, c.event()))
	for range n {
		c.deposit(true)
	}
	c.publish()
	return c
}

func newUUID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func (c *comparison) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *comparison) event() vault.Event {
	return vault.Event{ID: vault.EventID{UUID: newUUID()}, Time: time.Now(), Action: vault.Deposit, Outcome: vault.Done}
}

// deposit commits a version an hour ago; it is logged, or forgotten.
func (c *comparison) deposit(logged bool) {
	c.t.Helper()
	ctx, now := c.t.Context(), time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond)
	u := vault.Upload{ID: vault.UploadID{UUID: newUUID()}, Account: c.account.ID, ObjectKey: "o/" + newUUID().String(), Started: now}
	_, err := c.store.BeginUpload(ctx, u)
	c.must(err)
	id := vault.VersionID{UUID: newUUID()}
	leaf := ledger.VersionLeaf("party", ledger.Salt{}, []byte(id.String()))
	record := vault.Record{ID: vault.RecordID{UUID: newUUID()}, Dossier: c.dossier.ID, Kind: "party.member_slip", Created: now, Secrecy: vault.Unclassified}
	c.must(c.store.CommitVersion(ctx, vault.NewVersion{
		Upload: u.ID, Record: &record, Event: c.event(),
		Version: vault.Version{
			ID: id, Record: record.ID, Dossier: c.dossier.ID, Register: vault.Party, Kind: record.Kind, Manifest: []byte("m"),
			MediaType: "application/pdf", Size: 1, Origin: vault.Declared, Actor: c.account.ID, Unit: c.account.Unit, Time: now,
			Object: vault.SealedObject{Key: u.ObjectKey, Size: 1, WrappedKey: []byte("k")}, SealedSalt: []byte("s"), Identity: ledger.VersionIdentity(id.UUID), Leaf: leaf,
		},
	}))
	c.versions = append(c.versions, id)
	if logged {
		receipt := fmt.Appendf(nil, "c2sp.org/tlog-proof@v1\nindex %d\n\nthe rest is not read here", c.edge.Size())
		c.append(leaf)
		c.must(c.store.CompleteEntries(ctx, []vault.Logged{{Version: id, Receipt: receipt}}))
	}
}

func (c *comparison) write(path string, data []byte) {
	c.t.Helper()
	path = filepath.Join(c.log, filepath.FromSlash(path))
	c.must(errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)))
}

func (c *comparison) append(leaf ledger.Leaf) {
	c.t.Helper()
	c.must(c.edge.Append(leaf, func(b tiles.Blob) { c.write(b.Tile.Path(), b.Data) }))
}

func (c *comparison) publish() {
	c.t.Helper()
	for _, b := range c.edge.Partials() {
		c.write(b.Tile.Path(), b.Data)
	}
	signed, err := ledger.SignCheckpoint(c.key.Signer(), c.edge.Size(), c.edge.Root())
	c.must(err)
	signed, err = ledger.SignTime(c.key.Signer(), signed, time.Now())
	c.must(err)
	c.write("checkpoint", signed)
}

// run compares, and returns what was said and the newest line of the access record.
func (c *comparison) run() (said string, event vault.Event, err error) {
	c.t.Helper()
	c.inventory = filepath.Join(c.t.TempDir(), "inventory.txt")
	var out, complaints bytes.Buffer
	o := reconcileFlags{log: c.log, policy: c.policy, inventory: c.inventory, grace: lifetime(audit.DefaultGrace), first: 20}
	err = reconcileSettings(c.t.Context(), settings{databaseURL: c.url}, o, stdio{out: &out, err: &complaints})
	events, listErr := c.store.Events(c.t.Context(), vault.EventQuery{Limit: 1})
	c.must(listErr)
	return out.String(), events[0], err
}

// bend changes a version as only the owner of the database can, and not without switching off what guards it.
func (c *comparison) bend(sql string, id vault.VersionID) {
	c.t.Helper()
	_, err := c.owner.Exec(c.t.Context(), `alter table vault.version disable trigger user`)
	c.must(err)
	_, err = c.owner.Exec(c.t.Context(), sql, pgx.NamedArgs{"id": id.String()})
	c.must(err)
}

func TestReconcile(t *testing.T) {
	const n = 40
	c := newComparison(t, n)
	said, event, err := c.run()
	if err != nil || !strings.HasPrefix(said, "40 leaves, 40 versions, 40 matched (0 without a receipt yet), 0 waiting") {
		t.Fatalf("%v\n%s", err, said)
	}
	if event.Action != vault.Reconcile || event.Outcome != vault.Done || event.Reason != "leaves-40_versions-40_differences-0" {
		t.Errorf("recorded %+v", event)
	}
	// The list alone is enough for an auditor.
	file, err := os.Open(c.inventory)
	c.must(err)
	defer file.Close()
	inventory, err := audit.ReadInventory(file)
	if err != nil || inventory.Size != n {
		t.Fatalf("%+v, %v", inventory, err)
	}

	c.deposit(false) // lost on its way to the ledger
	c.append(ledger.VersionLeaf("party", ledger.Salt{}, []byte("smuggled in")))
	c.publish()
	c.bend(`update vault.version set leaf = 'another leaf' where id = @id`, c.versions[7])
	said, event, err = c.run()
	if !errors.Is(err, errDifferences) || event.Outcome != vault.Refused || event.Reason != "leaves-41_versions-40_differences-3" {
		t.Errorf("%v, recorded %+v", err, event)
	}
	for _, want := range []string{
		"leaf_differs index 7 version " + c.versions[7].String(), "leaf_without_version index 40 ", "version_without_leaf index 0 version " + c.versions[n].String(),
	} {
		if !strings.Contains(said, want) {
			t.Errorf("not said: %q\n%s", want, said)
		}
	}

	c.write("tile/entries/000.p/41", []byte("damaged"))
	if _, event, err = c.run(); !errors.Is(err, ledger.ErrTampered) || event.Reason != "not-finished" {
		t.Errorf("%v, recorded %+v", err, event)
	}
}
