package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"trien/certs"
	"trien/certs/devpki"
	"trien/signing"
	"trien/vault"
	"trien/vault/vaulttest"
)

// delivery is what a vault delivered to the recipient on token "lanhdao".
type delivery struct {
	envelope, export, unsigned, policy []byte
	recipient, other, ec               *x509.Certificate
}

var theDelivery = sync.OnceValues(func() (*delivery, error) {
	d, err := theDesk()
	if err != nil {
		return nil, err
	}
	return d.deliver(context.Background())
})

// deliver takes a dossier through a vault on fakes: deposited, exported, signed, sealed, and enclosed for the recipient.
func (d *desk) deliver(ctx context.Context) (*delivery, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seal, err := vaulttest.NewSealer(func(key crypto.PublicKey) (*x509.Certificate, error) {
		return d.authority.IssueSeal(devpki.Subject{CommonName: "Ban Tổ chức Mẫu", Organisation: "Ban Tổ chức Mẫu"}, key)
	}, d.authority.Intermediates()...)
	if err != nil {
		return nil, err
	}
	official, err := vaulttest.NewSealer(func(key crypto.PublicKey) (*x509.Certificate, error) {
		return d.authority.IssuePerson(devpki.Subject{CommonName: "Lãnh Đạo Mẫu"}, key)
	}, d.authority.Intermediates()...)
	if err != nil {
		return nil, err
	}
	v := vault.New(vault.Config{
		Store: vaulttest.NewMemoryStore(), Objects: vaulttest.NewMemoryObjects(), Keys: vaulttest.NewMemoryKeys(), Log: vaulttest.NewLog(),
		Sealer: seal, Anchors: d.anchors, Intermediates: d.authority.Intermediates(), Stamps: d.tsa, Limits: vault.Limits{ReceiptWait: 10 * time.Second},
	})
	done := make(chan struct{})
	go func() { defer close(done); _ = v.Run(ctx) }()
	defer func() { cancel(); <-done }()

	unit, admin, err := v.Bootstrap(ctx, "Ban Tổ chức Mẫu", vault.NewAccount{Login: "quantri", Name: "Quản Trị Mẫu", Password: "mat-khau-mau-12"})
	if err != nil {
		return nil, err
	}
	signer, err := v.CreateAccount(ctx, actor(admin), vault.NewAccount{
		Login: "lanhdao", Name: "Lãnh Đạo Mẫu", Password: "mat-khau-mau-12", Unit: unit.ID, Role: vault.Official, Certificate: official.Certificate().Raw,
	})
	if err != nil {
		return nil, err
	}
	if err := v.SetDeliveryCertificate(ctx, actor(admin), signer.ID, d.recipient.Raw); err != nil {
		return nil, err
	}
	staff, err := v.CreateAccount(ctx, actor(admin), vault.NewAccount{
		Login: "vanthu", Name: "Văn Thư Mẫu", Password: "mat-khau-mau-12", Unit: unit.ID, Role: vault.Staff,
	})
	if err != nil {
		return nil, err
	}
	x, job, err := d.exported(ctx, v, actor(staff), actor(signer))
	if err != nil {
		return nil, err
	}
	if err := fulfil(ctx, v, official, actor(signer), job); err != nil {
		return nil, err
	}
	return d.collected(ctx, v, actor(signer), x.ID)
}

func actor(a vault.Account) vault.Actor {
	return vault.Actor{Account: a.ID, Login: a.Login, Name: a.Name, Unit: a.Unit, Role: a.Role}
}

func (d *desk) exported(ctx context.Context, v *vault.Vault, staff, signer vault.Actor) (vault.Export, vault.Job, error) {
	dossier, err := v.OpenDossier(ctx, staff, vault.NewDossier{
		Register: vault.Cadre, Subject: vault.Subject{Name: "Nguyễn Minh Họa", BirthDate: "1980-02-29", PersonalNumber: "999000000001"},
	})
	if err != nil {
		return vault.Export{}, vault.Job{}, err
	}
	n := vault.NewDeposit{Dossier: dossier.ID, Kind: "cadre.curriculum_vitae", Title: "Sơ yếu lý lịch", Origin: vault.Digitised}
	if _, err := v.Deposit(ctx, staff, n, bytes.NewReader(d.base)); err != nil {
		return vault.Export{}, vault.Job{}, err
	}
	return v.ExportDossier(ctx, staff, dossier.ID, vault.NewExport{Signer: signer.Account, Purpose: "Bổ nhiệm"})
}

// fulfil signs with a key that is on no token.
func fulfil(ctx context.Context, v *vault.Vault, key *vaulttest.Sealer, signer vault.Actor, job vault.Job) error {
	attributes, err := signing.SignedAttributes(job.Digest, job.Algorithm, key.Certificate(), job.Statement)
	if err != nil {
		return err
	}
	value, err := key.Seal(ctx, job.Algorithm, attributes, "")
	if err != nil {
		return err
	}
	s := vault.Signature{Certificate: key.Certificate().Raw, Value: value}
	for _, c := range key.Chain() {
		s.Chain = append(s.Chain, c.Raw)
	}
	_, err = v.Fulfil(ctx, signer, job.ID, s)
	return err
}

// collected downloads the export both ways.
func (d *desk) collected(ctx context.Context, v *vault.Vault, a vault.Actor, id vault.ExportID) (*delivery, error) {
	plain, err := v.OpenExport(ctx, a, id)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	out := &delivery{policy: v.Policy().Text(), unsigned: d.base, recipient: d.recipient, ec: d.other}
	if out.export, err = io.ReadAll(io.NewSectionReader(plain, 0, plain.Size)); err != nil {
		return nil, err
	}
	enclosed, err := v.DeliverExport(ctx, a, id)
	if err != nil {
		return nil, err
	}
	defer enclosed.Close()
	var b bytes.Buffer
	if _, err := enclosed.WriteTo(&b); err != nil {
		return nil, err
	}
	out.envelope = b.Bytes()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	out.other, err = d.authority.IssueRecipient(devpki.Subject{CommonName: "Người Khác Mẫu"}, key.Public())
	return out, err
}

// write leaves in dir: the export and its envelope, envelopes that were spoilt, the ledger's policy, and certificates to encrypt to.
func (d *delivery) write(dir string) error {
	flipped := func(raw []byte, at int) []byte {
		raw = bytes.Clone(raw)
		raw[at] ^= 1
		return raw
	}
	n := len(d.envelope)
	for name, content := range map[string][]byte{
		"export.pdf": d.export, "export.pdf.p7m": d.envelope, "policy.txt": d.policy, "unsigned.pdf": d.unsigned,
		"forged.pdf":    flipped(d.export, len(d.export)/2),
		"changed.p7m":   flipped(d.envelope, n/2),
		"firstbyte.p7m": flipped(d.envelope, n-(len(d.export)/16+1)*16),
		"lastbyte.p7m":  flipped(d.envelope, n-1),
		"short.p7m":     d.envelope[:n/2],
		"block.p7m":     d.envelope[:n-16],
		"long.p7m":      append(bytes.Clone(d.envelope), 0),
		"recipient.pem": certs.EncodePEM(d.recipient), "other.pem": certs.EncodePEM(d.other), "ec.pem": certs.EncodePEM(d.ec),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
