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

// inherited attributes of a node of the page tree (7.7.3.4), as they stand.
type inherited struct{ resources, media, crop, rotate Object }

func (in inherited) below(node Dict) inherited {
	take := func(dst *Object, key Name) {
		if v, ok := node[key]; ok {
			*dst = v
		}
	}
	take(&in.resources, "Resources")
	take(&in.media, "MediaBox")
	take(&in.crop, "CropBox")
	take(&in.rotate, "Rotate")
	return in
}

// Pages walks the page tree in order. After an error the walk ends.
func (d *Document) Pages() iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		catalog, err := d.Catalog()
		if err != nil {
			yield(Page{}, err)
			return
		}
		root, ok := catalog["Pages"].(Ref)
		if !ok {
			yield(Page{}, damagedf("the catalog names no page tree"))
			return
		}
		w := pageWalk{doc: d, seen: map[int]bool{}, yield: yield}
		if _, err := w.node(root, inherited{}, 0); err != nil {
			yield(Page{}, fmt.Errorf("reading page %d: %w", w.pages+1, err))
		}
	}
}

type pageWalk struct {
	doc   *Document
	seen  map[int]bool
	pages int
	yield func(Page, error) bool
}

// node walks ref; false if the caller of Pages has had enough.
func (w *pageWalk) node(ref Ref, in inherited, depth int) (bool, error) {
	if depth > maxPageDepth {
		return false, unsupportedf("page tree deeper than %d levels", maxPageDepth)
	}
	if w.seen[ref.Num] {
		return false, damagedf("object %d stands twice in the page tree", ref.Num)
	}
	w.seen[ref.Num] = true
	node, err := Get[Dict](w.doc, ref)
	if err != nil {
		return false, err
	}
	if node == nil {
		return false, damagedf("page tree node %d is missing", ref.Num)
	}
	in = in.below(node)
	kids, isNode := node["Kids"]
	if !isNode || node["Type"] == Name("Page") {
		return w.leaf(ref, node, in)
	}
	array, err := Get[Array](w.doc, kids)
	if err != nil {
		return false, err
	}
	for _, k := range array {
		kid, ok := k.(Ref)
		if !ok {
			return false, damagedf("a child in the page tree is %s, not a reference", kindOf(k))
		}
		if more, err := w.node(kid, in, depth+1); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

func (w *pageWalk) leaf(ref Ref, node Dict, in inherited) (bool, error) {
	if t, ok := node["Type"]; ok && t != Name("Page") {
		return false, damagedf("object %d in the page tree is not a page", ref.Num)
	}
	p := Page{Ref: ref, Dict: node, Resources: in.resources}
	var err error
	if p.MediaBox, err = w.doc.rect(in.media, letter); err != nil {
		return false, err
	}
	if p.CropBox, err = w.doc.rect(in.crop, p.MediaBox); err != nil {
		return false, err
	}
	p.CropBox = intersect(p.CropBox, p.MediaBox)
	turn, err := Get[Real](w.doc, in.rotate)
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
