// Package trillianlog …(contract)
package trillianlog

import (
	"context"
	"log/slog"

	"golang.org/x/mod/sumdb/note"

	"trien/ledger"
)

// Config opens a log. With Address empty Trillian runs inside the process on Database; otherwise Trillian is dialled over gRPC.
type Config struct {
	Database    string      // PostgreSQL URL; schema "ledger" holds our heads and index, schema "tlog" Trillian's own tables (in-process only)
	Address     string      // host:port of a trillian_log_server; empty: in-process
	TreeID      int64       // 0: create the tree at the first start and remember it in schema "ledger"
	Signer      note.Signer // its name is the log's origin
	VerifierKey string      // the vkey that belongs to Signer
	Logger      *slog.Logger
}

// Log appends and proves. Safe for concurrent use.
type Log struct{}

// Open migrates both schemas, creates the tree if needed, and rebuilds/compares its state with the last signed head
// (a rolled-back or forked database is ledger.ErrForked: the log refuses to start).
func Open(ctx context.Context, cfg Config) (*Log, error) { panic("contract") }

// Run sequences (in-process) and publishes checkpoints until ctx ends. One node sequences at a time; others stand by.
func (l *Log) Run(ctx context.Context) error { panic("contract") }

// Append queues entries. When it returns nil they are durable and will be integrated. Appending the same entry again is
// success; the same identity with another leaf is ledger.ErrTampered. Entries may repeat within a call.
func (l *Log) Append(ctx context.Context, entries []ledger.Entry) error { panic("contract") }

// Receipt returns the verified receipt of an appended entry under a signed checkpoint, or ledger.ErrNotLogged.
func (l *Log) Receipt(ctx context.Context, e ledger.Entry) (ledger.Receipt, error) { panic("contract") }

// Await is Receipt that waits until a checkpoint covers the entry or ctx ends.
func (l *Log) Await(ctx context.Context, e ledger.Entry) (ledger.Receipt, error) { panic("contract") }

// Checkpoint returns the newest signed checkpoint.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) { panic("contract") }

// Consistency proves that size older is a prefix of size newer.
func (l *Log) Consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error) {
	panic("contract")
}

// Policy is what a stranger needs to judge receipts.
func (l *Log) Policy() *ledger.Policy { panic("contract") }

// Ready says whether the log can append and publish now.
func (l *Log) Ready(ctx context.Context) error { panic("contract") }

func (l *Log) Close() error { panic("contract") }
