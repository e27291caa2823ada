package envelope

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// kek is a key-encryption key. It lives as long as any key wrapped under it.
type kek struct {
	version uint32
	created time.Time // in UTC and seconds
	key     DataKey
}

// Keyring is a passphrase-protected file of versioned key-encryption keys. It implements vault.KeyWrapper. The newest version
// wraps; all of them unwrap. It is safe for concurrent use.
type Keyring struct {
	path string

	mu   sync.RWMutex
	keys []kek // by version, the newest last; never empty
}

// CreateKeyring makes the file, readable by its owner alone, with one fresh key. When it returns nil the file is durable. It
// returns an error wrapping [os.ErrExist] if there is one, and leaves it as it is.
func CreateKeyring(path string, passphrase []byte) (*Keyring, error) {
	keys := []kek{newKEK(1)}
	data, err := encodeKeyring(passphrase, keys)
	if err != nil {
		return nil, fmt.Errorf("creating a keyring: %w", err)
	}
	temp, err := writeBeside(path, data)
	if err != nil {
		return nil, fmt.Errorf("creating a keyring: %w", err)
	}
	// A link, unlike a rename, fails if the name is taken. A crash before it leaves a temporary file and no keyring.
	err = os.Link(temp, path)
	if rmErr := os.Remove(temp); err == nil {
		err = rmErr
	}
	if err == nil {
		err = syncFolder(path)
	}
	if err != nil {
		return nil, fmt.Errorf("creating a keyring: %w", err)
	}
	return &Keyring{path: path, keys: keys}, nil
}

// OpenKeyring reads the file. It takes a quarter of a second and 64 MiB on purpose. Errors wrap [ErrPassphrase] if the
// passphrase is another, [ErrMalformed] if the file is damaged or none of ours, [ErrTampered] if somebody changed it
// with care, or are the system's ([os.ErrNotExist]).
func OpenKeyring(path string, passphrase []byte) (*Keyring, error) {
	keys, err := readKeyring(path, passphrase)
	if err != nil {
		return nil, fmt.Errorf("opening a keyring: %w", err)
	}
	return &Keyring{path: path, keys: keys}, nil
}

// Rotate adds a new version of the key-encryption key and makes it durable before anything is wrapped under it. Keys
// wrapped before still open. Another process that has the keyring open must open it again to unwrap what this one wraps
// from now on. Two rotations at once do not lose each other's key.
func (k *Keyring) Rotate(passphrase []byte) error {
	unlock, err := lockFolder(k.path)
	if err != nil {
		return fmt.Errorf("rotating a keyring: %w", err)
	}
	defer unlock()
	keys, err := readKeyring(k.path, passphrase)
	if err != nil {
		return fmt.Errorf("rotating a keyring: %w", err)
	}
	keys = append(keys, newKEK(keys[len(keys)-1].version+1))
	data, err := encodeKeyring(passphrase, keys)
	if err != nil {
		return fmt.Errorf("rotating a keyring: %w", err)
	}
	temp, err := writeBeside(k.path, data)
	if err != nil {
		return fmt.Errorf("rotating a keyring: %w", err)
	}
	// A crash before the rename leaves the old keyring whole, and a temporary file that nothing reads.
	if err := os.Rename(temp, k.path); err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("rotating a keyring: %w", err)
	}
	if err := syncFolder(k.path); err != nil {
		return fmt.Errorf("rotating a keyring: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
	return nil
}

// Version is the number of the key that wraps; the first is 1.
func (k *Keyring) Version() uint32 {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.keys[len(k.keys)-1].version
}

// Ready reports whether the keyring's file still stands: without it nothing could be unwrapped after the next start.
func (k *Keyring) Ready(context.Context) error {
	if _, err := os.Stat(k.path); err != nil {
		return fmt.Errorf("looking at the keyring: %w", err)
	}
	return nil
}

// LogValue hides the keys.
func (*Keyring) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format hides the keys from every verb of fmt.
func (*Keyring) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

func newKEK(version uint32) kek {
	return kek{version: version, created: time.Now().UTC().Truncate(time.Second), key: NewDataKey()}
}

func readKeyring(path string, passphrase []byte) ([]kek, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := readLimited(f, maxKeyringSize)
	if err != nil {
		return nil, err
	}
	file, err := parseKeyring(data)
	if err != nil {
		return nil, err
	}
	return file.open(passphrase)
}

// writeBeside makes data durable under a temporary name in path's folder.
func writeBeside(path string, data []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// syncFolder makes a name in path's folder durable.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}
