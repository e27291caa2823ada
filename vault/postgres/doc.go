// Package postgres keeps the vault's metadata in PostgreSQL 15 or newer, through pgx.
//
// It guarantees what [vault.Store] promises: a method that returns nil has committed, with its line in the access record in
// the same transaction; one that returns an error has rolled back. Row locks serialise what concerns one upload, job or
// record, always taken in the order upload, job, record, so that they cannot deadlock among themselves. The rules of the
// data stand in the schema as constraints: a program that forgets one is refused by the database. Versions cannot change
// but for their receipt, and the access record can only grow: the application's role has no right to do otherwise, and
// triggers refuse it even to the owner of the tables, who could only get past them by changing the schema itself. Only
// [Migrate] needs the owner; a program that serves has no use for its password.
//
// Row-level security is the second wall around dossiers, behind the decisions of the vault: each transaction names the one thing, or the unit and the
// level, that it is about, and sees no more.
//
// One answer can stay open: when the connection breaks while a transaction commits, the error is [vault.ErrUnavailable]
// and the transaction may stand. AbandonUpload then tells: it refuses an upload that is committed.
//
// A name, a login or a personal number that stands already is noticed without an error of the server, which would write the
// values that clash into its log.
//
// All times are UTC in microseconds. Names are searched by the beginnings of their words, folded by [vault.FoldName].
package postgres
