package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"trien/deploy/standalone/internal/child"
)

// port only names the socket: nothing listens on TCP.
const port = "5432"

// settings of the server. What is not said keeps PostgreSQL's default: full durability among them.
var settings = []string{
	"listen_addresses=",
	"port=" + port,
	"unix_socket_permissions=0700",
	"password_encryption=scram-sha-256",
	"max_connections=100",
	"shared_buffers=128MB",
	"effective_cache_size=512MB",
	"maintenance_work_mem=64MB",
	// The ledger's indexes are touched all over: each checkpoint has every page of them written to the WAL once more. Fewer
	// checkpoints, and a compression that costs little.
	"max_wal_size=2GB",
	"checkpoint_timeout=15min",
	"wal_compression=lz4",
	"random_page_cost=1.1",
	"timezone=UTC",
	"log_timezone=UTC",
	"logging_collector=off",
	// Statements hold names: they stay out of the log, and so do the values in an error's detail.
	"log_min_messages=warning",
	"log_min_error_statement=panic",
	"log_error_verbosity=terse",
	"log_parameter_max_length=0",
	"log_parameter_max_length_on_error=0",
}

var hastySettings = []string{
	"fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0",
}

// startTries covers server processes of a killed postmaster, which hold its memory until they notice.
const startTries = 4

// startPatience covers recovery after a crash, from as much WAL as the settings let come together.
const startPatience = 3 * time.Minute

// Start makes the cluster with its database and roles at first use, and starts it. The caller keeps other starts on
// the same folder away.
func Start(ctx context.Context, c Config) (*Cluster, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStart, err)
	}
	made, err := c.madeBy()
	if err != nil {
		return nil, err
	}
	p, err := c.findPrograms(ctx, made)
	if err != nil {
		return nil, err
	}
	u, err := runAs()
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{c.Dir, c.socketDir()} {
		if err := u.give(dir); err != nil {
			return nil, err
		}
		if err := u.reaches(ctx, dir); err != nil {
			return nil, err
		}
	}
	if err := os.Remove(filepath.Join(c.Dir, passwordFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("clearing a first start cut short: %w", err)
	}
	if made == 0 {
		if err := c.initialise(ctx, p, u); err != nil {
			return nil, err
		}
	}
	if err := c.endLeftover(ctx); err != nil {
		return nil, err
	}
	return c.startServer(ctx, p, u)
}

func (c Config) startServer(ctx context.Context, p programs, u user) (*Cluster, error) {
	args := []string{"-D", c.dataDir(), "-k", c.socketDir()}
	chosen := settings
	if c.Hasty {
		chosen = append(chosen[:len(chosen):len(chosen)], hastySettings...)
	}
	for _, s := range chosen {
		args = append(args, "-c", s)
	}
	for try := 1; ; try++ {
		cmd := c.command(context.WithoutCancel(ctx), u, p.postgres, args...)
		cmd.Stdout, cmd.Stderr = c.Log, c.Log
		proc, err := child.Start(cmd, syscall.SIGINT)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrStart, err)
		}
		s := &Cluster{Process: proc, bin: filepath.Dir(p.postgres), socketDir: c.socketDir(), passwords: c.Passwords}
		err = s.await(ctx, filepath.Join(c.dataDir(), "postmaster.pid"))
		if err == nil {
			return s, nil
		}
		select {
		case <-proc.Done():
		default:
			return nil, errors.Join(err, s.Stop())
		}
		if try == startTries {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrStart, ctx.Err())
		case <-time.After(time.Duration(try) * 500 * time.Millisecond):
		}
	}
}

// await returns when the server says, in its lock file, that it takes connections.
func (c *Cluster) await(ctx context.Context, lockFile string) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		if c.ready(lockFile) {
			return nil
		}
		select {
		case <-c.Done():
			return fmt.Errorf("%w: %w", ErrStart, errors.Join(c.Err(), errors.New("its log says why")))
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrStart, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// statusLine is where postmaster.pid says what the server is doing.
const statusLine = 8

func (c *Cluster) ready(lockFile string) bool {
	b, err := os.ReadFile(lockFile)
	if err != nil {
		return false
	}
	lines := strings.Split(string(b), "\n")
	return len(lines) >= statusLine && lines[0] == strconv.Itoa(c.PID()) && strings.TrimSpace(lines[statusLine-1]) == "ready"
}

// OwnerURL says how the role that owns the schemas reaches a database. It holds the role's password.
func (c *Cluster) OwnerURL(database string) string {
	return c.url(OwnerRole, c.passwords.Owner, database)
}

// AppURL is that of the role that the program runs as: it owns nothing and bypasses nothing.
func (c *Cluster) AppURL(database string) string { return c.url(AppRole, c.passwords.App, database) }

func (c *Cluster) url(role, password, database string) string {
	q := url.Values{"host": {c.socketDir}, "port": {port}}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(role, password), Path: "/" + database, RawQuery: q.Encode()}
	return u.String()
}

// socketPath is the socket that PostgreSQL makes in a folder.
func socketPath(dir string) string { return filepath.Join(dir, ".s.PGSQL."+port) }

// MaxSocketDir is the longest folder's name that a socket's address has room for, in bytes.
const MaxSocketDir = 107 - len("/.s.PGSQL."+port)
