package pdf

import (
	"errors"
	"io"
)

// source reads a file in blocks and keeps the last used ones, because the objects of a file are small, and behind the
// reader may stand a decryption or a network.
type source struct {
	r      io.ReaderAt
	size   int64
	whole  []byte // all of it, if the reader is Resident; then there are no blocks
	blocks *[blockCount]block
	where  map[int64]int // block number to slot
	tick   uint64
}

// Resident is a reader of what is in memory as a whole. What it returns is not written to.
type Resident interface{ Resident() []byte }

type block struct {
	number int64
	used   uint64
	data   []byte
}

func newSource(r io.ReaderAt, size int64) *source {
	s := &source{r: r, size: size}
	if m, ok := r.(Resident); ok && int64(len(m.Resident())) == size {
		s.whole = m.Resident()
		return s
	}
	s.blocks, s.where = new([blockCount]block), map[int64]int{}
	return s
}

// view returns the bytes from off to the end of its block, or of what is in memory: at least one unless off is the end of the file (io.EOF). The slice
// stays valid after its block has left the cache, and must not be written to.
func (s *source) view(off int64) ([]byte, error) {
	if off < 0 || off >= s.size {
		return nil, io.EOF
	}
	if s.whole != nil {
		return s.whole[off:], nil
	}
	number := off / blockBytes
	s.tick++
	slot, ok := s.where[number]
	if !ok {
		var err error
		if slot, err = s.load(number); err != nil {
			return nil, err
		}
	}
	b := &s.blocks[slot]
	b.used = s.tick
	return b.data[off-number*blockBytes:], nil
}

func (s *source) load(number int64) (slot int, err error) {
	data := make([]byte, min(blockBytes, s.size-number*blockBytes))
	if err := readFull(s.r, data, number*blockBytes); err != nil {
		return 0, err
	}
	for i := range s.blocks {
		if s.blocks[i].used < s.blocks[slot].used {
			slot = i
		}
	}
	if s.blocks[slot].data != nil {
		delete(s.where, s.blocks[slot].number)
	}
	s.blocks[slot] = block{number: number, data: data}
	s.where[number] = slot
	return slot, nil
}

// last returns the last bytes of the file, at most n.
func (s *source) last(n int64) ([]byte, error) {
	n = min(n, s.size)
	if s.whole != nil {
		return s.whole[s.size-n:], nil
	}
	b := make([]byte, n)
	return b, readFull(s.r, b, s.size-n)
}

// readFull fills p from off. A file shorter than said is an error of the reader, not of the file's content.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
