package pdf

type entryKind uint8

const (
	entryFree entryKind = iota
	entryOffset
	entryCompressed
)

// entry of a cross-reference section. off is an offset, or for a compressed object its stream's number and its index.
type entry struct {
	off  int64
	num  uint32
	gen  uint16
	kind entryKind
}

// Bits of what is packed into a word: an offset, or the numbers of a stream and of an index; a generation; a kind.
const (
	numberBits = 23 // maxObjectNumber
	genBits    = 16
	kindBits   = 2
	maxOffset  = 1<<(64-genBits-kindBits) - 1 // 64 TiB: behind the end of any file
)

func compressedEntry(num uint32, stream, index int64) entry {
	return entry{off: stream<<numberBits | index, num: num, kind: entryCompressed}
}

func (e entry) container() (stream, index int) {
	return int(e.off >> numberBits), int(e.off & (1<<numberBits - 1))
}

const (
	chunkLength = 1024
	firstLength = 32 // room in the first chunk at first: most documents do not fill it
)

// entryList holds entries and copies no more than a chunk of them to grow, because a document may have two million: 8 bytes each where their numbers
// follow each other, as they mostly do, else 12.
type entryList struct {
	chunks []entryChunk
	length int
}

type entryChunk struct {
	packed  []uint64
	first   uint32   // number of the first
	numbers []uint32 // nil as long as the numbers follow the first
}

func (l *entryList) len() int { return l.length }

// at returns entry i, which must be below len.
func (l *entryList) at(i int) entry {
	p := l.chunks[i/chunkLength].packed[i%chunkLength]
	return entry{off: int64(p >> (genBits + kindBits)), gen: uint16(p >> kindBits), kind: entryKind(p & (1<<kindBits - 1)), num: l.number(i)}
}

// number is at(i).num.
func (l *entryList) number(i int) uint32 {
	c, k := &l.chunks[i/chunkLength], i%chunkLength
	if c.numbers != nil {
		return c.numbers[k]
	}
	return c.first + uint32(k)
}

// append adds e. Offsets above maxOffset become that: both lie behind the end of the file.
func (l *entryList) append(e entry) {
	k := l.length % chunkLength
	if k == 0 {
		room := chunkLength
		if l.length == 0 {
			room = firstLength
		}
		l.chunks = append(l.chunks, entryChunk{packed: make([]uint64, 0, room), first: e.num})
	}
	c := &l.chunks[len(l.chunks)-1]
	if c.numbers == nil && e.num != c.first+uint32(k) {
		c.numbers = make([]uint32, k, cap(c.packed))
		for i := range c.numbers {
			c.numbers[i] = c.first + uint32(i)
		}
	}
	if c.numbers != nil {
		c.numbers = appendWithin(c.numbers, e.num)
	}
	c.packed = appendWithin(c.packed, uint64(min(e.off, maxOffset))<<(genBits+kindBits)|uint64(e.gen)<<kindBits|uint64(e.kind))
	l.length++
}

// appendWithin appends to the part of a chunk, which has room for chunkLength at most.
func appendWithin[T any](s []T, v T) []T {
	if len(s) == cap(s) {
		s = append(make([]T, 0, min(4*cap(s), chunkLength)), s...)
	}
	return append(s, v)
}

// numberMap maps object numbers to small numbers, cheaply where both rise together or are dense, and without harm where a file names only a
// high one. Zero is what was not set.
type numberMap struct{ chunks []numberChunk }

// numberChunk: the values of the places [from, to) are the places and delta, as long as there are no others; then all stand in values.
type numberChunk struct {
	from, to uint16
	delta    int32
	values   []int32 // no longer than it must be; zero behind its end
}

func (c *numberChunk) get(k int) int32 {
	switch {
	case k < len(c.values):
		return c.values[k]
	case c.values != nil:
		return 0
	case int(c.from) <= k && k < int(c.to):
		return int32(k) + c.delta
	}
	return 0
}

func (m *numberMap) get(num int) int32 {
	if c := num / chunkLength; num >= 0 && c < len(m.chunks) {
		return m.chunks[c].get(num % chunkLength)
	}
	return 0
}

// set expects 0 <= num <= maxObjectNumber.
func (m *numberMap) set(num int, v int32) {
	n, k := num/chunkLength, num%chunkLength
	for n >= len(m.chunks) {
		m.chunks = append(m.chunks, numberChunk{})
	}
	c := &m.chunks[n]
	if c.values == nil {
		delta := v - int32(k)
		switch {
		case c.from == c.to:
			c.from, c.to, c.delta = uint16(k), uint16(k)+1, delta
			return
		case k == int(c.to) && delta == c.delta:
			c.to++
			return
		}
		values := make([]int32, c.to)
		for i := range values {
			values[i] = c.get(i)
		}
		c.values = values
	}
	if missing := k + 1 - len(c.values); missing > 0 {
		c.values = append(c.values, make([]int32, missing)...)
	}
	c.values[k] = v
}
