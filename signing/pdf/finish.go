package pdf

import (
	"errors"
	"fmt"
)

// Close writes page tree, names, outline, metadata and cross-reference, and flushes; the underlying writer stays open.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	if len(w.pages) == 0 {
		return w.fail(errors.New("pdf: a document needs a page"))
	}
	catalog := Dict{
		"Type": Name("Catalog"), "Pages": w.tree, "ViewerPreferences": Dict{"DisplayDocTitle": Bool(true)},
	}
	if w.meta.Language != "" {
		catalog["Lang"] = Text(w.meta.Language)
	}
	for _, part := range []func(Dict) error{w.pageTree, w.outline, w.embeddedFiles, w.optionalContent, w.outputIntent, w.metadata} {
		if err := part(catalog); err != nil {
			return err
		}
	}
	if err := w.set(w.catalog, catalog); err != nil {
		return err
	}
	info, err := w.add(w.info())
	if err != nil {
		return err
	}
	if err := w.crossReference(info); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return w.fail(fmt.Errorf("writing PDF: %w", err))
	}
	w.err = errClosed
	return nil
}

func (w *Writer) pageTree(Dict) error {
	var kids Array
	for i, node := range w.nodes {
		first := i * pagesPerNode
		leaves := w.pages[min(first, len(w.pages)):min(first+pagesPerNode, len(w.pages))]
		if len(leaves) == 0 {
			continue
		}
		kids = append(kids, node)
		err := w.set(node, Dict{"Type": Name("Pages"), "Parent": w.tree, "Kids": refs(leaves), "Count": Integer(len(leaves))})
		if err != nil {
			return err
		}
	}
	return w.set(w.tree, Dict{"Type": Name("Pages"), "Kids": kids, "Count": Integer(len(w.pages))})
}

func refs(list []Ref) Array {
	a := make(Array, len(list))
	for i, r := range list {
		a[i] = r
	}
	return a
}

// outline writes the bookmarks as one level (12.3.3). Those to pages that were not written are an error of the caller.
func (w *Writer) outline(catalog Dict) error {
	if len(w.bookmarks) == 0 {
		return nil
	}
	root := w.reserve()
	items := make([]Ref, len(w.bookmarks))
	for i := range items {
		items[i] = w.reserve()
	}
	for i, b := range w.bookmarks {
		if b.page < 0 || b.page >= len(w.pages) {
			return w.fail(fmt.Errorf("pdf: bookmark to page %d of %d", b.page, len(w.pages)))
		}
		item := Dict{"Title": Text(b.title), "Parent": root, "Dest": Array{w.pages[b.page], Name("Fit")}}
		if i > 0 {
			item["Prev"] = items[i-1]
		}
		if i+1 < len(items) {
			item["Next"] = items[i+1]
		}
		if err := w.set(items[i], item); err != nil {
			return err
		}
	}
	catalog["Outlines"], catalog["PageMode"] = root, Name("UseOutlines")
	return w.set(root, Dict{
		"Type": Name("Outlines"), "First": items[0], "Last": items[len(items)-1], "Count": Integer(len(items)),
	})
}

// optionalContent joins the layers of the sources, so that what they hide stays hidden.
func (w *Writer) optionalContent(catalog Dict) error {
	if len(w.layers) == 0 {
		return nil
	}
	config := Dict{"Name": Text("Default"), "Order": refs(w.layers)}
	if len(w.layersOff) > 0 {
		config["OFF"] = refs(w.layersOff)
	}
	catalog["OCProperties"] = Dict{"OCGs": refs(w.layers), "D": config}
	return nil
}

// crossReference writes the table; numbers that were reserved but not written are in its list of free objects.
func (w *Writer) crossReference(info Ref) error {
	at := w.written
	if err := w.write(fmt.Appendf(nil, "xref\n0 %d\n", len(w.offsets))); err != nil {
		return err
	}
	next := make([]int, len(w.offsets)) // of the free list
	free := 0
	for i := len(w.offsets) - 1; i >= 0; i-- {
		if w.offsets[i] == 0 {
			next[i] = free
			free = i
		}
	}
	for i, off := range w.offsets {
		line := fmt.Appendf(nil, "%010d %05d n\r\n", off, 0)
		switch {
		case i == 0:
			line = fmt.Appendf(nil, "%010d 65535 f\r\n", next[0])
		case off == 0:
			line = fmt.Appendf(nil, "%010d %05d f\r\n", next[i], 0)
		}
		if err := w.write(line); err != nil {
			return err
		}
	}
	id := String(w.meta.ID[:])
	trailer := Dict{"Size": Integer(len(w.offsets)), "Root": w.catalog, "Info": info, "ID": Array{id, id}}
	b := AppendObject([]byte("trailer\n"), trailer)
	return w.write(fmt.Appendf(b, "\nstartxref\n%d\n%%%%EOF\n", at))
}
