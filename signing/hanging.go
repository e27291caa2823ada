package signing

import (
	"context"

	"trien/signing/pdf"
)

// hanging collects the numbers of objects that are referred to but not defined.
type hanging struct {
	ctx  context.Context // of the one call it serves
	refs map[int]bool
	seen []uint64 // one bit for each object number: documents have millions
}

func newHanging(ctx context.Context) *hanging { return &hanging{ctx: ctx, refs: map[int]bool{}} }

// mark reports whether the object is met for the first time.
func (h *hanging) mark(num int) bool {
	if num < 0 {
		return false
	}
	word, bit := num/64, uint64(1)<<(num%64)
	for len(h.seen) <= word {
		h.seen = append(h.seen, 0)
	}
	first := h.seen[word]&bit == 0
	h.seen[word] |= bit
	return first
}

// walk follows references from o in doc, without recursion over references, since lists may be as long as the document.
func (h *hanging) walk(doc *pdf.Document, o pdf.Object) error {
	var queue []pdf.Ref
	var direct func(o pdf.Object)
	direct = func(o pdf.Object) {
		switch o := o.(type) {
		case pdf.Ref:
			if e, ok := doc.Entry(o.Num); !ok || e.Free || e.Ref != o {
				h.refs[o.Num] = true // not marked: a later revision may define it, and then it is looked into
			} else if h.mark(o.Num) {
				queue = append(queue, o)
			}
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
	direct(o)
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
		direct(o)
	}
	return nil
}
