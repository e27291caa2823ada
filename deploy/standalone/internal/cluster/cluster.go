// Package cluster runs a private PostgreSQL cluster from the system's own programs, on a unix socket, never as root.
//
// It guarantees that nobody reaches the cluster without a password and access to its 0700 folder, that a first start cut
// short leaves nothing that a second one could take for a cluster, and that a postmaster left behind is ended before
// another starts. Statements and their values do not reach the log.
package cluster

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"trien/deploy/standalone/internal/child"
)

// Kinds of error.
var (
	ErrMissing     = errors.New("PostgreSQL's programs are missing")
	ErrUnreachable = errors.New("the folder is closed to the user that PostgreSQL runs as")
	ErrStart       = errors.New("PostgreSQL did not start")
	ErrStuck       = errors.New("a PostgreSQL left from before does not end")
)

// Roles of a cluster. The superuser makes the others and is not handed out.
const (
	Superuser = "postgres"
	OwnerRole = "trien_owner"
	AppRole   = "trien_app"
	Database  = "trien"
)

// Config of a cluster.
type Config struct {
	Dir       string   // holds the cluster; made if missing
	SocketDir string   // 0700; made if missing; "" is Dir/run
	Bin       []string // folders to look for programs in; nil: the usual ones
	Log       *os.File // what the server says
	Passwords Passwords
	// Hasty leaves out waiting for the disk: for tests whose data nobody needs after a power cut.
	Hasty bool
}

// Passwords of the roles.
type Passwords struct{ Superuser, Owner, App string }

// LogValue hides them.
func (Passwords) LogValue() slog.Value { return slog.StringValue("[passwords hidden]") }

// Cluster is running.
type Cluster struct {
	*child.Process
	bin       string
	socketDir string
	passwords Passwords
}

// Stop ends the cluster: sessions are cut, what was committed stays. It waits for its end.
func (c *Cluster) Stop() error {
	return c.Process.Stop(
		child.Step{Signal: syscall.SIGINT, Patience: 30 * time.Second}, // fast: with a checkpoint
		child.Step{Signal: syscall.SIGQUIT, Patience: 5 * time.Second}, // at once: recovery at the next start
	)
}

func (c Config) dataDir() string { return filepath.Join(c.Dir, "data") }

func (c Config) socketDir() string {
	if c.SocketDir != "" {
		return c.SocketDir
	}
	return filepath.Join(c.Dir, "run")
}

// command runs a program of PostgreSQL as its user, in the cluster's folder.
func (c Config) command(ctx context.Context, u user, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = c.Dir
	cmd.Env = []string{"PATH=" + filepath.Dir(program) + ":/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: u.credential()}
	return cmd
}
