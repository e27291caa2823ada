package pdf

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// ImportPages copies all pages of src (inherited attributes resolved, objects renumbered, streams copied raw) and returns how many.
// Of annotations links to the web survive, and the appearances of form fields, signatures, stamps and mark-up, drawn into the page where they are
// visible; no scripts, no other actions. Layers that src hides stay hidden.
//
// src is checked as by [Check] before anything is written: if the error wraps one of this package's kinds, the Writer is as it was. The document keeps its
// claim of PDF/A-3b only if src claims PDF/A-1 to 3.
func (w *Writer) ImportPages(src io.ReaderAt, size int64) (pages int, err error) {
	return w.importPages(src, size, false)
}

// ImportOwnPages is ImportPages for a document made by this program with all that PDF/A-3b asks of pages (fonts embedded, colours gray or RGB),
// though it may not say so: it does not take away the claim.
func (w *Writer) ImportOwnPages(src io.ReaderAt, size int64) (pages int, err error) {
	return w.importPages(src, size, true)
}

func (w *Writer) importPages(src io.ReaderAt, size int64, own bool) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	d, err := Open(src, size)
	if err != nil {
		return 0, err
	}
	info, err := d.check()
	if err != nil {
		return 0, err
	}
	im, err := newImporter(w, d)
	if err != nil {
		return 0, err
	}
	archival, err := d.archival(info)
	if err != nil {
		return 0, err
	}
	n := 0
	for p, err := range d.Pages() {
		if err == nil {
			err = im.page(p)
		}
		if err != nil {
			return n, w.fail(fmt.Errorf("importing page %d: %w", n+1, err))
		}
		n++
	}
	if err := im.layers(); err != nil {
		return n, w.fail(err)
	}
	w.conformant = w.conformant && (own || archival)
	return n, nil
}

// archival tells whether pages of d may stand in PDF/A-3b beside an sRGB output intent: they claim PDF/A-1 to 3, and their device colours are
// not CMYK.
func (d *Document) archival(info Info) (bool, error) {
	if info.PDFA == "" || strings.HasPrefix(info.PDFA, "4") {
		return false, nil
	}
	catalog, err := d.Catalog()
	if err != nil {
		return false, err
	}
	intents, err := Get[Array](d, catalog["OutputIntents"])
	if err != nil {
		return false, onlyRead(err)
	}
	for _, o := range intents {
		intent, err := Get[Dict](d, o)
		if err != nil {
			return false, onlyRead(err)
		}
		profile, err := Get[*Stream](d, intent["DestOutputProfile"])
		if err != nil {
			return false, onlyRead(err)
		}
		if profile == nil {
			continue
		}
		if n, err := Get[Integer](d, profile.Dict["N"]); err != nil || n == 4 {
			return false, onlyRead(err)
		}
	}
	return true, nil
}

// importer copies the pages of one document.
type importer struct {
	w        *Writer
	doc      *Document
	graft    *graft
	forms    map[int]Ref // appearance streams made Form XObjects, by source number
	defaults Object      // resources of appearances that name none
}

func newImporter(w *Writer, d *Document) (*importer, error) {
	im := &importer{w: w, doc: d, graft: newGraft(d, w.reserve), forms: map[int]Ref{}}
	var err error
	im.defaults, err = d.formDefaults()
	return im, err
}

// page writes a page and what it needs that was not written for an earlier one.
func (im *importer) page(p Page) error {
	parts, err := im.doc.pageParts(p)
	if err != nil {
		return err
	}
	out := Dict{"MediaBox": rectangle(p.MediaBox), "Resources": Dict{}}
	if p.CropBox != p.MediaBox {
		out["CropBox"] = rectangle(p.CropBox)
	}
	if p.Rotate != 0 {
		out["Rotate"] = Integer(p.Rotate)
	}
	drawn := len(parts.marks) > 0
	for _, k := range parts.attributes.Keys() {
		if drawn && (k == "Resources" || k == "Contents") {
			continue
		}
		if v := im.graft.rewrite(parts.attributes[k]); v != nil {
			out[k] = v
		}
	}
	if drawn {
		if err := im.draw(parts, out); err != nil {
			return err
		}
	}
	if err := im.links(parts.links, out); err != nil {
		return err
	}
	if err := im.drain(); err != nil {
		return err
	}
	return im.w.addPage(out)
}

func (im *importer) links(links []link, out Dict) error {
	var annots Array
	for _, l := range links {
		r, err := im.w.add(Dict{
			"Type": Name("Annot"), "Subtype": Name("Link"), "Rect": rectangle(l.rect), "F": Integer(flagPrint),
			"Border": Array{Integer(0), Integer(0), Integer(0)}, "A": Dict{"S": Name("URI"), "URI": l.uri},
		})
		if err != nil {
			return err
		}
		annots = append(annots, r)
	}
	if annots != nil {
		out["Annots"] = annots
	}
	return nil
}

// drain writes the objects that are still to be written.
func (im *importer) drain() error {
	return im.graft.drain(func(to Ref, o Object, s *Stream) error {
		if s == nil {
			return im.w.set(to, o)
		}
		dict, _ := o.(Dict)
		return im.w.copyStream(to, dict, s.Raw(), s.length)
	})
}

func rectangle(r [4]float64) Array {
	return Array{Real(r[0]), Real(r[1]), Real(r[2]), Real(r[3])}
}

// draw puts the marks on top of the page's own content, which is wrapped so that no state it leaves reaches them.
func (im *importer) draw(parts pageParts, out Dict) error {
	newResources := im.graft.dict(parts.resources)
	newObjects := im.graft.dict(parts.xobjects)
	opened, below, err := im.doc.balance(parts.contents)
	if err != nil {
		return err
	}
	content := bytes.Repeat([]byte("Q\n"), 1+opened)
	for i, m := range parts.marks {
		name := Name("Mark" + itoa(i))
		for newObjects[name] != nil {
			name += "x"
		}
		form, err := im.form(m)
		if err != nil {
			return err
		}
		newObjects[name] = form
		content = append(content, "q\n"...)
		for _, v := range m.matrix {
			content = append(appendReal(content, v), ' ')
		}
		content = append(content, "cm\n"...)
		content = append(appendName(content, string(name)), " Do\nQ\n"...)
	}
	newResources["XObject"] = newObjects
	out["Resources"] = newResources
	before, err := im.w.add(&NewStream{Data: bytes.Repeat([]byte("q\n"), 1+below)})
	if err != nil {
		return err
	}
	after, err := im.w.add(&NewStream{Data: content})
	if err != nil {
		return err
	}
	contents := Array{before}
	for _, c := range parts.contents {
		if v := im.graft.rewrite(c); v != nil {
			contents = append(contents, v)
		}
	}
	out["Contents"] = append(contents, after)
	return nil
}

// form copies an appearance stream as a Form XObject. The copy has what a Form XObject needs and appearances sometimes lack.
func (im *importer) form(m mark) (Ref, error) {
	if r, ok := im.forms[m.appearance.Num]; ok && m.layer == nil {
		return r, nil
	}
	dict := im.graft.dict(m.stream.Dict)
	dict["Type"], dict["Subtype"] = Name("XObject"), Name("Form")
	if _, ok := dict["Resources"]; !ok {
		if dr := im.graft.rewrite(im.defaults); dr != nil {
			dict["Resources"] = dr
		}
	}
	if m.layer != nil {
		dict["OC"] = im.graft.rewrite(m.layer)
	}
	r := im.w.reserve()
	if m.layer == nil {
		im.forms[m.appearance.Num] = r
	}
	return r, im.w.copyStream(r, dict, m.stream.Raw(), m.stream.length)
}

// layers notes the optional content groups that were copied, and which of them are hidden.
func (im *importer) layers() error {
	groups, err := im.doc.layers()
	if err != nil {
		return err
	}
	for _, g := range groups {
		to, ok := im.graft.mapped(g.ref)
		if !ok {
			continue
		}
		im.w.layers = append(im.w.layers, to)
		if g.hidden {
			im.w.layersOff = append(im.w.layersOff, to)
		}
	}
	return nil
}
