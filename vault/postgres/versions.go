package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"trien/vault"
)

// versionColumns are what a list of versions needs; manifest and receipt come after them.
const versionColumns = `id, record, dossier, register, number, previous, kind, media_type, size, sha256, object_sha256, origin,
	actor, unit, basis, time, approval, object_key, object_size, wrapped_key, sealed_salt, identity, leaf`

func scanVersion(row pgx.CollectableRow) (v vault.Version, err error) {
	o := &v.Object
	err = row.Scan(&v.ID, &v.Record, &v.Dossier, &v.Register, &v.Number, &v.Previous, &v.Kind, &v.MediaType, &v.Size,
		into(&v.SHA256), into(&v.ObjectSHA256), &v.Origin, &v.Actor, &v.Unit, &v.Basis, &v.Time, &v.Approval, &o.Key, &o.Size,
		&o.WrappedKey, &v.SealedSalt, into(&v.Identity), (*[]byte)(&v.Leaf), &v.Manifest, &v.Receipt)
	return v, err
}

// Version reads a version.
func (s *Store) Version(ctx context.Context, id vault.VersionID) (vault.Version, error) {
	const sql = `select ` + versionColumns + `, manifest, receipt from vault.version where id = @id`
	return one(ctx, s.behind(only(id.UUID)), "version", scanVersion, sql, pgx.NamedArgs{"id": ref(id.UUID)})
}

// ApprovedVersion reads the version that a job made.
func (s *Store) ApprovedVersion(ctx context.Context, id vault.JobID) (vault.Version, error) {
	const sql = `select ` + versionColumns + `, manifest, receipt from vault.version where approval = @job`
	return one(ctx, s.behind(only(id.UUID)), "version", scanVersion, sql, pgx.NamedArgs{"job": ref(id.UUID)})
}

// LatestVersion reads the newest version of a record.
func (s *Store) LatestVersion(ctx context.Context, id vault.RecordID) (vault.Version, error) {
	const sql = `select ` + versionColumns + `, manifest, receipt from vault.version where record = @record order by number desc limit 1`
	return one(ctx, s.behind(only(id.UUID)), "version", scanVersion, sql, pgx.NamedArgs{"record": ref(id.UUID)})
}
