package standalone

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"trien/deploy/standalone/internal/cluster"
)

// secrets of a folder, each in a file of its own.
type secrets struct {
	postgres             cluster.Passwords
	accessKey, secretKey string
	passphrase           string
}

// LogValue hides them.
func (secrets) LogValue() slog.Value { return slog.StringValue("[secrets hidden]") }

// openSecrets reads them. Where they may still be made, it makes those that are missing; a crash within leaves some made, which
// the next start keeps. Later a missing one is a loss to be told, and never papered over: what it opened does not open with
// another.
func openSecrets(dir string, mayMake bool) (secrets, error) {
	var s secrets
	for name, value := range s.files() {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		switch {
		case err == nil:
			*value = strings.TrimSpace(string(b))
		case errors.Is(err, fs.ErrNotExist) && mayMake:
			*value = rand.Text() // 130 bits
			err = writeDurably(path, *value+"\n", 0o600)
		}
		if err != nil {
			return secrets{}, fmt.Errorf("%w: %w", ErrFolder, err)
		}
		if *value == "" {
			return secrets{}, fmt.Errorf("%w: the secret %s is empty", ErrFolder, path)
		}
	}
	return s, nil
}

func (s *secrets) files() map[string]*string {
	return map[string]*string{
		"postgres-superuser": &s.postgres.Superuser,
		"postgres-owner":     &s.postgres.Owner,
		"postgres-app":       &s.postgres.App,
		"s3-access-key":      &s.accessKey,
		"s3-secret-key":      &s.secretKey,
		"keyring-passphrase": &s.passphrase,
	}
}
