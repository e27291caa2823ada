package trillianlog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"trien/ledger/tiles"
)

// tileStore keeps the tiles of one log in table ledger.tile.
type tileStore struct {
	pool *pgxpool.Pool
	log  int32
}

var _ tiles.Store = (*tileStore)(nil)

// Get implements [tiles.Store] in one query.
func (s *tileStore) Get(ctx context.Context, want []tiles.Tile) ([][]byte, error) {
	c := columnsOf(want)
	rows, err := s.pool.Query(ctx, `
		SELECT want.n - 1, tile.data
		FROM unnest(@levels::smallint[], @indexes::bigint[], @widths::smallint[]) WITH ORDINALITY AS want (level, tile_index, width, n)
		JOIN ledger.tile ON tile.log_id = @log AND tile.level = want.level
			AND tile.tile_index = want.tile_index AND tile.width = want.width`,
		pgx.NamedArgs{"log": s.log, "levels": c.levels, "indexes": c.indexes, "widths": c.widths})
	if err != nil {
		return nil, fmt.Errorf("reading tiles: %w", err)
	}
	data := make([][]byte, len(want))
	var at int
	var blob []byte
	_, err = pgx.ForEachRow(rows, []any{&at, &blob}, func() error {
		data[at], blob = blob, nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading tiles: %w", err)
	}
	for i, t := range want {
		if data[i] == nil {
			return nil, fmt.Errorf("%w: %s", tiles.ErrMissing, t.Path())
		}
	}
	return data, nil
}

// Put implements [tiles.Store].
func (s *tileStore) Put(ctx context.Context, blobs []tiles.Blob) error {
	list, data := split(blobs)
	c := columnsOf(list)
	_, err := s.pool.Exec(ctx, `
		INSERT INTO ledger.tile (log_id, level, tile_index, width, data)
		SELECT @log, level, tile_index, width, data
		FROM unnest(@levels::smallint[], @indexes::bigint[], @widths::smallint[], @data::bytea[]) AS new (level, tile_index, width, data)
		ON CONFLICT DO NOTHING`,
		pgx.NamedArgs{"log": s.log, "levels": c.levels, "indexes": c.indexes, "widths": c.widths, "data": data})
	if err != nil {
		return fmt.Errorf("storing tiles: %w", err)
	}
	return nil
}

// queuePut adds the storing of new tiles to a batch, and the removal of the partial tiles that full ones replace. There
// is nothing at the places of new tiles unless somebody else has written there: then the batch fails.
func (s *tileStore) queuePut(b *pgx.Batch, blobs []tiles.Blob) {
	list, data := split(blobs)
	c := columnsOf(list)
	b.Queue(`
		INSERT INTO ledger.tile (log_id, level, tile_index, width, data)
		SELECT @log, level, tile_index, width, data
		FROM unnest(@levels::smallint[], @indexes::bigint[], @widths::smallint[], @data::bytea[]) AS new (level, tile_index, width, data)`,
		pgx.NamedArgs{"log": s.log, "levels": c.levels, "indexes": c.indexes, "widths": c.widths, "data": data})
	var full []tiles.Tile
	for _, t := range list {
		if !t.Partial() {
			full = append(full, t)
		}
	}
	if len(full) == 0 {
		return
	}
	c = columnsOf(full)
	b.Queue(`
		DELETE FROM ledger.tile
		USING unnest(@levels::smallint[], @indexes::bigint[]) AS done (level, tile_index)
		WHERE tile.log_id = @log AND tile.level = done.level AND tile.tile_index = done.tile_index AND tile.width < 256`,
		pgx.NamedArgs{"log": s.log, "levels": c.levels, "indexes": c.indexes})
}

type columns struct {
	levels, widths []int16
	indexes        []int64
}

func columnsOf(list []tiles.Tile) columns {
	var c columns
	for _, t := range list {

		c.levels, c.widths, c.indexes = append(c.levels, int16(t.Level)), append(c.widths, int16(t.Width)), append(c.indexes, int64(t.Index))
	}
	return c
}

func split(blobs []tiles.Blob) (list []tiles.Tile, data [][]byte) {
	for _, b := range blobs {
		list, data = append(list, b.Tile), append(data, b.Data)
	}
	return list, data
}
