package pdf

import (
	"container/list"
	"io"
)

// objectStream is a decoded object stream (7.5.7).
type objectStream struct {
	number  int
	data    []byte
	numbers []int32 // object numbers
	offsets []int32 // of the objects in data
}

// compressed reads object num, the index-th of an object stream.
func (d *Document) compressed(num, stream, index int) (Object, int, error) {
	s, err := d.objectStream(stream)
	if err != nil {
		return nil, 0, err
	}
	if index >= len(s.numbers) || int(s.numbers[index]) != num {
		return nil, 0, damagedf("it is not in object stream %d where the cross-reference says", stream)
	}
	p := newParser(memoryLexer(s.data), nil)
	p.pos = int(s.offsets[index])
	p.start = p.offset()
	p.note = func(code string, _ int64, text string) {
		d.note(code, -1, text+" (object "+itoa(num)+" in object stream "+itoa(stream)+")")
	}
	o, err := p.object(0)
	n := int(p.offset() - p.start)
	if spent := d.spend(int64(n)); spent != nil && err == nil {
		err = spent
	}
	if err != nil {
		return nil, 0, err
	}
	return o, n*2 + p.nodes*32, nil
}

func (d *Document) objectStream(num int) (*objectStream, error) {
	if s := d.streams.get(num); s != nil {
		return s, nil
	}
	e, ok := d.xref.find(num)
	if !ok || e.kind != entryOffset {
		return nil, damagedf("object stream %d is missing", num)
	}
	stream, err := Get[*Stream](d, Ref{Num: num, Gen: int(e.gen)})
	if err != nil {
		return nil, err
	}
	if stream == nil || stream.Dict["Type"] != Name("ObjStm") {
		return nil, damagedf("object %d is not an object stream", num)
	}
	n, err := Get[Integer](d, stream.Dict["N"])
	if err != nil {
		return nil, err
	}
	first, err := Get[Integer](d, stream.Dict["First"])
	if err != nil {
		return nil, err
	}
	r, err := stream.Decoded(maxObjectStream)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if spent := d.spend(int64(len(data))); spent != nil && err == nil {
		err = spent
	}
	if err != nil {
		return nil, err
	}
	s, err := newObjectStream(num, data, int64(n), int64(first))
	if err != nil {
		return nil, err
	}
	d.streams.put(s)
	return s, nil
}

// newObjectStream reads the pairs of number and offset at the head of data.
func newObjectStream(num int, data []byte, n, first int64) (*objectStream, error) {
	size := int64(len(data))
	if first < 0 || first > size || n < 0 || n > first/2+1 {
		return nil, damagedf("object stream %d has a wrong head", num)
	}
	s := &objectStream{number: num, data: data, numbers: make([]int32, n), offsets: make([]int32, n)}
	l := memoryLexer(data[:first])
	for i := range s.numbers {
		k, ok1 := l.unsigned()
		off, ok2 := l.unsigned()
		if !ok1 || !ok2 || k > maxObjectNumber || off > size-first {
			return nil, damagedf("object stream %d has a wrong head", num)
		}
		s.numbers[i], s.offsets[i] = int32(k), int32(first+off)
	}
	return s, nil
}

// streamCache keeps the last used object streams.
type streamCache struct {
	kept  []*objectStream // the last used at the end
	bytes int
}

func (c *streamCache) get(num int) *objectStream {
	for i, s := range c.kept {
		if s.number == num {
			c.kept = append(append(c.kept[:i], c.kept[i+1:]...), s)
			return s
		}
	}
	return nil
}

func (c *streamCache) put(s *objectStream) {
	c.kept = append(c.kept, s)
	c.bytes += s.cost()
	for len(c.kept) > 1 && (c.bytes > streamCacheBytes || len(c.kept) > 64) {
		c.bytes -= c.kept[0].cost()
		c.kept = append(c.kept[:0], c.kept[1:]...)
	}
}

func (s *objectStream) cost() int { return cap(s.data) + 8*len(s.numbers) }

// objectCache keeps the last used objects within an estimate of their memory.
type objectCache struct {
	where map[int]*list.Element
	order list.List // the last used at the front
	bytes int
}

type cached struct {
	num  int
	o    Object
	cost int
}

func (c *objectCache) get(num int) (Object, bool) {
	e, ok := c.where[num]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).o, true //nolint:errcheck // only *cached is put
}

func (c *objectCache) put(num int, o Object, cost int) {
	cost += 200
	if cost > objectCacheBytes/4 {
		return
	}
	if c.where == nil {
		c.where = map[int]*list.Element{}
	}
	if _, ok := c.where[num]; ok {
		return
	}
	c.where[num] = c.order.PushFront(&cached{num: num, o: o, cost: cost})
	for c.bytes += cost; c.bytes > objectCacheBytes; {
		last := c.order.Back()
		old := c.order.Remove(last).(*cached) //nolint:errcheck // only *cached is put
		delete(c.where, old.num)
		c.bytes -= old.cost
	}
}
