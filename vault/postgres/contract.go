// Package postgres …(contract): the vault's metadata in PostgreSQL, through pgx.
package postgres

import (
	"context"

	"trien/vault"
)

// Migrate brings the schema "vault" up to date as its owner and grants to the role app what the program needs, and no more
// (append-only tables: INSERT and SELECT). Any number of nodes may call it at once.
func Migrate(ctx context.Context, ownerURL, appRole string) error { panic("contract") }

// Open connects as the application role. The result implements vault.Store.
func Open(ctx context.Context, url string) (*Store, error) { panic("contract") }

type Store struct{}

func (s *Store) Close() { panic("contract") }

// Store must satisfy vault.Store: var _ vault.Store = (*Store)(nil)
var _ vault.Store
