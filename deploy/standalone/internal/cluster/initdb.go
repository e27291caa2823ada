package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// initialise makes the cluster, its roles and its database under another name and gives it its own when it is whole and on disk. A crash within leaves a
// folder that the next start throws away.
//
// Neither program waits for the disk: one flush of the file system afterwards does what a thousand of single files do, in a
// fraction of their time.
func (c Config) initialise(ctx context.Context, p programs, u user) error {
	fresh := filepath.Join(c.Dir, "data.new")
	if err := c.Passwords.check(); err != nil {
		return err
	}
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("clearing a first start cut short: %w", err)
	}
	password, err := u.writePassword(c.Dir, c.Passwords.Superuser)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(password) }()
	args := []string{
		"-D", fresh, "-U", Superuser, "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums",
		"--auth-local=scram-sha-256", "--auth-host=reject", "--pwfile=" + password, "--no-sync",
	}
	if out, err := c.command(ctx, u, p.initdb, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: making the cluster: %w: %s", ErrStart, err, tail(out, 500))
	}
	if err := c.single(ctx, p, u, fresh, c.firstSQL()); err != nil {
		return err
	}
	if !c.Hasty {
		if err := flush(fresh, func(d *os.File) error { return unix.Syncfs(int(d.Fd())) }); err != nil {
			return err
		}
	}
	if err := os.Rename(fresh, c.dataDir()); err != nil {
		return fmt.Errorf("making the cluster: %w", err)
	}
	return flush(c.Dir, (*os.File).Sync)
}

// passwordFile is what initdb reads the superuser's password from. A crash leaves it in the cluster's closed folder until the
// next start.
const passwordFile = "initdb.password"

// writePassword makes it for the user that initdb runs as.
func (u user) writePassword(dir, password string) (string, error) {
	path := filepath.Join(dir, passwordFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("making the cluster: %w", err)
	}
	_, err = f.WriteString(password + "\n")
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil && u.drop {
		err = os.Lchown(path, u.uid, u.gid)
	}
	if err != nil {
		_ = os.Remove(path)
		return "", fmt.Errorf("making the cluster: %w", err)
	}
	return path, nil
}

func flush(dir string, how func(*os.File) error) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("flushing a folder: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := how(d); err != nil {
		return fmt.Errorf("flushing a folder: %w", err)
	}
	return nil
}

// tail is the end of what a program said.
func tail(b []byte, n int) string {
	if len(b) > n {
		b = b[len(b)-n:]
	}
	return string(b)
}
