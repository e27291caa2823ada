package signing

import (
	"context"

	"trien/signing/pdf"
)

// hanging collects the numbers of objects that are referred to but not defined, and of those that are used for more than to describe the document.
type hanging struct {
	ctx  context.Context // of the one call it serves
	refs map[int]bool
	seen numbers
	used numbers // referred to by anything but the trailer's /Info and the catalog's /Metadata
}

func newHanging(ctx context.Context) *hanging { return &hanging{ctx: ctx, refs: map[int]bool{}} }

// numbers is a set of object numbers, with one bit for each: documents have millions.
type numbers []uint64

func (n numbers) has(num int) bool {
	return num >= 0 && num/64 < len(n) && n[num/64]&(1<<(num%64)) != 0
}

// add reports whether the number is new.
func (n *numbers) add(num int) bool {
	if num < 0 || n.has(num) {
		return false
	}
	for len(*n) <= num/64 {
		*n = append(*n, 0)
	}
	(*n)[num/64] |= 1 << (num % 64)
	return true
}

// walkTrailer is walk from the trailer of doc.
func (h *hanging) walkTrailer(doc *pdf.Document) error { return h.walk(doc, pdf.Ref{}, doc.Trailer()) }

// walk follows references from o in doc, which is object ref or the trailer, without recursion over references, since lists may be as long as the document.
func (h *hanging) walk(doc *pdf.Document, ref pdf.Ref, o pdf.Object) error {
	var queue []pdf.Ref
	var direct func(o pdf.Object)
	follow := func(o pdf.Ref) {
		if e, ok := doc.Entry(o.Num); !ok || e.Free || e.Ref != o {
			h.refs[o.Num] = true // not marked: a later revision may define it, and then it is looked into
		} else if h.seen.add(o.Num) {
			queue = append(queue, o)
		}
	}
	direct = func(o pdf.Object) {
		switch o := o.(type) {
		case pdf.Ref:
			h.used.add(o.Num)
			follow(o)
		case pdf.Array:
			for _, e := range o {
				direct(e)
			}
		case pdf.Dict:
			for _, e := range o {
				direct(e)
			}
		case *pdf.Stream:
			direct(o.Dict)
		}
	}
	whole := func(ref pdf.Ref, o pdf.Object) {
		describing := pdf.Name("")
		switch ref {
		case pdf.Ref{}:
			describing = "Info"
		case doc.Root():
			describing = "Metadata"
		}
		d, ok := o.(pdf.Dict)
		if !ok || describing == "" {
			direct(o)
			return
		}
		for key, e := range d {
			if r, ok := e.(pdf.Ref); ok && key == describing {
				follow(r)
			} else {
				direct(e)
			}
		}
	}
	whole(ref, o)
	for len(queue) > 0 {
		if err := h.ctx.Err(); err != nil {
			return err
		}
		ref := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		o, err := doc.Object(ref)
		if err != nil {
			return err
		}
		whole(ref, o)
	}
	return nil
}
