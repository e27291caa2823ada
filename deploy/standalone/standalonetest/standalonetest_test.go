package standalonetest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/deploy/standalone/standalonetest"
	"trien/vault/objects"
)

func TestMain(m *testing.M) { standalonetest.Main(m) }

func TestPostgres(t *testing.T) {
	ctx := t.Context()
	began := time.Now()
	ownerURL, appURL, role := standalonetest.Postgres(t)
	t.Logf("first database after %v", time.Since(began).Round(time.Millisecond))
	owner, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = owner.Close(ctx) }()
	if _, err := owner.Exec(ctx, `CREATE SCHEMA vault; CREATE TABLE vault.t (n int); GRANT USAGE ON SCHEMA vault TO `+role+`; GRANT INSERT ON vault.t TO `+role); err != nil {
		t.Fatal(err)
	}
	app, err := pgx.Connect(ctx, appURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = app.Close(ctx) }()
	if _, err := app.Exec(ctx, `INSERT INTO vault.t VALUES (1)`); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{`SELECT n FROM vault.t`, `CREATE TABLE public.x (n int)`, `CREATE SCHEMA x`, `SET ROLE postgres`} {
		if _, err := app.Exec(ctx, sql); err == nil {
			t.Errorf("the application role may: %s", sql)
		}
	}
	var super, bypass bool
	if err := owner.QueryRow(ctx, `SELECT bool_or(rolsuper), bool_or(rolbypassrls) FROM pg_roles WHERE rolname IN ($1, current_user)`, role).
		Scan(&super, &bypass); err != nil || super || bypass {
		t.Fatal(super, bypass, err)
	}
	began = time.Now()
	other, _, _ := standalonetest.Postgres(t)
	t.Logf("another database after %v", time.Since(began).Round(time.Millisecond))
	if other == ownerURL {
		t.Fatal("the same database twice")
	}
}

func TestObjects(t *testing.T) {
	s3 := standalonetest.Objects(t)
	o, err := objects.Open(t.Context(), objects.Config{
		Endpoint: "objects", Socket: s3.Socket, Bucket: s3.Bucket, AccessKey: s3.AccessKey, SecretKey: objects.Secret(s3.SecretKey),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Put(t.Context(), "k", strings.NewReader("ciphertext"), -1); err != nil {
		t.Fatal(err)
	}
	if other := standalonetest.Objects(t); other.Bucket == s3.Bucket || other.Socket != s3.Socket {
		t.Fatal(other)
	}
}
