// Package objectserver is the S3 server of a standalone vault: versitygw over a folder, as a child process of its own, on a
// unix socket. What it has acknowledged is on disk.
package objectserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
	"golang.org/x/sys/unix"
)

// Kinds of error.
var (
	ErrAttributes = errors.New("the file system keeps no extended attributes (user.*)")
	ErrInUse      = errors.New("another S3 server runs on this folder")
)

// HealthPath answers 200 without authentication.
const HealthPath = "/healthz"

// lockPatience is how long a server waits for the one before it to end.
const lockPatience = 10 * time.Second

// stopGrace is how long requests under way may take when the server is told to end. The library would wait ten seconds for
// connections that nobody uses; what was acknowledged is on disk, so nothing is lost with them.
const stopGrace = 500 * time.Millisecond

// Config of a server.
type Config struct {
	Dir       string // holds the objects; 0700
	Socket    string // absolute path
	AccessKey string
	SecretKey string
	// Alive is read until its end, which ends the server: a pipe from the parent closes when the parent is gone.
	Alive io.Reader
	// Hasty leaves out waiting for the disk: for tests whose data nobody needs after a power cut.
	Hasty bool

	patience time.Duration // for the lock; 0: lockPatience
}

// Serve runs the server until ctx or c.Alive ends. It changes the process's working directory, and a process can run it once.
// A crash at any point leaves what was acknowledged, and perhaps parts of unfinished uploads.
func Serve(ctx context.Context, c Config) error {
	objects, versions := filepath.Join(c.Dir, "data"), filepath.Join(c.Dir, "versions")
	for _, d := range []string{objects, versions} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("making the objects' folder: %w", err)
		}
	}
	unlock, err := lock(ctx, filepath.Join(c.Dir, "lock"), cmp.Or(c.patience, lockPatience))
	if err != nil {
		return err
	}
	defer unlock()
	if err := ProbeAttributes(objects); err != nil {
		return err
	}
	root, err := os.Open(objects)
	if err != nil {
		return fmt.Errorf("opening the objects' folder: %w", err)
	}
	defer func() { _ = root.Close() }()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		_, _ = io.Copy(io.Discard, c.Alive)
		cancel(nil)
	}()
	disk := newGroupSync(root, cancel)
	if c.Hasty {
		disk.flush = func() error { return nil }
	}
	err = c.run(ctx, objects, versions, disk)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

func (c Config) run(ctx context.Context, objects, versions string, disk *groupSync) error {
	opts := posix.PosixOpts{
		VersioningDir:       versions,
		DataIntegrityEtag:   true, // no MD5: the ETag is the checksum
		CopyObjectThreshold: 5 << 30,
		ValidateBucketNames: true,
	}
	opts.SetNewDirPerm(0o700)
	opts.SetNewFilePerm(0o600)
	store, err := posix.New(objects, meta.XattrMeta{}, opts)
	if err != nil {
		return fmt.Errorf("opening the objects' folder: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.listen(ctx, durable{Posix: store, disk: disk}) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		select {
		case err = <-ended:
		case <-time.After(stopGrace):
		}
	}
	if err != nil {
		return fmt.Errorf("serving objects: %w", err)
	}
	return nil
}

func (c Config) listen(ctx context.Context, b backend.Backend) error {
	return embedgw.RunVersityGW(ctx, b, &embedgw.Config{
		RootUserAccess:    c.AccessKey,
		RootUserSecret:    c.SecretKey,
		Ports:             []string{c.Socket},
		SocketPerm:        "0600",
		MaxConnections:    1024,
		MaxRequests:       512,
		MultipartMaxParts: 10_000,
		HealthPath:        HealthPath,
		DisableACLs:       true,
		KeepAlive:         true,
		Quiet:             true,
	})
}

// lock keeps a second server away, waiting for one that is just ending. The system lets go of it when the process ends.
func lock(ctx context.Context, path string, patience time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the objects' folder: %w", err)
	}
	deadline := time.Now().Add(patience)
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = f.Close() }, nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			_ = f.Close()
			return nil, fmt.Errorf("locking the objects' folder: %w", err)
		case time.Now().After(deadline):
			_ = f.Close()
			return nil, ErrInUse
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ProbeAttributes tries, on a folder, what the server keeps its checksums in. Errors wrap [ErrAttributes].
func ProbeAttributes(dir string) error {
	const name = "user.trien.probe"
	if err := unix.Setxattr(dir, name, []byte{1}, 0); err != nil {
		return fmt.Errorf("%w: %w", ErrAttributes, err)
	}
	if err := unix.Removexattr(dir, name); err != nil {
		return fmt.Errorf("%w: %w", ErrAttributes, err)
	}
	return nil
}
