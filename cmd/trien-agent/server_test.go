package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/api/wire"
	"trien/certs"
	"trien/certs/devpki"
	"trien/signing"
	"trien/signing/offer"
	"trien/signing/token"
	"trien/signing/token/softhsm"
	"trien/vault/vaulttest/samples"
)

const pin = "482913"

// desk is what all tests share: an authority with its TSA, and tokens of SoftHSM2.
type desk struct {
	authority   *devpki.Authority
	tsa         signing.Timestamper
	anchors     *certs.Anchors
	module, env string
	official    *x509.Certificate // on token "lanhdao"
	other       *x509.Certificate // on token "khac"
	recipient   *x509.Certificate // on token "lanhdao" too, to encrypt to
	base        []byte            // a PDF
}

func newDesk() (d *desk, stop func(), err error) {
	dir, err := os.MkdirTemp("", "agent-test-")
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	stop = func() { cancel(); _ = os.RemoveAll(dir) }
	d = &desk{}
	if d.authority, err = devpki.New(devpki.Config{}); err != nil {
		return nil, stop, err
	}
	go func() { _ = d.authority.Serve(ctx) }() // ends with the process
	d.anchors = certs.NewAnchors(d.authority.Root())
	d.tsa = signing.NewTimestamper(signing.TSAConfig{URLs: []string{d.authority.TSA()}, Anchors: d.anchors})
	for _, label := range []string{"lanhdao", "khac", "trong"} {
		if d.module, d.env, err = softhsm.InitToken(ctx, dir, label, pin); err != nil {
			return nil, stop, err
		}
	}
	if err = softhsm.Use(d.env); err != nil {
		return nil, stop, err
	}
	if d.official, err = d.equip("lanhdao", "rsa2048", "Lãnh Đạo Mẫu"); err != nil {
		return nil, stop, err
	}
	if d.other, err = d.equip("khac", "p256", "Người Khác Mẫu"); err != nil {
		return nil, stop, err
	}
	if d.recipient, err = d.equipToReceive("lanhdao", "Lãnh Đạo Mẫu"); err != nil {
		return nil, stop, err
	}
	var b bytes.Buffer
	err = samples.New(1, "cadre", samples.Small).Files[0].Write(&b)
	d.base = b.Bytes()
	return d, stop, err
}

// equip makes a key on a token and has it certified.
func (d *desk) equip(label, algorithm, name string) (*x509.Certificate, error) {
	t, err := token.Open(token.Config{Module: d.module, Label: label, PIN: pin})
	if err != nil {
		return nil, err
	}
	defer t.Close()
	key, err := t.Generate("ky", algorithm)
	if err != nil {
		return nil, err
	}
	cert, err := d.authority.IssuePerson(devpki.Subject{CommonName: name, Organisation: "Cơ quan Mẫu", Title: "Trưởng ban"}, key.Public())
	if err != nil {
		return nil, err
	}
	return cert, t.Import("ky", cert)
}

// equipToReceive makes a key on a token that opens what is encrypted to it.
func (d *desk) equipToReceive(label, name string) (*x509.Certificate, error) {
	t, err := token.Open(token.Config{Module: d.module, Label: label, PIN: pin})
	if err != nil {
		return nil, err
	}
	defer t.Close()
	key, err := t.Generate("nhan", "rsa2048-encrypt")
	if err != nil {
		return nil, err
	}
	cert, err := d.authority.IssueRecipient(devpki.Subject{CommonName: name}, key.Public())
	if err != nil {
		return nil, err
	}
	return cert, t.Import("nhan", cert)
}

// server stands in for the vault where the vault cannot be made to misbehave. What a signature must satisfy it leaves to
// signing.Complete, as the vault does.
type server struct {
	*httptest.Server
	desk *desk

	mu       sync.Mutex
	fault    string
	tokens   string // folder of the tokens that the script's programs see
	jobs     []wire.Job
	prepared map[string]*signing.Prepared
	signed   map[string][]byte // job → document
	open     int               // sessions
	device   ed25519.PublicKey // enrolled; nil if none
	offers   ed25519.PrivateKey
}

func newServer(t testing.TB, d *desk, titles ...string) *server {
	t.Helper()
	s := &server{desk: d, prepared: map[string]*signing.Prepared{}, signed: map[string][]byte{}}
	s.offers = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
	for i, title := range titles {
		p, err := signing.Prepare(context.Background(), bytes.NewReader(d.base), int64(len(d.base)), signing.Request{
			Certificate: d.official, Name: "Lãnh Đạo Mẫu", Reason: "Phê duyệt", Time: time.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprintf("0198c0de-0000-7000-8000-%012d", i+1)
		s.prepared[id] = p
		s.jobs = append(s.jobs, wire.Job{
			ID: id, Purpose: "approval", Signer: accountID, Register: "cadre", Title: title, Reason: "Phê duyệt tài liệu", Pages: 2, State: "waiting",
			Created: time.Now(), Expires: time.Now().Add(time.Hour), Algorithm: string(p.Algorithm), Digest: hex.EncodeToString(p.Digest), ByteRange: p.ByteRange, Size: p.Size(),
			Certificate: p.Certificate,
		})
	}
	s.Server = httptest.NewTLSServer(s.routes())
	t.Cleanup(s.Close)
	return s
}

// writeCA leaves the certificate that clients must believe.
func (s *server) writeCA(path string) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600)
}

// Who uses the agent, and the machine it stands on.
const (
	accountID = "0198c0de-1111-7000-8000-000000000001"
	deviceID  = "0198c0de-2222-7000-8000-000000000001"
)

func (s *server) enrol(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in wire.NewDevice
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.PublicKey) != ed25519.PublicKeySize {
		problem(w, http.StatusUnprocessableEntity, "invalid", "Sai", "Wrong")
		return
	}
	s.device = in.PublicKey
	answer(w, wire.EnrolledDevice{Device: wire.Device{ID: deviceID, Name: in.Name}, OfferKey: ed25519.PublicKey(s.offers[ed25519.SeedSize:])})
}

func (s *server) deviceSession(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in wire.DeviceSession
	err := json.NewDecoder(r.Body).Decode(&in)
	nonce, hexErr := hex.DecodeString(in.Nonce)
	if err != nil || hexErr != nil || len(nonce) != offer.NonceSize || in.Device != deviceID ||
		!ed25519.Verify(s.device, offer.SessionText(uuid.MustParse(deviceID), in.Time, [offer.NonceSize]byte(nonce)), in.Signature) {
		problem(w, http.StatusUnauthorized, "device", "Thiết bị không được đăng ký", "The device is not enrolled")
		return
	}
	s.open++
	answer(w, wire.Session{Token: "t", Expires: time.Now().Add(time.Hour), Me: wire.Me{Account: accountID, Name: "Lãnh Đạo Mẫu"}})
}

// offer signs what the job says; a fault makes it another's, over, or of another server.
func (s *server) offer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.jobs, func(j wire.Job) bool { return j.ID == r.PathValue("job") })
	j := s.jobs[i]
	digest, err := hex.DecodeString(j.Digest)
	if err != nil {
		panic(err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	o := offer.Offer{
		Job: uuid.MustParse(j.ID), Account: uuid.MustParse(accountID), Device: uuid.MustParse(deviceID), Server: s.URL, Issued: now,
		Expires: now.Add(10 * time.Minute), Purpose: j.Purpose, Algorithm: j.Algorithm, Digest: digest, Range: j.ByteRange, Size: j.Size,
		Certificate: sha256.Sum256(j.Certificate), Register: j.Register, Title: j.Title, Reason: j.Reason, Pages: j.Pages,
	}
	key := s.offers
	switch s.fault {
	case "offer-key":
		key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	case "offer-device":
		o.Device = o.Account
	case "offer-over":
		o.Issued, o.Expires = now.Add(-time.Hour), now.Add(-30*time.Minute)
	case "offer-digest":
		o.Digest = make([]byte, len(digest))
	case "offer-job":
		o.Job = o.Account
	}
	signed, err := offer.Sign(o, key)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(signed)
}

func (s *server) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("POST /api/v1/devices", s.enrol)
	m.HandleFunc("DELETE /api/v1/devices/{device}", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.device = nil
		s.open-- // the sessions of a device end with it
		w.WriteHeader(http.StatusNoContent)
	})
	m.HandleFunc("GET /api/v1/anchors", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(s.desk.anchors.PEM()) })
	m.HandleFunc("GET /api/v1/ledger/policy", func(w http.ResponseWriter, _ *http.Request) {
		made, err := theDelivery()
		if err != nil {
			panic(err)
		}
		_, _ = w.Write(made.policy)
	})
	m.HandleFunc("POST /api/v1/device-sessions", s.deviceSession)
	m.HandleFunc("GET /api/v1/signing-jobs/{job}/offer", s.offer)
	m.HandleFunc("POST /api/v1/sessions", s.signIn)
	m.HandleFunc("DELETE /api/v1/sessions/current", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open--
		w.WriteHeader(http.StatusNoContent)
	})
	m.HandleFunc("GET /api/v1/registers", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, wire.List[wire.Register]{Items: []wire.Register{{Register: "cadre", Label: wire.Label{Vi: "Cán bộ", En: "Cadres"}}}})
	})
	m.HandleFunc("GET /api/v1/signing-jobs", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		var waiting []wire.Job
		for _, j := range s.jobs {
			if s.signed[j.ID] == nil {
				waiting = append(waiting, s.bend(j))
			}
		}
		answer(w, wire.List[wire.Job]{Items: waiting})
	})
	m.HandleFunc("GET /api/v1/signing-jobs/{job}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, j := range s.jobs {
			if j.ID == r.PathValue("job") {
				if s.signed[j.ID] != nil {
					j.State = "signed"
				}
				answer(w, j)
			}
		}
	})
	m.HandleFunc("GET /api/v1/signing-jobs/{job}/document", s.document)
	m.HandleFunc("POST /api/v1/signing-jobs/{job}/signature", s.signature)
	return m
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func problem(w http.ResponseWriter, status int, code, vi, en string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(wire.Problem{Code: code, Status: status, Title: vi, En: wire.ProblemText{Title: en}, RequestID: "r-1"})
}

func (s *server) signIn(w http.ResponseWriter, r *http.Request) {
	var in wire.SignIn
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Login != "lanhdao" || in.Password != "mat-khau-mau-12" {
		problem(w, http.StatusUnauthorized, "password", "Sai tên đăng nhập hoặc mật khẩu", "Wrong login or password")
		return
	}
	s.mu.Lock()
	s.open++
	s.mu.Unlock()
	answer(w, wire.Session{Token: "t", Expires: time.Now().Add(time.Hour), Me: wire.Me{Account: accountID, Login: in.Login, Name: "Lãnh Đạo Mẫu"}})
}

// bend makes a job wrong in the way that the fault says.
func (s *server) bend(j wire.Job) wire.Job {
	switch s.fault {
	case "expired":
		j.Expires = time.Now().Add(-time.Minute)
	case "not-yours":
		j.Signer = "account-2"
	case "state":
		j.State = "withdrawn"
	case "range":
		j.ByteRange[3] -= 10 // the last ten bytes would stay unsigned
	case "wide-gap":
		j.ByteRange[1] -= 10 // ten bytes before the signature would stay unsigned
	case "digest":
		j.Digest = strings.Repeat("0", 64)
	case "other-certificate":
		j.Certificate = s.desk.other.Raw
	case "bad-certificate":
		j.Certificate = []byte("no certificate")
	case "escape":
		j.Title = "Quyết định\x1b[2J\x1b[HPhiếu lĩnh lương\u202e"
	}
	return j
}

func (s *server) document(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	p, fault := s.prepared[r.PathValue("job")], s.fault
	s.mu.Unlock()
	if fault == "pulled" && strings.HasSuffix(r.PathValue("job"), "2") {
		s.pull()
	}
	document := append(bytes.Clone(s.desk.base), p.Tail...)
	if fault == "swapped" { // one letter of the document, everything else in order
		document[len(s.desk.base)/2] ^= 1
	}
	sum := sha256.Sum256(document)
	if fault == "damaged" {
		document[100] ^= 1
	}
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
	w.Header().Set("Content-Type", "application/pdf")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(document))
}

// pull takes the tokens away for a while, as if they were unplugged.
func (s *server) pull() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = ""
	away := s.tokens + ".away"
	if err := os.Rename(s.tokens, away); err != nil {
		panic(err)
	}
	if err := os.Mkdir(s.tokens, 0o700); err != nil {
		panic(err)
	}
	time.AfterFunc(2*time.Second, func() {
		_ = os.Remove(s.tokens)
		_ = os.Rename(away, s.tokens)
	})
}

func (s *server) signature(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.PathValue("job")
	switch s.fault {
	case "refuses":
		problem(w, http.StatusConflict, "job_withdrawn", "Việc ký đã được rút lại", "The job was withdrawn")
		return
	case "lost-before":
		s.fault = ""
		drop(w)
		return
	}
	var in wire.Signature
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || s.signed[id] != nil {
		problem(w, http.StatusConflict, "job_over", "Việc ký đã xong", "The job is over")
		return
	}
	p := *s.prepared[id]
	if err := p.Complete(r.Context(), s.desk.authority.Intermediates(), in.Value, s.desk.tsa); err != nil || !bytes.Equal(in.Certificate, p.Certificate) {
		problem(w, http.StatusUnprocessableEntity, "signature", "Chữ ký không đúng", fmt.Sprint("The signature does not hold: ", err))
		return
	}
	s.signed[id] = append(bytes.Clone(s.desk.base), p.Tail...)
	if s.fault == "lost-after" {
		drop(w)
		return
	}
	answer(w, wire.Fulfilled{Version: &wire.Version{ID: "0198c0de-9999-7000-8000-000000000001"}})
}

// drop breaks the connection without an answer.
func drop(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = c.Close()
	}
}

// writeSigned leaves the signed documents in dir.
func (s *server) writeSigned(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, document := range s.signed {
		if err := os.WriteFile(filepath.Join(dir, id+".pdf"), document, 0o600); err != nil {
			return err
		}
	}
	return nil
}
