// Package envelope …(contract): a fresh data key per object, streaming AEAD, key wrapping.
package envelope

import (
	"context"
	"errors"
	"io"
)

var (
	ErrTampered   = errors.New("envelope: tampered")
	ErrPassphrase = errors.New("envelope: wrong passphrase")
	ErrNoKey      = errors.New("envelope: no such key")
	ErrMalformed  = errors.New("envelope: malformed")
)

// DataKey encrypts one object. Its LogValue hides it.
type DataKey [32]byte

func NewDataKey() DataKey { panic("contract") }

// SealedSize is the exact object size for a plaintext size (prefix 40 bytes: magic + key commitment; then a Tink
// AES256-GCM-HKDF stream with 64 KiB segments).
func SealedSize(plain int64) int64          { panic("contract") }
func PlainSize(sealed int64) (int64, error) { panic("contract") }

// NewWriter encrypts to w under key; associated binds the object to its place (register and version id). Close writes the last segment.
func NewWriter(w io.Writer, key DataKey, associated []byte) (io.WriteCloser, error) {
	panic("contract")
}

// Reader reads plaintext by range; safe for concurrent ReadAt. Every byte returned was authenticated. Errors wrap ErrTampered.
type Reader struct{}

func NewReader(src io.ReaderAt, sealedSize int64, key DataKey, associated []byte) (*Reader, error) {
	panic("contract")
}
func (r *Reader) Size() int64                             { panic("contract") }
func (r *Reader) ReadAt(p []byte, off int64) (int, error) { panic("contract") }

// WriteTo streams the whole plaintext with read-ahead and checks the end mark.
func (r *Reader) WriteTo(w io.Writer) (int64, error) { panic("contract") }

// SealBytes and OpenBytes are for small secrets (salts, prepared revisions): one AEAD box with a random nonce.
func SealBytes(key DataKey, plain, associated []byte) []byte        { panic("contract") }
func OpenBytes(key DataKey, box, associated []byte) ([]byte, error) { panic("contract") }

// Keyring is a passphrase-protected file (argon2id) of versioned key-encryption keys. It implements vault.KeyWrapper.
type Keyring struct{}

func CreateKeyring(path string, passphrase []byte) (*Keyring, error) { panic("contract") } // 0600, fsync; fails if it exists
func OpenKeyring(path string, passphrase []byte) (*Keyring, error)   { panic("contract") }

// Wrap encrypts a data key under the newest KEK; context (register, version id) must be given again to unwrap.
func (k *Keyring) Wrap(ctx context.Context, key DataKey, context []byte) ([]byte, error) {
	panic("contract")
}
func (k *Keyring) Unwrap(ctx context.Context, wrapped, context []byte) (DataKey, error) {
	panic("contract")
}
func (k *Keyring) Ready(ctx context.Context) error { panic("contract") }

// Spool is an encrypted scratch file under a key that lives only in this process: for uploads that must be read by range
// (a stranger's PDF to verify) without plaintext on disk. The file is unlinked at once; Close frees it.
type Spool struct{}

func NewSpool(dir string) (*Spool, error)    { panic("contract") }
func (s *Spool) Write(p []byte) (int, error) { panic("contract") }
func (s *Spool) Finish() (*Reader, error)    { panic("contract") } // no writes after it
func (s *Spool) Close() error                { panic("contract") }
