package postgres_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/vault"
	"trien/vault/postgres"
)

func TestOpenUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]error{
		"postgres://app:hunter2@" + nobody + "/vault":               vault.ErrUnavailable,
		"host=/nowhere user=app password=hunter2 dbname=vault":      vault.ErrUnavailable,
		"postgres://app:hunter2@" + nobody + "/vault?sslmode=maybe": vault.ErrInvalid,
		"postgres://app:hunter2@:port:/vault":                       vault.ErrInvalid,
	} {
		s, err := postgres.Open(t.Context(), url)
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, want) {
			t.Errorf("Open: %v, want %v", err, want)
		}
		migrate := postgres.Migrate(t.Context(), url, "app")
		if !errors.Is(migrate, want) {
			t.Errorf("Migrate: %v, want %v", migrate, want)
		}
		if text := errors.Join(err, migrate).Error(); strings.Contains(text, "hunter2") {
			t.Errorf("the error tells the password: %s", text)
		}
	}
}

// blocked runs act while another session holds the lock of the waiting job, and calls when, if any, once act waits for it.
func (d *deposited) blocked(t *testing.T, act func() error, when func(pid int)) error {
	t.Helper()
	owner, watcher := d.owner(t), d.owner(t)
	tx, err := owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background()) //nolint:errcheck // it only holds the lock
	if _, err := tx.Exec(t.Context(), `select 1 from vault.job where id = $1 for update`, d.job.ID.String()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- act() }()
	if when == nil {
		return <-done
	}
	const waiting = `select pid from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`
	var pid int
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err := watcher.QueryRow(t.Context(), waiting).Scan(&pid)
		if err == nil {
			break
		}
		if !errors.Is(err, pgx.ErrNoRows) || time.Now().After(deadline) {
			t.Fatalf("nobody waits for the lock: %v", err)
		}
	}
	when(pid)
	return <-done
}

// A call that the server or its caller cuts short says so, and leaves nothing behind.
func TestCutShort(t *testing.T) {
	d := newDeposited(t)
	owner := d.owner(t)
	before := rows(t, owner, "event") + rows(t, owner, "job")
	withdraw := func(ctx context.Context, s *postgres.Store) func() error {
		return func() error { return s.WithdrawJob(ctx, d.job.ID, event()) }
	}
	ctx, cancel := context.WithCancel(t.Context())
	hasty := database{d.ownerURL, addParameter(d.appURL, "lock_timeout", "50ms"), d.appRole}.open(t)
	slow := database{d.ownerURL, addParameter(d.appURL, "statement_timeout", "50ms"), d.appRole}.open(t)
	app := d.app(t)
	for what, c := range map[string]struct {
		act  func() error
		when func(pid int)
		want error
	}{
		"a connection ended by the operator": {withdraw(t.Context(), d.store), func(pid int) {
			var ended bool
			if err := app.QueryRow(t.Context(), `select pg_terminate_backend($1)`, pid).Scan(&ended); err != nil || !ended {
				t.Error(ended, err)
			}
		}, vault.ErrUnavailable},
		"a statement cancelled by the operator": {withdraw(t.Context(), d.store), func(pid int) {
			var ended bool
			if err := app.QueryRow(t.Context(), `select pg_cancel_backend($1)`, pid).Scan(&ended); err != nil || !ended {
				t.Error(ended, err)
			}
		}, vault.ErrUnavailable},
		"a cancelled context":      {withdraw(ctx, d.store), func(int) { cancel() }, context.Canceled},
		"a lock that is held":      {withdraw(t.Context(), hasty), nil, vault.ErrUnavailable},
		"a statement that is slow": {withdraw(t.Context(), slow), nil, vault.ErrUnavailable},
	} {
		if err := d.blocked(t, c.act, c.when); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	if rows(t, owner, "event")+rows(t, owner, "job") != before {
		t.Error("a call that was cut short has left something behind")
	}
	if err := d.store.WithdrawJob(t.Context(), d.job.ID, event()); err != nil {
		t.Errorf("the same call afterwards: %v", err)
	}
}

func addParameter(url, name, value string) string {
	if !strings.Contains(url, "://") {
		return url + " " + name + "=" + value
	}
	if strings.Contains(url, "?") {
		return url + "&" + name + "=" + value
	}
	return url + "?" + name + "=" + value
}

// After the server has cut all connections the store finds its way back by itself.
func TestReconnect(t *testing.T) {
	d := newDeposited(t)
	const cut = `select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`
	var n int
	if err := d.app(t).QueryRow(t.Context(), cut).Scan(&n); err != nil || n == 0 {
		t.Fatalf("%d connections cut: %v", n, err)
	}
	for try := 0; ; try++ {
		_, err := d.store.Units(t.Context())
		if err == nil {
			break
		}
		if !errors.Is(err, vault.ErrUnavailable) || try == 20 {
			t.Fatalf("call %d after the cut: %v", try, err)
		}
	}
}
