package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
)

var (
	passwordForm = regexp.MustCompile(`^[A-Za-z0-9]{16,}$`)
	databaseForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

	errForm = errors.New("a name or a password has another form than ours")
)

// check keeps quoting out of the SQL below.
func (p Passwords) check() error {
	for _, s := range []string{p.Superuser, p.Owner, p.App} {
		if !passwordForm.MatchString(s) {
			return fmt.Errorf("%w: %w", ErrStart, errForm)
		}
	}
	return nil
}

// firstSQL makes the roles and the database. Neither role is more than it must be: the owner makes schemas in its database, the
// other does what the owner grants it.
func (c Config) firstSQL() []string {
	const plain = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
	return append([]string{
		fmt.Sprintf("CREATE ROLE %s %s PASSWORD '%s'", OwnerRole, plain, c.Passwords.Owner),
		fmt.Sprintf("CREATE ROLE %s %s PASSWORD '%s'", AppRole, plain, c.Passwords.App),
	}, databaseSQL(Database)...)
}

// databaseSQL makes a database that nobody enters who is not named.
func databaseSQL(name string) []string {
	return []string{
		fmt.Sprintf("CREATE DATABASE %s OWNER %s", name, OwnerRole),
		fmt.Sprintf("REVOKE ALL ON DATABASE %s FROM PUBLIC", name),
		fmt.Sprintf("GRANT CONNECT ON DATABASE %s TO %s", name, AppRole),
	}
}

// single runs SQL on a cluster that is not started: PostgreSQL's single-user mode. It does not wait for the disk.
func (c Config) single(ctx context.Context, p programs, u user, data string, statements []string) error {
	var in bytes.Buffer
	for _, s := range statements {
		in.WriteString(s + ";\n\n") // with -j a statement ends there
	}
	args := []string{"--single", "-j", "-D", data, "-c", "exit_on_error=on", "-c", "password_encryption=scram-sha-256", "-c", "log_min_error_statement=panic", "-F"}
	cmd := c.command(ctx, u, p.postgres, append(args, "postgres")...)
	cmd.Stdin = &in
	var said bytes.Buffer
	cmd.Stderr = &said // standard output is its prompt
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: making roles and database: %w: %s", ErrStart, err, tail(said.Bytes(), 500))
	}
	return nil
}

// NewDatabase makes another database, as [Database] is.
func (c *Cluster) NewDatabase(ctx context.Context, name string) error {
	if !databaseForm.MatchString(name) {
		return fmt.Errorf("making a database: %w", errForm)
	}
	return c.psql(ctx, databaseSQL(name))
}

// DropDatabase removes a database and cuts its sessions.
func (c *Cluster) DropDatabase(ctx context.Context, name string) error {
	if !databaseForm.MatchString(name) {
		return fmt.Errorf("dropping a database: %w", errForm)
	}
	return c.psql(ctx, []string{fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name)})
}

// psql runs SQL as the superuser, each statement by itself.
func (c *Cluster) psql(ctx context.Context, statements []string) error {
	args := []string{"-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", c.socketDir, "-p", port, "-U", Superuser, "-d", "postgres"}
	for _, s := range statements {
		args = append(args, "-c", s)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, "psql"), args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "PGPASSWORD=" + c.passwords.Superuser, "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("running psql: %w: %s", err, tail(out, 500))
	}
	return nil
}
