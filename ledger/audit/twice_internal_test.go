package audit

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/uuid"
)

// twiceOf sorts places, limit of them in memory, and returns what stands twice.
func twiceOf(t *testing.T, limit int, list []place) (found [][3]uint64) {
	t.Helper()
	dir := t.TempDir()
	p := places{parent: dir, limit: limit}
	for _, one := range list {
		if err := p.add(one.id(), one.index()); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.twice(func(id uuid.UUID, first, second uint64) {
		found = append(found, [3]uint64{binary.BigEndian.Uint64(id[8:]), first, second})
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return found
}

func placeOf(id, index uint64) (p place) {
	binary.BigEndian.PutUint64(p[8:], id)
	binary.BigEndian.PutUint64(p[16:], index)
	return p
}

// TestPlaces: in memory or in files of one, two or three levels the same is found.
func TestPlaces(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var list []place
	for i := range uint64(5000) {
		list = append(list, placeOf(i, i))
	}
	list = append(list, placeOf(7, 9000), placeOf(7, 9001), placeOf(4999, 3), placeOf(11, 11), placeOf(12, NoIndex), placeOf(12, NoIndex))
	want := [][3]uint64{{7, 7, 9000}, {7, 9000, 9001}, {12, 12, NoIndex}, {12, NoIndex, NoIndex}, {4999, 3, 4999}}
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	for _, limit := range []int{1, 3, 100, 5000, 5006, 1 << 20} {
		if got := twiceOf(t, limit, list); !slices.Equal(got, want) {
			t.Errorf("%d at once: %v, want %v", limit, got, want)
		}
	}
	if got := twiceOf(t, 1, nil); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}

// A file that cannot be written, or is not whole any more, is an error and no all-clear.
func TestPlacesNeedTheirFiles(t *testing.T) {
	p := places{parent: t.TempDir() + "/none", limit: 1}
	if err := p.add(uuid.New(), 1); err != nil {
		t.Fatal(err)
	}
	if err := p.add(uuid.New(), 2); err == nil {
		t.Error("nothing is said where there is no folder")
	}
	p = places{parent: t.TempDir(), limit: 1}
	for i := range uint64(3) {
		if err := p.add(uuid.New(), i); err != nil {
			t.Fatal(err)
		}
	}
	defer func() { _ = p.close() }()
	if err := os.Truncate(p.levels[0][0], 10); err != nil {
		t.Fatal(err)
	}
	if err := p.twice(func(uuid.UUID, uint64, uint64) {}); err == nil {
		t.Error("half a file is read as none")
	}
}
