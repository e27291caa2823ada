package pdf

// nameTree walks a name tree (7.9.6) in its order. The limits of its nodes are not looked at.
func (d *Document) nameTree(root Object, visit func(key String, value Object) error) error {
	w := nameWalk{doc: d, seen: map[Ref]bool{}, visit: visit}
	return w.node(root, 0)
}

type nameWalk struct {
	doc   *Document
	seen  map[Ref]bool
	visit func(key String, value Object) error
}

func (w *nameWalk) node(o Object, depth int) error {
	if depth > maxNameTreeDepth {
		return unsupportedf("name tree deeper than %d levels", maxNameTreeDepth)
	}
	if ref, ok := o.(Ref); ok {
		if w.seen[ref] {
			return damagedf("object %d stands twice in a name tree", ref.Num)
		}
		w.seen[ref] = true
	}
	node, err := Get[Dict](w.doc, o)
	if err != nil {
		return err
	}
	names, err := Get[Array](w.doc, node["Names"])
	if err != nil {
		return err
	}
	if len(names)%2 != 0 {
		return damagedf("name tree with a name without a value")
	}
	for i := 0; i < len(names); i += 2 {
		key, err := Get[String](w.doc, names[i])
		if err != nil {
			return err
		}
		if err := w.visit(key, names[i+1]); err != nil {
			return err
		}
	}
	kids, err := Get[Array](w.doc, node["Kids"])
	if err != nil {
		return err
	}
	for _, k := range kids {
		if err := w.node(k, depth+1); err != nil {
			return err
		}
	}
	return nil
}
