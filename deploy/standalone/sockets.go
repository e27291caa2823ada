package standalone

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"trien/deploy/standalone/internal/cluster"
)

const (
	socketNote    = "sockets" // in run/: where the sockets are, if not there
	socketPrefix  = "trien-"
	objectsSocket = "s3.sock"
	maxSocket     = 107 // bytes of a unix socket's address
)

// sockets are the folders that the services listen in.
type sockets struct {
	postgres string // "": the cluster's own
	objects  string // the socket itself
	away     string // the folder made for them elsewhere, or ""
}

// placeSockets finds room for them: in the folder, or if its name is too long in a fresh private one under a short name, which a
// note in run/ remembers.
func placeSockets(f *folder) (sockets, error) {
	note := f.join("run", socketNote)
	forgetSockets(note)
	own := sockets{objects: f.join("run", objectsSocket)}
	if len(own.objects) <= maxSocket && len(f.join("postgres", "run")) <= cluster.MaxSocketDir {
		return own, nil
	}
	away, err := shortFolder()
	if err != nil {
		return sockets{}, fmt.Errorf("%w: its name is too long for sockets, and so is the temporary folder's: %w", ErrFolder, err)
	}
	if err := writeDurably(note, away+"\n", 0o600); err != nil {
		return sockets{}, errors.Join(fmt.Errorf("%w: %w", ErrFolder, err), os.Remove(away))
	}
	s := sockets{postgres: filepath.Join(away, "pg"), objects: filepath.Join(away, "s3", objectsSocket), away: away}
	if err := os.Mkdir(filepath.Dir(s.objects), 0o700); err != nil {
		return sockets{}, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	return s, nil
}

func shortFolder() (string, error) {
	parents := []string{os.TempDir(), "/tmp"}
	if runtime := os.Getenv("XDG_RUNTIME_DIR"); runtime != "" && os.Geteuid() != 0 {
		parents = append([]string{runtime}, parents...)
	}
	var errs []error
	for _, parent := range parents {
		dir, err := os.MkdirTemp(parent, socketPrefix) // a random name, 0700
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if len(dir)+len("/pg") > cluster.MaxSocketDir {
			errs = append(errs, fmt.Errorf("%s is too long", parent), os.Remove(dir))
			continue
		}
		if os.Geteuid() == 0 { // PostgreSQL's user passes through; what is inside is closed
			if err := os.Chmod(dir, 0o711); err != nil {
				return "", err
			}
		}
		return dir, nil
	}
	return "", errors.Join(errs...)
}

// findObjectsSocket is where the S3 server of a folder listens.
func findObjectsSocket(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, "run", socketNote))
	if errors.Is(err, fs.ErrNotExist) {
		return filepath.Join(dir, "run", objectsSocket), nil
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrFolder, err)
	}
	return filepath.Join(strings.TrimSpace(string(b)), "s3", objectsSocket), nil
}

// forgetSockets removes what a note says was made elsewhere: the names that we make and nothing else, so that a note from
// anybody does no harm.
func forgetSockets(note string) {
	b, err := os.ReadFile(note)
	if err != nil {
		return
	}
	_ = os.Remove(note)
	away := strings.TrimSpace(string(b))
	if !strings.HasPrefix(filepath.Base(away), socketPrefix) {
		return
	}
	for _, name := range []string{"s3/" + objectsSocket, "pg/.s.PGSQL.5432", "pg/.s.PGSQL.5432.lock", "s3", "pg", ""} {
		_ = os.Remove(filepath.Join(away, name)) // a folder goes only when it is empty
	}
}
