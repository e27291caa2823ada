package pdf

import (
	"math/rand/v2"
	"testing"
)

// TestEntries: lists and maps say what was put into them, whatever the order of the numbers.
func TestEntries(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	orders := map[string]func(i int) int{
		"rising":      func(i int) int { return i + 1 },
		"zero last":   func(i int) int { return (i + 1) % 3000 },
		"falling":     func(i int) int { return 4000 - i },
		"with a gap":  func(i int) int { return i + i/700*5 },
		"any":         func(int) int { return r.IntN(5000) },
		"twice":       func(i int) int { return i / 2 },
		"far":         func(i int) int { return maxObjectNumber - i*3 },
		"every other": func(i int) int { return 2 * i },
	}
	for name, number := range orders {
		var list entryList
		var m numberMap
		var want []entry
		values := map[int]int32{}
		for i := range 3000 {
			e := entry{num: uint32(number(i)), gen: uint16(r.UintN(1 << 16)), kind: entryOffset, off: r.Int64N(maxOffset + 1)}
			switch r.IntN(3) {
			case 0:
				e.kind, e.off = entryFree, 0
			case 1:
				e = compressedEntry(e.num, r.Int64N(maxObjectNumber+1), r.Int64N(maxObjectNumber+1))
			}
			list.append(e)
			want = append(want, e)
			m.set(int(e.num), int32(i+1))
			values[int(e.num)] = int32(i + 1)
		}
		for i, e := range want {
			if list.at(i) != e || list.number(i) != e.num {
				t.Fatalf("%s: entry %d is %+v, want %+v", name, i, list.at(i), e)
			}
		}
		for num := -1; num < 7000; num++ {
			if m.get(num) != values[num] {
				t.Fatalf("%s: %d has %d, want %d", name, num, m.get(num), values[num])
			}
		}
		for num, v := range values {
			if m.get(num) != v {
				t.Fatalf("%s: %d has %d, want %d", name, num, m.get(num), v)
			}
		}
		if list.len() != len(want) {
			t.Errorf("%s: %d entries", name, list.len())
		}
	}
	e := compressedEntry(7, maxObjectNumber, maxObjectNumber)
	if stream, index := e.container(); stream != maxObjectNumber || index != maxObjectNumber {
		t.Errorf("stream %d, index %d", stream, index)
	}
	var list entryList
	list.append(entry{num: 1, kind: entryOffset, off: 1 << 62})
	if got := list.at(0).off; got != maxOffset {
		t.Errorf("an impossible offset became %d", got)
	}
}

// TestManyObjects: the cross-reference of a document with as many objects as are allowed takes 16 MiB, and making it no more than that.
func TestManyObjects(t *testing.T) {
	d := &Document{}
	used := testing.AllocsPerRun(1, func() {
		d.xref = xref{}
		for n := range maxXrefEntries {
			if err := d.addEntry(entry{num: uint32(n), kind: entryOffset, off: int64(n) * 50}, &section{}); err != nil {
				t.Fatal(err)
			}
		}
	})
	if used > 3000 { // one for each chunk of 8 KiB, and some for the lists of chunks
		t.Errorf("%g allocations", used)
	}
	if err := d.addEntry(entry{}, &section{}); err == nil {
		t.Error("one more was taken")
	}
}
