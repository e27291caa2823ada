package objects

import (
	"errors"
	"testing"

	"github.com/minio/minio-go/v7"

	"trien/ledger"
	"trien/ledger/tiles"
	"trien/ledger/tiles/tilestest"
)

func TestPublic(t *testing.T) {
	tilestest.Resources(t, func(t *testing.T) tiles.Resources {
		p, err := OpenPublic(t.Context(), testConfig(t), "/public/ledger/records/")
		if err != nil {
			t.Fatal(err)
		}
		return p
	})
}

// Two logs in one bucket do not see each other, and what documents are put as does not touch them.
func TestPublicPrefixes(t *testing.T) {
	s := testStore(t)
	records, access := s.Public("public/ledger/records"), s.Public("public/ledger/access")
	if err := records.Create(t.Context(), "tile/0/000.p/1", []byte("of records")); err != nil {
		t.Fatal(err)
	}
	if _, err := access.Read(t.Context(), "tile/0/000.p/1"); !errors.Is(err, tiles.ErrMissing) {
		t.Errorf("the other log: %v", err)
	}
	if err := access.Create(t.Context(), "tile/0/000.p/1", []byte("of access")); err != nil {
		t.Errorf("the other log: %v", err)
	}
	info, err := s.core.StatObject(t.Context(), s.bucket, "public/ledger/records/tile/0/000.p/1", minio.StatObjectOptions{})
	if err != nil || info.Metadata.Get("Cache-Control") != cacheForever {
		t.Errorf("%v, %v", info.Metadata, err)
	}
	if err := records.Create(t.Context(), "tile/0/000.p/1", []byte("of access")); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("Create of other bytes: %v", err)
	}
}
