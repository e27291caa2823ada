package pdf

// AppendPage adds an empty page after the last one, as large as that one is shown, and returns it. It may be called once, before
// anything else sets the root of the page tree.
//
// The page becomes a child of the root, whatever the tree looks like, and the root's /Count becomes the true one. A tree in which another
// /Count is wrong is ErrUnsupported: readers that find pages by it and readers that do not would number the new page differently.
func (u *Update) AppendPage() (Page, error) {
	root, err := u.doc.pageTree()
	if err != nil {
		return Page{}, err
	}
	last, pages, err := u.doc.countedPages(root)
	if err != nil {
		return Page{}, err
	}
	if _, twice := u.set[root]; twice {
		return Page{}, unsupportedf("page tree that is being changed")
	}
	node, err := Get[Dict](u.doc, root)
	if err != nil {
		return Page{}, err
	}
	kids, err := Get[Array](u.doc, node["Kids"])
	if err != nil {
		return Page{}, err
	}
	width, height := last.CropBox[2]-last.CropBox[0], last.CropBox[3]-last.CropBox[1]
	if last.Rotate%180 != 0 {
		width, height = height, width
	}
	p := Page{Resources: Dict{}, MediaBox: [4]float64{0, 0, width, height}, CropBox: [4]float64{0, 0, width, height}}
	box := rectangle(p.MediaBox)
	p.Dict = Dict{ // nothing is left to be inherited
		"Type": Name("Page"), "Parent": root, "MediaBox": box, "CropBox": box, "Rotate": Integer(0), "Resources": Dict{},
	}
	if unit, ok := last.Dict["UserUnit"]; ok {
		p.Dict["UserUnit"] = unit
	}
	p.Ref = u.Add(p.Dict)
	kids = append(kids.Clone(), p.Ref)
	node = node.Clone()
	node["Count"] = Integer(pages + 1)
	if ref, ok := node["Kids"].(Ref); ok {
		u.Set(ref, kids)
	} else {
		node["Kids"] = kids
	}
	u.Set(root, node)
	return p, nil
}

// countedPages walks the whole tree and returns the last page and how many there are. Only the root's /Count may be wrong.
func (d *Document) countedPages(root Ref) (last Page, pages int, err error) {
	w := pageWalk{doc: d, yield: func(p Page, _ error) bool {
		last = p
		return true
	}}
	w.leave = func(ref Ref, count Object, pages int) error {
		n, err := Get[Integer](d, count)
		if err == nil && ref != root && int64(n) != int64(pages) {
			err = unsupportedf("new page in a page tree whose node %d says that it has %d pages and has %d", ref.Num, n, pages)
		}
		return err
	}
	if err := w.run(); err != nil {
		return Page{}, 0, err
	}
	switch {
	case w.pages == 0:
		return Page{}, 0, damagedf("the document has no pages")
	case last.Ref == root:
		return Page{}, 0, unsupportedf("new page in a document whose page tree is a page")
	}
	return last, w.pages, nil
}
