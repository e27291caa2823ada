package standalone

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"trien/deploy/standalone/internal/objectserver"
)

// ChildCommand is the hidden command of the program whose body is [ServeObjects]: "trien objects-child DIR".
const ChildCommand = "objects-child"

// bucket of a standalone vault.
const bucket = "trien"

// ServeObjects is the body of the child process: the S3 server on DIR's socket. What it acknowledges is on disk (callers share a
// flush of the file system), and it refuses to delete what a legal hold protects. It ends when ctx does, or when
// standard input ends: the parent holds the other end of that pipe.
func ServeObjects(ctx context.Context, dir string) error {
	if b, err := os.ReadFile(filepath.Join(dir, markerFile)); err != nil || len(b) == 0 {
		return fmt.Errorf("%w: %s was not made by a standalone start", ErrFolder, dir)
	}
	s, err := openSecrets(filepath.Join(dir, "secrets"), false)
	if err != nil {
		return err
	}
	socket, err := findObjectsSocket(dir)
	if err != nil {
		return err
	}
	return objectserver.Serve(ctx, objectserver.Config{
		Dir:       filepath.Join(dir, "objects"),
		Socket:    socket,
		AccessKey: s.accessKey,
		SecretKey: s.secretKey,
		Alive:     os.Stdin,
	})
}

// startObjects runs this program again as the S3 server.
func (s *Services) startObjects(ctx context.Context, self, socket string) error {
	if err := objectserver.ProbeAttributes(s.folder.join("objects")); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFolder, s.Dir, err)
	}
	log, err := openLog(s.folder.join("log", "objects.log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the child has its own
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, ChildCommand, s.Dir)
	cmd.Stdout, cmd.Stderr = log, log
	server, err := objectserver.Start(ctx, cmd, socket)
	if err != nil {
		return fmt.Errorf("%w: %w (%s)", ErrService, err, log.Name())
	}
	s.objects = server
	s.watch("the S3 server", server.Process)
	return nil
}

// maxLog is how long a log grows before the next start puts it aside, over the one put aside before.
const maxLog = 10 << 20

func openLog(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFolder, err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	return f, nil
}

var errEnded = errors.New("ended by itself")
