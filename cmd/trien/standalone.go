package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"trien/certs"
	"trien/certs/devpki"
	"trien/deploy/standalone"
	"trien/ledger"
	"trien/ledger/trillianlog"
	"trien/signing"
	"trien/signing/token"
	"trien/signing/token/softhsm"
	"trien/vault"
	"trien/vault/catalogue"
	"trien/vault/envelope"
	"trien/vault/objects"
	"trien/vault/vaulttest/samples"
)

// Names of what a standalone vault makes for itself.
const (
	standaloneUnit   = "Ban Tổ chức (thử nghiệm)"
	standaloneOrigin = "standalone.trien.example/records"
	standaloneAccess = "standalone.trien.example/access"
	sealLabel        = "trien-seal"
	authorityFolder  = "authority"
	adminLogin       = "quantri"
)

// served says where a standalone vault is reached; it is kept in the folder while it runs.
type served struct {
	URL   string `json:"url"`
	Admin string `json:"admin"`
	CA    string `json:"ca"` // PEM file
	PID   int    `json:"pid"`
}

const servedFile = "server.json"

func (s served) write(dir string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, servedFile), text, 0o600)
}

// firstAccount is the system administrator that a standalone vault makes for itself.
type firstAccount struct{ login, password, path string }

// ensure makes the account if the vault is empty. A crash before leaves an empty vault, and the next start makes it.
func (f firstAccount) ensure(ctx context.Context, v *vault.Vault) error {
	_, _, err := v.Bootstrap(ctx, standaloneUnit, vault.NewAccount{
		Login: f.login, Name: "Quản trị hệ thống", Post: "Quản trị hệ thống", Password: f.password,
	})
	if errors.Is(err, vault.ErrConflict) {
		return nil
	}
	return err
}

// standaloneSettings makes, at the first start, the keys and certificates that the folder lacks, and says how to run on them.
// Everything here is throw-away: it is issued by the folder's own authority.
func standaloneSettings(ctx context.Context, svc *standalone.Services, o serveFlags) (settings, firstAccount, error) {
	set := settings{
		listen: o.listen, adminListen: o.adminListen, ownerURL: svc.OwnerURL, databaseURL: svc.DatabaseURL, appRole: svc.AppRole,
		objects: objects.Config{
			Endpoint: "objects.standalone.local", Socket: svc.S3.Socket, Bucket: svc.S3.Bucket, AccessKey: svc.S3.AccessKey,
			SecretKey: objects.Secret(svc.S3.SecretKey),
		},
		keyring: svc.Keyring, passphrase: svc.Passphrase, logs: logSettings{prefix: defaultPublicPrefix},
		anchors: certs.NewAnchors(svc.Authority.Root()), intermediates: svc.Authority.Intermediates(),
		stampURLs: []string{svc.Authority.TSA()}, limits: vault.Limits{UploadGrace: o.uploadGrace},
		scratch: filepath.Join(svc.Dir, "scratch"),
	}
	var err error
	if set.catalogue, err = catalogue.Load(o.registers); err != nil {
		return settings{}, firstAccount{}, err
	}
	admin := firstAccount{login: adminLogin, path: filepath.Join(svc.Dir, "secrets", "admin-password")}
	err = errors.Join(
		os.MkdirAll(filepath.Join(svc.Dir, "secrets"), 0o700),
		os.MkdirAll(set.scratch, 0o700),
		replaceFile(filepath.Join(svc.Dir, "ca.pem"), certs.EncodePEM(svc.Authority.Root()), 0o644),
	)
	if err != nil {
		return settings{}, admin, err
	}
	if err := ensureKeyring(set.keyring, set.passphrase); err != nil {
		return settings{}, admin, err
	}
	for _, log := range []struct {
		config       *trillianlog.Config
		file, origin string
	}{{&set.logs.records, "ledger.key", standaloneOrigin}, {&set.logs.access, "ledger-access.key", standaloneAccess}} {
		key, err := ensureLedgerKey(filepath.Join(svc.Dir, "secrets", log.file), log.origin)
		if err != nil {
			return settings{}, admin, err
		}
		*log.config = trillianlog.Config{Database: svc.OwnerURL, Signer: key.Signer(), VerifierKey: key.VerifierKey()}
	}
	if set.offerKey, err = ensureOfferKey(filepath.Join(svc.Dir, "secrets", "offer.key")); err != nil {
		return settings{}, admin, err
	}
	if set.certificate, set.key, err = ensureServerCertificate(svc); err != nil {
		return settings{}, admin, err
	}
	if admin.password, err = ensureSecret(admin.path); err != nil {
		return settings{}, admin, err
	}
	return set, admin, ensureSeal(ctx, svc, &set)
}

func ensureKeyring(path string, passphrase []byte) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	_, err := envelope.CreateKeyring(path, passphrase)
	if err != nil {
		return fmt.Errorf("making the keyring: %w", err)
	}
	return nil
}

func ensureLedgerKey(path, origin string) (*ledger.SigningKey, error) {
	key, err := ledger.ReadSigningKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if key, err = ledger.GenerateSigningKey(origin); err != nil {
		return nil, fmt.Errorf("making the ledger's key: %w", err)
	}
	return key, key.WriteFile(path)
}

// ensureServerCertificate keeps a certificate for this machine alone.
func ensureServerCertificate(svc *standalone.Services) (certificate, key string, err error) {
	certificate, key = filepath.Join(svc.Dir, "secrets", "server.pem"), filepath.Join(svc.Dir, "secrets", "server.key")
	if _, err := os.Stat(certificate); err == nil {
		return certificate, key, nil
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	cert, err := svc.Authority.IssueServer(devpki.Subject{CommonName: "Triện standalone", Loopback: true}, private.Public())
	if err != nil {
		return "", "", fmt.Errorf("issuing the server's certificate: %w", err)
	}
	chain := certs.EncodePEM(append([]*x509.Certificate{cert}, svc.Authority.Intermediates()...)...)
	// The certificate is written last: it says that the pair is whole.
	err = replaceFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	if err == nil {
		err = replaceFile(certificate, chain, 0o600)
	}
	return certificate, key, err
}

// ensureSecret keeps a random password.
func ensureSecret(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	secret := rand.Text()
	return secret, replaceFile(path, []byte(secret+"\n"), 0o600)
}

// ensureSeal keeps the organisation's key on a SoftHSM token of the folder.
func ensureSeal(ctx context.Context, svc *standalone.Services, set *settings) error {
	pin, err := ensureSecret(filepath.Join(svc.Dir, "secrets", "seal-pin"))
	if err != nil {
		return err
	}
	module, env, err := softhsm.InitToken(ctx, filepath.Join(svc.Dir, "seal-token"), sealLabel, pin)
	if err != nil {
		return err
	}
	if err := softhsm.Use(env); err != nil {
		return err
	}
	set.seal.token = token.Config{Module: module, Label: sealLabel, PIN: pin}
	set.seal.chain = svc.Authority.Intermediates()
	set.seal.picture = &signing.Picture{PNG: samples.SealPicture()} // it reads "specimen, of no legal value"
	t, err := token.Open(set.seal.token)
	if err != nil {
		return err
	}
	set.seal.certificate, err = ensureIdentity(t, "seal", func(pub any) (*x509.Certificate, error) {
		return svc.Authority.IssueSeal(devpki.Subject{CommonName: standaloneUnit, Organisation: standaloneUnit}, pub)
	})
	return errors.Join(err, t.Close())
}

// ensureIdentity returns the certificate of a token's key, making both if they are missing.
func ensureIdentity(t *token.Token, label string, issue func(pub any) (*x509.Certificate, error)) (*x509.Certificate, error) {
	identities, err := t.Identities()
	if err != nil {
		return nil, err
	}
	for _, id := range identities {
		if id.Label == label {
			return id.Certificate, nil
		}
	}
	key, err := t.Key(label) // a crash between key and certificate leaves the key alone
	if errors.Is(err, token.ErrNoKey) {
		key, err = t.Generate(label, "rsa2048")
	}
	if err != nil {
		return nil, fmt.Errorf("making a key on the token: %w", err)
	}
	cert, err := issue(key.Public())
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate: %w", err)
	}
	if err := t.Import(label, cert); err != nil {
		return nil, fmt.Errorf("putting the certificate on the token: %w", err)
	}
	return cert, nil
}

// replaceFile writes a file so that it is there whole or not at all.
func replaceFile(path string, text []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
