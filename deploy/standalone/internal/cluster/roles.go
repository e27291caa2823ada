package cluster

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// prepare makes the roles and the database, or sets them right. It may be cut short anywhere: the next start does it again.
func (c *Cluster) prepare(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.SuperuserURL("postgres"))
	if err != nil {
		return fmt.Errorf("preparing the database: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for role, password := range map[string]string{OwnerRole: c.passwords.Owner, AppRole: c.passwords.App} {
		if err := ensureRole(ctx, conn, role, password); err != nil {
			return err
		}
	}
	return c.ensureDatabase(ctx, conn, Database)
}

func ensureRole(ctx context.Context, conn *pgx.Conn, role, password string) error {
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, role).Scan(&exists); err != nil {
		return fmt.Errorf("looking for role %s: %w", role, err)
	}
	verb := "ALTER"
	if !exists {
		verb = "CREATE"
	}
	// A role's statement takes no parameters, so the server itself quotes them.
	var sql string
	err := conn.QueryRow(ctx, `SELECT format('%s ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD %L',
		$1::text, $2::text, $3::text)`, verb, role, password).Scan(&sql)
	if err != nil {
		return fmt.Errorf("making role %s: %w", role, err)
	}
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("making role %s: %w", role, err)
	}
	return nil
}

func (c *Cluster) ensureDatabase(ctx context.Context, conn *pgx.Conn, name string) error {
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists); err != nil {
		return fmt.Errorf("looking for database %s: %w", name, err)
	}
	if !exists {
		if _, err := conn.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()+` OWNER `+OwnerRole); err != nil {
			return fmt.Errorf("making database %s: %w", name, err)
		}
	}
	// Nobody who is not named gets in, and nobody makes tables outside the schemas that the owner makes.
	for _, sql := range []string{
		`REVOKE ALL ON DATABASE ` + pgx.Identifier{name}.Sanitize() + ` FROM PUBLIC`,
		`GRANT CONNECT ON DATABASE ` + pgx.Identifier{name}.Sanitize() + ` TO ` + AppRole,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("preparing database %s: %w", name, err)
		}
	}
	return nil
}

// NewDatabase makes another database, as [Database] is.
func (c *Cluster) NewDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, c.SuperuserURL("postgres"))
	if err != nil {
		return fmt.Errorf("making database %s: %w", name, err)
	}
	defer func() { _ = conn.Close(ctx) }()
	return c.ensureDatabase(ctx, conn, name)
}

// DropDatabase removes a database and cuts its sessions.
func (c *Cluster) DropDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, c.SuperuserURL("postgres"))
	if err != nil {
		return fmt.Errorf("dropping database %s: %w", name, err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, `DROP DATABASE IF EXISTS `+pgx.Identifier{name}.Sanitize()+` WITH (FORCE)`); err != nil {
		return fmt.Errorf("dropping database %s: %w", name, err)
	}
	return nil
}
