package vault_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/certs"
	"trien/certs/devpki"
	"trien/ledger"
	"trien/signing"
	"trien/vault"
	"trien/vault/vaulttest"
	"trien/vault/vaulttest/samples"
)

// authority is one throw-away authority for the whole test binary: it answers OCSP, CRLs and time-stamp requests.
var authority = sync.OnceValues(func() (*devpki.Authority, error) {
	a, err := devpki.Open("")
	if err != nil {
		return nil, err
	}
	if err := a.Listen(); err != nil {
		return nil, err
	}
	go a.Serve(context.Background()) //nolint:errcheck // it ends with the test binary
	return a, nil
})

// rig is a vault on fakes, with one unit's people in it.
type rig struct {
	*vault.Vault
	t                                             *testing.T
	store                                         vault.Store
	objects                                       vault.Objects
	log, accessLog                                *vaulttest.MemoryLog
	clock                                         *vaulttest.Clock
	authority                                     *devpki.Authority
	seal                                          *vaulttest.Sealer
	official                                      *vaulttest.Sealer // the official's token
	unit, otherUnit                               vault.Unit
	admin, staff, signer, appraiser, auditor, far vault.Actor // far is staff of another unit
	subject                                       vault.Actor // whose personal number is subjectNumber
	owner, dataAdmin, steward                     vault.Actor
}

const subjectNumber = "001085000001"

const goodPassword = "mật khẩu dài để thử"

func newRig(t *testing.T, change ...func(*vault.Config)) *rig {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	return newRigUnder(t, a, vaulttest.NewClock(time.Now()), change...)
}

// newRigUnder is newRig with an authority and a clock of its own.
func newRigUnder(t *testing.T, a *devpki.Authority, clock *vaulttest.Clock, change ...func(*vault.Config)) *rig {
	t.Helper()
	seal, err := vaulttest.NewSealer(func(key crypto.PublicKey) (*x509.Certificate, error) {
		return a.IssueSeal(devpki.Subject{CommonName: "Ban Tổ chức thử nghiệm", Organisation: "Ban Tổ chức thử nghiệm"}, key)
	}, a.Intermediates()...)
	if err != nil {
		t.Fatal(err)
	}
	official, err := vaulttest.NewSealer(func(key crypto.PublicKey) (*x509.Certificate, error) {
		return a.IssuePerson(devpki.Subject{CommonName: "Lãnh Đạo Mẫu", Title: "Trưởng ban"}, key)
	}, a.Intermediates()...)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, log: vaulttest.NewLog(), accessLog: vaulttest.NewLog(), clock: clock, authority: a, seal: seal, official: official}
	anchors := certs.NewAnchors(a.Root())
	c := vault.Config{
		Store: vaulttest.NewMemoryStore(), Objects: vaulttest.NewMemoryObjects(), Keys: vaulttest.NewMemoryKeys(), Log: r.log,
		AccessLog: r.accessLog, Sealer: seal, Clock: r.clock, Anchors: anchors, Intermediates: a.Intermediates(),
		Stamps: signing.NewTimestamper(signing.TSAConfig{URLs: []string{a.TSA()}, Anchors: anchors}),
		Limits: vault.Limits{ReceiptWait: 5 * time.Second},
	}
	for _, f := range change {
		f(&c)
	}
	r.Vault, r.store, r.objects = vault.New(c), c.Store, c.Objects
	r.people()
	return r
}

// passwordHash is of goodPassword; hashing it anew for every account would take most of the tests' time.
var passwordHash vault.PasswordHash

func (r *rig) people() {
	r.t.Helper()
	ctx := r.t.Context()
	if passwordHash == "" {
		scratch := vault.New(vault.Config{Store: vaulttest.NewMemoryStore()})
		_, a, err := scratch.Bootstrap(ctx, "X", vault.NewAccount{Login: "quantri", Name: "Quản Trị", Password: goodPassword})
		if err != nil {
			r.t.Fatal(err)
		}
		passwordHash = a.Password
	}
	r.unit = vault.Unit{ID: vault.UnitID{UUID: uuid.Must(uuid.NewV7())}, Name: "Ban Tổ chức"}
	r.otherUnit = vault.Unit{ID: vault.UnitID{UUID: uuid.Must(uuid.NewV7())}, Name: "Đảng ủy khác"}
	for _, u := range []vault.Unit{r.unit, r.otherUnit} {
		if err := r.store.AddUnit(ctx, u, r.event()); err != nil {
			r.t.Fatal(err)
		}
	}
	add := func(login string, role vault.Role, unit vault.Unit, cert []byte) vault.Actor {
		a := vault.Account{
			ID: vault.AccountID{UUID: uuid.Must(uuid.NewV7())}, Login: login, Name: "Người " + login, Post: "Chuyên viên",
			Unit: unit.ID, Role: role, Password: passwordHash, Certificate: cert, Created: r.clock.Now().UTC().Truncate(time.Microsecond),
		}
		if role == vault.RoleSubject {
			a.PersonalNumber = subjectNumber
		}
		if err := r.store.AddAccount(ctx, a, r.event()); err != nil {
			r.t.Fatal(err)
		}
		return vault.Actor{Account: a.ID, Login: login, Name: a.Name, Unit: unit.ID, Role: role, Source: vault.Source{Address: "127.0.0.1"}}
	}
	r.admin = add("quantri", vault.SystemAdministrator, r.unit, nil)
	r.staff = add("vanthu", vault.Staff, r.unit, nil)
	r.signer = add("lanhdao", vault.Official, r.unit, r.official.Certificate().Raw)
	r.appraiser = add("thamdinh", vault.Appraiser, r.otherUnit, nil)
	r.auditor = add("kiemtoan", vault.Auditor, r.otherUnit, nil)
	r.far = add("xa", vault.Staff, r.otherUnit, nil)
	r.subject = add("chuthe", vault.RoleSubject, r.unit, nil)
	r.owner = add("chuquan", vault.DataOwner, r.unit, nil)
	r.dataAdmin = add("quantridulieu", vault.DataAdministrator, r.unit, nil)
	r.steward = add("daumoi", vault.DataSteward, r.unit, nil)
}

// event is one that belongs to no use case.
func (r *rig) event() vault.Event {
	return vault.Event{
		ID: vault.EventID{UUID: uuid.Must(uuid.NewV7())}, Time: r.clock.Now().UTC().Truncate(time.Microsecond),
		Action: vault.ManageAccess, Outcome: vault.Done,
	}
}

// work runs the background workers until the test ends, or until the function it returns is called.
func (r *rig) work() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }() //nolint:errcheck // it returns why ctx ended
	stop = func() { cancel(); <-done }
	r.t.Cleanup(stop)
	return stop
}

var sampleNumber = 0

func (r *rig) dossier() vault.Dossier {
	r.t.Helper()
	sampleNumber++
	d, err := r.OpenDossier(r.t.Context(), r.staff, vault.NewDossier{Register: vault.Cadre, Subject: vault.Subject{
		Name: "Nguyễn Minh Họa", BirthDate: "1980-02-29", PersonalNumber: fmt.Sprintf("999%09d", sampleNumber),
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func cv(d vault.Dossier) vault.NewDeposit {
	return vault.NewDeposit{Dossier: d.ID, Kind: "cadre.curriculum_vitae", Title: "Sơ yếu lý lịch", Origin: vault.Digitised}
}

func (r *rig) deposit(n vault.NewDeposit, content []byte) vault.Version {
	r.t.Helper()
	v, err := r.Deposit(r.t.Context(), r.staff, n, bytes.NewReader(content))
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

func (r *rig) read(a vault.Actor, id vault.VersionID) []byte {
	r.t.Helper()
	c, err := r.Disclose(r.t.Context(), a, id, "kiểm thử")
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size))
	if err != nil {
		r.t.Fatal(err)
	}
	if ledger.Hash(sha256.Sum256(b)) != c.SHA256 {
		r.t.Error("what was disclosed has another hash than was said")
	}
	return b
}

// stored lists the keys in the object store.
func (r *rig) stored() []string {
	r.t.Helper()
	list, err := r.objects.List(context.Background(), "", 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	keys := make([]string, len(list))
	for i, o := range list {
		keys[i] = o.Key
	}
	return keys
}

// events returns the access record of an action and outcome.
func (r *rig) events(action vault.Action, outcome vault.Outcome) []vault.Event {
	r.t.Helper()
	all, err := r.store.Events(context.Background(), vault.EventQuery{Limit: 500})
	if err != nil {
		r.t.Fatal(err)
	}
	var out []vault.Event
	for _, e := range all {
		if e.Action == action && e.Outcome == outcome {
			out = append(out, e)
		}
	}
	return out
}

// samplePDF is a small digital PDF.
var samplePDF = sync.OnceValue(func() []byte { return sampleFile("cadre", "cadre.curriculum_vitae") })

func sampleFile(register, kind string) []byte {
	for _, f := range samples.New(7, register, samples.Small).Files {
		if f.Kind == kind {
			var b bytes.Buffer
			if err := f.Write(&b); err != nil {
				panic(err)
			}
			return b.Bytes()
		}
	}
	panic("no sample " + kind)
}

func want(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got error %v, want %v", err, kind)
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
