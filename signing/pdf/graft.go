package pdf

// graft walks the objects that pages need, each once, and maps their numbers. The importer copies what it meets; [Check] only reads
// it, so that what passed the check can be imported.
type graft struct {
	doc    *Document
	dest   numberMap // number in the destination
	queue  []Ref
	assign func() Ref
}

func newGraft(d *Document, assign func() Ref) *graft {
	return &graft{doc: d, assign: assign}
}

// notCarried are keys of any dictionary that lead away from the looks of a page: back into the structure of the source, to other
// files, or to what only an editing program needs.
var notCarried = map[Name]bool{
	"StructParent": true, "StructParents": true, "PieceInfo": true, "OPI": true, "Metadata": true, "LastModified": true,
	"AF": true,
}

// rewrite returns o with its references mapped. What is referred to is queued.
func (g *graft) rewrite(o Object) Object {
	switch o := o.(type) {
	case Ref:
		return g.ref(o)
	case Array:
		out := make(Array, len(o))
		for i, e := range o {
			out[i] = g.rewrite(e)
		}
		return out
	case Dict:
		return g.dict(o)
	}
	return o
}

func (g *graft) dict(d Dict) Dict {
	out := make(Dict, len(d))
	for _, k := range d.Keys() { // in order, so that the numbers given are the same each time
		if notCarried[k] && !nameTable(d) {
			continue
		}
		if v := g.rewrite(d[k]); v != nil {
			out[k] = v
		}
	}
	return out
}

// nameTable tells a dictionary of resources, whose keys are free names with no name as a value, from one whose keys have a meaning.
func nameTable(d Dict) bool {
	for _, k := range []Name{"Type", "Subtype", "S"} {
		if _, ok := d[k].(Name); ok {
			return false
		}
	}
	return true
}

// mapped returns where r went, if it was met.
func (g *graft) mapped(r Ref) (Ref, bool) {
	n := g.dest.get(r.Num)
	return Ref{Num: int(n)}, n != 0
}

// ref maps a reference; nil if it leads nowhere.
func (g *graft) ref(r Ref) Object {
	if to, ok := g.mapped(r); ok {
		return to
	}
	e, ok := g.doc.xref.find(r.Num)
	if !ok || e.kind == entryFree || int(e.gen) != r.Gen {
		return nil
	}
	to := g.assign()
	g.dest.set(r.Num, int32(to.Num))
	g.queue = append(g.queue, r)
	return to
}

// drain takes the queued objects one by one; they are given with their references mapped, a stream with its dictionary mapped beside.
func (g *graft) drain(take func(to Ref, o Object, s *Stream) error) error {
	for len(g.queue) > 0 {
		r := g.queue[len(g.queue)-1]
		g.queue = g.queue[:len(g.queue)-1]
		o, err := g.doc.Object(r)
		if err != nil {
			return err
		}
		s, _ := o.(*Stream)
		if s != nil {
			o = s.Dict
		}
		if structural(o) {
			o, s = nil, nil
		}
		if err := take(Ref{Num: int(g.dest.get(r.Num))}, g.rewrite(o), s); err != nil {
			return err
		}
	}
	return nil
}

// structural tells whether o belongs to the frame of the source document, into which nothing that a page shows leads.
func structural(o Object) bool {
	d, ok := o.(Dict)
	if !ok {
		return false
	}
	switch d["Type"] {
	case Name("Page"), Name("Pages"), Name("Catalog"), Name("Annot"), Name("StructElem"), Name("StructTreeRoot"):
		return true
	}
	return false
}
