package objects

import (
	"context"
	"io"
	"time"

	"trien/vault"
)

func (s *Store) Put(context.Context, string, io.Reader) (vault.StoredObject, error) {
	panic("contract")
}
func (s *Store) Open(context.Context, string, int64) (vault.ObjectReader, error) { panic("contract") }
func (s *Store) Delete(context.Context, string) error                            { panic("contract") }
func (s *Store) List(context.Context, string, int) ([]vault.StoredObject, error) { panic("contract") }
func (s *Store) AbortStale(context.Context, time.Time) (int, error)              { panic("contract") }
func (s *Store) Ready(context.Context) error                                     { panic("contract") }
