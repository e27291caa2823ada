package trillianlog

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"trien/ledger"
)

// Identities are not in the tree: exchanged ones must not exchange receipts.
func TestExchangedIdentities(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 5))
	unguarded(t, database, fmt.Sprintf(`
		UPDATE ledger.entry SET identity = CASE identity WHEN '\x%[1]s' THEN '\x%[2]s' ELSE '\x%[1]s' END::bytea
		WHERE identity IN ('\x%[1]s', '\x%[2]s')`, entry(1).Identity, ledger.SumHash(nil)))
	if _, err := l.Receipt(t.Context(), entry(1)); !errors.Is(err, ledger.ErrNotLogged) {
		t.Errorf("moved away: %v", err)
	}
	unguarded(t, database, fmt.Sprintf(`UPDATE ledger.entry SET identity = '\x%s' WHERE identity = '\x%s'`, entry(1).Identity, ledger.SumHash(nil)))
	for name, change := range map[string]string{
		"another index": `UPDATE ledger.entry SET leaf_index = leaf_index + 100`,
		"another hash":  `UPDATE ledger.entry SET leaf_hash = sha256(leaf_hash)`,
	} {
		unguarded(t, database, change)
		if _, err := l.Receipt(t.Context(), entry(1)); !errors.Is(err, ledger.ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChangedTiles(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 600))
	// Trillian orders what is queued together by identity.
	at := map[uint64]ledger.Entry{}
	for _, e := range entries(0, 600) {
		at[awaitOne(t, l.Log, e).Index] = e
	}
	l.stop(t)
	const flip = `UPDATE ledger.tile SET data = set_byte(data, 40, get_byte(data, 40) # 1) WHERE level = 0 AND tile_index = 0 AND width = 256`
	unguarded(t, database, flip)
	cold := openLog(t, testConfig(database)) // the right edge is whole
	if _, err := cold.Receipt(t.Context(), at[0]); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("changed tile: %v", err)
	}
	if _, err := cold.Consistency(t.Context(), 3, 600); !errors.Is(err, ledger.ErrTampered) && !errors.Is(err, ledger.ErrForked) {
		t.Errorf("changed tile: %v", err)
	}
	unguarded(t, database, flip) // repaired: no need to restart
	if _, err := cold.Receipt(t.Context(), at[0]); err != nil {
		t.Errorf("repaired tile: %v", err)
	}
	unguarded(t, database, `DELETE FROM ledger.tile WHERE level = 0 AND tile_index = 1`)
	if _, err := openLog(t, testConfig(database)).Receipt(t.Context(), at[300]); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("a lost tile: %v", err)
	}
	unguarded(t, database, `UPDATE ledger.tile SET data = set_byte(data, 40, get_byte(data, 40) # 1) WHERE level = -1 AND tile_index = 2`)
	openFails(t, database, ledger.ErrTampered)
	unguarded(t, database, `UPDATE ledger.tile SET data = set_byte(data, 40, get_byte(data, 40) # 1) WHERE level = -1 AND tile_index = 2`)
	openLog(t, testConfig(database))
	unguarded(t, database, `DELETE FROM ledger.tile WHERE level = 0 AND tile_index = 2`)
	openFails(t, database, ledger.ErrTampered)
}

func TestChangedHead(t *testing.T) {
	for name, change := range map[string]string{
		"smaller size":      `UPDATE ledger.head SET size = 2`,
		"another root":      `UPDATE ledger.head SET root = sha256('x')`,
		"changed signature": `UPDATE ledger.head SET checkpoint = set_byte(checkpoint, 120, get_byte(checkpoint, 120) # 1)`,
	} {
		t.Run(name, func(t *testing.T) {
			database := newDatabase(t)
			l := startLog(t, testConfig(database))
			appendAll(t, l.Log, entries(0, 3))
			l.stop(t)
			unguarded(t, database, change)
			l2, err := Open(t.Context(), testConfig(database))
			if err == nil {
				_ = l2.Close()
			}
			if !fatal(err) {
				t.Errorf("Open: %v", err)
			}
		})
	}
}

func TestConsistencyBetweenAllSizes(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	var heads []ledger.Checkpoint
	for n := range 12 {
		appendAll(t, l.Log, entries(30*n, 30*n+30))
		heads = append(heads, headOf(t, l.Log))
	}
	cold := openLog(t, testConfig(database))
	for i, older := range heads {
		for _, newer := range heads[i:] {
			path, err := cold.Consistency(t.Context(), older.Size, newer.Size)
			if err == nil {
				err = ledger.CheckConsistency(older, newer, path)
			}
			if err != nil {
				t.Errorf("%d and %d: %v", older.Size, newer.Size, err)
			}
		}
	}
	// Sizes that were never signed are prefixes too.
	for older := range uint64(360) {
		path, err := cold.Consistency(t.Context(), older, 359)
		if older == 359 && err == nil {
			continue
		}
		if err != nil || (older > 0 && len(path) == 0) {
			t.Fatalf("%d and 359: %v", older, err)
		}
	}
	if _, err := cold.Consistency(t.Context(), 0, 361); !errors.Is(err, ledger.ErrNotLogged) {
		t.Errorf("beyond the head: %v", err)
	}
	if _, err := cold.Consistency(t.Context(), 2, 1); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("backwards: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cold.Consistency(ended, 1, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}
