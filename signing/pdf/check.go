package pdf

import (
	"fmt"
	"io"
)

// Info of a document, for intake checks.
type Info struct {
	Version string // "1.7"
	Pages   int
	Signed  bool   // has signature fields with values
	PDFA    string // "3b" when its XMP claims it, else ""
}

// Check opens the document, walks catalog and page tree to the last page, and reads every object that the pages need, streams without
// their data but to the place where they end. So a truncated or damaged file is refused with its reason, and what passes can be imported.
// Memory is bounded whatever the size; about 20 bytes for each object are kept.
func Check(r io.ReaderAt, size int64) (Info, error) {
	d, err := Open(r, size)
	if err != nil {
		return Info{}, err
	}
	return d.check()
}

func (d *Document) check() (Info, error) {
	catalog, err := d.Catalog()
	if err != nil {
		return Info{}, err
	}
	info := Info{Version: d.Version()}
	if info.Signed, err = d.checkForm(catalog); err != nil {
		return Info{}, err
	}
	if info.Pages, err = d.checkPages(); err != nil {
		return Info{}, err
	}
	if info.Pages == 0 {
		return Info{}, damagedf("the document has no pages")
	}
	info.PDFA, err = d.pdfaClaim()
	return info, err
}

// checkForm refuses XFA forms, whose looks are in a script and not in the pages, and tells whether a signature field has a value.
func (d *Document) checkForm(catalog Dict) (signed bool, err error) {
	form, err := Get[Dict](d, catalog["AcroForm"])
	if err != nil || form == nil {
		return false, err
	}
	if needs, ok := catalog["NeedsRendering"].(Bool); ok && bool(needs) {
		return false, unsupportedf("dynamic XFA form")
	}
	if xfa, err := d.Resolve(form["XFA"]); err != nil || xfa != nil {
		if err == nil {
			err = unsupportedf("XFA form")
		}
		return false, err
	}
	fields, err := Get[Array](d, form["Fields"])
	if err != nil {
		return false, err
	}
	w := fieldWalk{doc: d, seen: map[Ref]bool{}}
	return w.signed(fields, nil, 0)
}

type fieldWalk struct {
	doc  *Document
	seen map[Ref]bool
}

func (w *fieldWalk) signed(fields Array, kind Object, depth int) (bool, error) {
	if depth > maxFieldDepth {
		return false, unsupportedf("form fields nested more than %d levels", maxFieldDepth)
	}
	for _, f := range fields {
		if ref, ok := f.(Ref); ok {
			if w.seen[ref] {
				continue
			}
			w.seen[ref] = true
		}
		field, err := Get[Dict](w.doc, f)
		if err != nil {
			return false, fmt.Errorf("reading form fields: %w", err)
		}
		own := kind
		if t, ok := field["FT"]; ok {
			if own, err = w.doc.Resolve(t); err != nil {
				return false, err
			}
		}
		if own == Name("Sig") {
			if v, err := w.doc.Resolve(field["V"]); err != nil || v != nil {
				return err == nil, err
			}
		}
		kids, err := Get[Array](w.doc, field["Kids"])
		if err != nil {
			return false, err
		}
		if found, err := w.signed(kids, own, depth+1); err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// checkPages reads what the pages need and counts them.
func (d *Document) checkPages() (int, error) {
	n := 0
	g := newGraft(d, func() Ref { return Ref{Num: 1} })
	defaults, err := d.formDefaults()
	if err != nil {
		return 0, err
	}
	g.rewrite(defaults)
	if _, err := d.layers(); err != nil {
		return 0, err
	}
	read := func(Ref, Object, *Stream) error { return nil }
	for p, err := range d.Pages() {
		if err != nil {
			return 0, err
		}
		n++
		parts, err := d.pageParts(p)
		if err == nil {
			for _, o := range parts.objects() {
				g.rewrite(o)
			}
			err = g.drain(read)
		}
		if err != nil {
			return 0, fmt.Errorf("reading page %d: %w", n, err)
		}
	}
	return n, nil
}
