package audit

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// NoIndex stands for the place of a version that has none.
const NoIndex = math.MaxUint64

const (
	sortedAtOnce = 1 << 18 // places in memory, of 24 bytes; more are sorted in files
	mergedAtOnce = 32      // files that become one
	mergeBuffer  = 64 << 10
)

// place is an id and the index at which it stands, big-endian: places sort by id and then by index.
type place [16 + 8]byte

func (p place) id() uuid.UUID { return uuid.UUID(p[:16]) }

func (p place) index() uint64 { return binary.BigEndian.Uint64(p[16:]) }

// places finds ids that stand at more than one index, in memory that does not grow with their number: beyond limit of them they are sorted in
// files, which take 24 bytes for each, and twice that while they are merged. A crash leaves them in the folder for temporary files.
type places struct {
	parent string // folder for the files; empty: the system's
	limit  int
	held   []place
	dir    string // empty while there are no files
	made   int
	levels [][]string // sorted files; one of a level holds what mergedAtOnce of the level below held
}

func (p *places) add(id uuid.UUID, index uint64) error {
	if len(p.held) == p.limit {
		if err := p.spill(); err != nil {
			return fmt.Errorf("sorting the versions: %w", err)
		}
	}
	var one place
	copy(one[:], id[:])
	binary.BigEndian.PutUint64(one[16:], index)
	p.held = append(p.held, one)
	return nil
}

// twice reports each two places that follow each other and are one id's. A place that stands there twice is none of these: whoever compares leaves
// has told of that.
func (p *places) twice(report func(id uuid.UUID, first, second uint64)) error {
	p.sort()
	held := p.held
	sources := []*source{{read: func() (one place, err error) {
		if len(held) == 0 {
			return one, io.EOF
		}
		one, held = held[0], held[1:]
		return one, nil
	}}}
	var last place
	begun := false
	err := merge(slices.Concat(p.levels...), sources, func(one place) error {
		if begun && one.id() == last.id() && (one != last || one.index() == NoIndex) {
			report(one.id(), last.index(), one.index())
		}
		last, begun = one, true
		return nil
	})
	if err != nil {
		return fmt.Errorf("sorting the versions: %w", err)
	}
	return nil
}

func (p *places) close() error {
	if p.dir == "" {
		return nil
	}
	return os.RemoveAll(p.dir)
}

func (p *places) sort() {
	slices.SortFunc(p.held, func(a, b place) int { return bytes.Compare(a[:], b[:]) })
}

// spill moves what is held to a file.
func (p *places) spill() (err error) {
	if p.dir == "" {
		if p.dir, err = os.MkdirTemp(p.parent, ".trien-reconcile-*"); err != nil { // mode 0700
			return err
		}
	}
	p.sort()
	err = p.keep(0, func(put func(place) error) error {
		for _, one := range p.held {
			if err := put(one); err != nil {
				return err
			}
		}
		return nil
	})
	p.held = p.held[:0]
	return err
}

// keep adds a file to a level, and makes one of the next level of those of a full one.
func (p *places) keep(level int, write func(put func(place) error) error) error {
	p.made++
	f, err := os.OpenFile(filepath.Join(p.dir, strconv.Itoa(p.made)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, mergeBuffer)
	err = write(func(one place) error {
		_, err := w.Write(one[:])
		return err
	})
	if err := errors.Join(err, w.Flush(), f.Close()); err != nil {
		return err
	}
	if level == len(p.levels) {
		p.levels = append(p.levels, nil)
	}
	p.levels[level] = append(p.levels[level], f.Name())
	full := p.levels[level]
	if len(full) < mergedAtOnce {
		return nil
	}
	p.levels[level] = nil
	if err := p.keep(level+1, func(put func(place) error) error { return merge(full, nil, put) }); err != nil {
		return err
	}
	for _, name := range full {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// source is a sorted list while it is read: its next place, and what reads the one after that.
type source struct {
	next place
	read func() (place, error) // ends with io.EOF
}

// sources is a heap, the least place first.
type sources []*source

func (s sources) Len() int           { return len(s) }
func (s sources) Less(i, j int) bool { return bytes.Compare(s[i].next[:], s[j].next[:]) < 0 }
func (s sources) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *sources) Push(x any)        { *s = append(*s, x.(*source)) } //nolint:errcheck,forcetypeassert // of this file
func (s *sources) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

// merge gives the places of sorted files, and of other sorted lists, in order.
func merge(files []string, lists sources, yield func(place) error) error {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		r := bufio.NewReaderSize(f, mergeBuffer)
		lists = append(lists, &source{read: func() (one place, err error) {
			_, err = io.ReadFull(r, one[:])
			return one, err
		}})
	}
	var waiting sources
	advance := func(s *source) error {
		var err error
		if s.next, err = s.read(); err == nil {
			heap.Push(&waiting, s)
			return nil
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	for _, s := range lists {
		if err := advance(s); err != nil {
			return err
		}
	}
	for len(waiting) > 0 {
		s := heap.Pop(&waiting).(*source) //nolint:errcheck,forcetypeassert // of this file
		if err := yield(s.next); err != nil {
			return err
		}
		if err := advance(s); err != nil {
			return err
		}
	}
	return nil
}
