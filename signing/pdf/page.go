package pdf

import (
	"fmt"
	"iter"
	"math"
)

// Page is a leaf of the page tree with its inherited attributes resolved.
type Page struct {
	Ref       Ref
	Dict      Dict
	Resources Object     // as it stands: nil, a Dict or a Ref
	MediaBox  [4]float64 // normalised: x0 < x1, y0 < y1
	CropBox   [4]float64 // within MediaBox; equal to it if absent
	Rotate    int        // 0, 90, 180, 270
}

// letter is what readers take when a page has no /MediaBox.
var letter = [4]float64{0, 0, 612, 792}

// inherited attributes of a node of the page tree (7.7.3.4), as they stand: those of inheritable.
type inherited [4]Object

var inheritable = [4]Name{"Resources", "MediaBox", "CropBox", "Rotate"}

const (
	inResources = iota
	inMedia
	inCrop
	inRotate
)

func (in inherited) below(node Dict) inherited {
	for i, key := range inheritable {
		if v, ok := node[key]; ok {
			in[i] = v
		}
	}
	return in
}

// passedOn is what a node passes on, with the text of its values to compare them by.
type passedOn struct {
	inherited
	text [4]string
}

// below returns p itself if the node says nothing new: many producers repeat the same in every node. cost estimates the memory of what is new.
func (p *passedOn) below(node Dict) (out *passedOn, cost int) {
	out = p
	for i, key := range inheritable {
		v, ok := node[key]
		if !ok {
			continue
		}
		if text := string(AppendObject(nil, v)); text != p.text[i] {
			if out == p {
				clone := *p
				out, cost = &clone, 256
			}
			out.inherited[i], out.text[i] = v, text
			cost += 8 * len(text)
		}
	}
	return out, cost
}

// Pages walks the page tree in order, whatever its depth. After an error the walk ends.
func (d *Document) Pages() iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		w := pageWalk{doc: d, yield: yield}
		if err := w.run(); err != nil {
			yield(Page{}, fmt.Errorf("reading page %d: %w", w.pages+1, err))
		}
	}
}

// pageTree is the reference of the root of the page tree.
func (d *Document) pageTree() (Ref, error) {
	catalog, err := d.Catalog()
	if err != nil {
		return Ref{}, err
	}
	root, ok := catalog["Pages"].(Ref)
	if !ok {
		return Ref{}, damagedf("the catalog names no page tree")
	}
	return root, nil
}

// pageWalk goes through a page tree without recursion: a file can nest as deep as it has objects. A subtree is never passed over by its /Count,
// which nothing forces to be right. It holds a bit for each object, four bytes for each child that waits, and what is
// inherited on the way to the present page.
type pageWalk struct {
	doc   *Document
	seen  numberSet
	pages int
	stack []pageNode
	held  int // memory of inherited attributes on the stack
	yield func(Page, error) bool
	leave func(ref Ref, count Object, pages int) error // after a node, with its /Count and its true one; may be nil
}

// pageNode is a node whose children are being visited.
type pageNode struct {
	ref   Ref
	kids  []uint32 // those that wait, by number
	in    *passedOn
	cost  int // of in, if this node holds it
	count Object
	pages int // when it was entered
}

func (w *pageWalk) run() error {
	root, err := w.doc.pageTree()
	if err != nil {
		return err
	}
	more, err := w.visit(root, &passedOn{})
	for more && err == nil && len(w.stack) > 0 {
		top := &w.stack[len(w.stack)-1]
		if len(top.kids) == 0 {
			err = w.pop()
			continue
		}
		kid, in := top.kids[0], top.in
		if top.kids = top.kids[1:]; len(top.kids) == 0 && w.leave == nil {
			err = w.pop() // before its last child, so that a chain needs no memory
		}
		if err == nil {
			e, _ := w.doc.xref.find(int(kid))
			more, err = w.visit(Ref{Num: int(kid), Gen: int(e.gen)}, in)
		}
	}
	return err
}

func (w *pageWalk) pop() error {
	top := w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
	w.held -= top.cost
	if w.leave == nil {
		return nil
	}
	return w.leave(top.ref, top.count, w.pages-top.pages)
}

// visit yields a page or puts a node on the stack; false if the caller of Pages has had enough.
func (w *pageWalk) visit(ref Ref, in *passedOn) (bool, error) {
	if !w.seen.add(ref.Num) {
		return false, damagedf("object %d stands twice in the page tree", ref.Num)
	}
	node, err := Get[Dict](w.doc, ref)
	if err != nil {
		return false, err
	}
	if node == nil {
		return false, damagedf("page tree node %d is missing", ref.Num)
	}
	kids, isNode := node["Kids"]
	if !isNode || node["Type"] == Name("Page") {
		return w.leaf(ref, node, in.inherited.below(node))
	}
	n := pageNode{ref: ref, count: node["Count"], pages: w.pages}
	if n.kids, err = w.kids(kids); err != nil {
		return false, err
	}
	n.in, n.cost = in.below(node)
	if w.held += n.cost; w.held > maxInherited {
		return false, unsupportedf("page tree that passes on too much")
	}
	w.stack = append(w.stack, n)
	return true, nil
}

// kids checks the children of a node and keeps their numbers.
func (w *pageWalk) kids(o Object) ([]uint32, error) {
	array, err := Get[Array](w.doc, o)
	if err != nil {
		return nil, err
	}
	kids := make([]uint32, len(array))
	for i, k := range array {
		ref, ok := k.(Ref)
		if !ok {
			return nil, damagedf("a child in the page tree is %s, not a reference", kindOf(k))
		}
		if e, ok := w.doc.xref.find(ref.Num); !ok || e.kind == entryFree || int(e.gen) != ref.Gen {
			return nil, damagedf("page tree node %d is missing", ref.Num)
		}
		kids[i] = uint32(ref.Num)
	}
	return kids, nil
}

func (w *pageWalk) leaf(ref Ref, node Dict, in inherited) (bool, error) {
	if t, ok := node["Type"]; ok && t != Name("Page") {
		return false, damagedf("object %d in the page tree is not a page", ref.Num)
	}
	p := Page{Ref: ref, Dict: node, Resources: in[inResources]}
	var err error
	if p.MediaBox, err = w.doc.rect(in[inMedia], letter); err != nil {
		return false, err
	}
	if p.CropBox, err = w.doc.rect(in[inCrop], p.MediaBox); err != nil {
		return false, err
	}
	p.CropBox = intersect(p.CropBox, p.MediaBox)
	turn, err := Get[Real](w.doc, in[inRotate])
	if err != nil {
		return false, err
	}
	if t := math.Mod(math.Round(float64(turn)/90)*90, 360); t != 0 {
		p.Rotate = (int(t) + 360) % 360
	}
	w.pages++
	return w.yield(p, nil), nil
}

// rect reads a rectangle; otherwise if it is absent or empty.
func (d *Document) rect(o Object, otherwise [4]float64) ([4]float64, error) {
	a, err := Get[Array](d, o)
	if err != nil || len(a) < 4 {
		return otherwise, err
	}
	var r [4]float64
	for i := range r {
		n, err := Get[Real](d, a[i])
		if err != nil {
			return otherwise, err
		}
		if math.Abs(float64(n)) > 1e7 {
			return otherwise, damagedf("rectangle out of range")
		}
		r[i] = float64(n)
	}
	r = [4]float64{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}
	if r[0] == r[2] || r[1] == r[3] {
		return otherwise, nil
	}
	return r, nil
}

// intersect returns a within b, or b if they do not meet.
func intersect(a, b [4]float64) [4]float64 {
	r := [4]float64{max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])}
	if r[0] >= r[2] || r[1] >= r[3] {
		return b
	}
	return r
}

// PageCount walks the page tree and counts its leaves; what /Count says is not believed.
func (d *Document) PageCount() (int, error) {
	n := 0
	for _, err := range d.Pages() {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}
