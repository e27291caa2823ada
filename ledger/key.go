package ledger

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const maxKeyFile = 1024

// SigningKey is a log's Ed25519 key. Its name is the log's origin. It is a secret: printing or logging it shows the
// verifier key only.
type SigningKey struct {
	secret   string
	verifier string
	signer   note.Signer
}

// namedSigner is a note signer with its vkey.
type namedSigner struct {
	note.Signer
	verifierKey string
}

func (s namedSigner) VerifierKey() string { return s.verifierKey }

// GenerateSigningKey draws a new key for the log named origin, such as "vault.example/records": visible characters, no
// space, no "+", at most 255 bytes. Errors wrap [ErrMalformed].
func GenerateSigningKey(origin string) (*SigningKey, error) {
	if !validKeyName(origin) {
		return nil, fmt.Errorf("%w: origin is not a key name", ErrMalformed)
	}
	secret, _, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, fmt.Errorf("generating log key: %w", err)
	}
	return ParseSigningKey(secret)
}

// ParseSigningKey reads the signer key format of golang.org/x/mod/sumdb/note. Errors wrap [ErrMalformed] and never
// repeat the text.
func ParseSigningKey(secret string) (*SigningKey, error) {
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, fmt.Errorf("%w: signing key", ErrMalformed)
	}
	// NewSigner has checked: PRIVATE+KEY+<name>+<hash>+<base64 of type and seed>.
	seed, err := decodeBase64(strings.SplitN(secret, "+", 5)[4])
	if err != nil || len(seed) != 1+ed25519.SeedSize || !validKeyName(signer.Name()) {
		return nil, fmt.Errorf("%w: signing key", ErrMalformed)
	}
	public, ok := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: signing key", ErrMalformed)
	}
	verifier, err := note.NewEd25519VerifierKey(signer.Name(), public)
	if err != nil {
		return nil, fmt.Errorf("deriving verifier key: %w", err)
	}
	return &SigningKey{secret: secret, verifier: verifier, signer: signer}, nil
}

// Signer signs checkpoints and their time.
func (k *SigningKey) Signer() Signer { return namedSigner{k.signer, k.verifier} }

// VerifierKey is the vkey that belongs to Signer. It is public.
func (k *SigningKey) VerifierKey() string { return k.verifier }

// Origin is the name of the log.
func (k *SigningKey) Origin() string { return k.signer.Name() }

// String shows the verifier key only.
func (k *SigningKey) String() string { return k.verifier }

// GoString hides the secret from %#v.
func (k *SigningKey) GoString() string { return "ledger.SigningKey(" + k.verifier + ")" }

// LogValue hides the secret from logs.
func (k *SigningKey) LogValue() slog.Value { return slog.StringValue(k.verifier) }

// WriteFile stores the key in a new file with mode 0600, durably. It returns an error wrapping [fs.ErrExist] if there is
// a file: a log key is never overwritten. A crash leaves either no file or the whole key.
func (k *SigningKey) WriteFile(path string) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".log-key-*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing log key: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = io.WriteString(tmp, k.secret+"\n")
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		// Link refuses an existing name, which rename would replace.
		err = os.Link(tmp.Name(), path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("writing log key: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ReadSigningKey loads a key that [SigningKey.WriteFile] stored. It refuses a file that others than its owner may read
// or write: an error wrapping [fs.ErrPermission].
func ReadSigningKey(path string) (*SigningKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading log key: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading log key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("reading log key: %w: the file's mode is %04o, make it 0600", fs.ErrPermission, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("reading log key: %w", err)
	}
	secret, ended := strings.CutSuffix(string(text), "\n")
	if !ended {
		return nil, fmt.Errorf("reading log key: %w: no newline at the end", ErrMalformed)
	}
	return ParseSigningKey(secret)
}
