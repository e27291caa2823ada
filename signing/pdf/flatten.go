package pdf

import "strings"

// drawn are the annotations whose appearance is part of what a reader of the page sees: fields, signatures, stamps and mark-up.
// Icons of notes and files, media and pop-ups are not.
var drawn = map[Name]bool{
	"Widget": true, "Stamp": true, "FreeText": true, "Line": true, "Square": true, "Circle": true, "Polygon": true, "PolyLine": true,
	"Highlight": true, "Underline": true, "Squiggly": true, "StrikeOut": true, "Caret": true, "Ink": true, "Watermark": true,
}

const (
	flagHidden = 1 << 1
	flagPrint  = 1 << 2
	flagNoView = 1 << 5
)

// mark is the appearance of an annotation, to be drawn on its page.
type mark struct {
	appearance Ref
	stream     *Stream
	layer      Object // /OC
	matrix     [6]float64
}

// link is an annotation that leads to an address on the web.
type link struct {
	rect [4]float64
	uri  String
}

// annotations yields the annotation dictionaries of a page.
func (d *Document) annotations(p Page, visit func(Dict) error) error {
	list, err := Get[Array](d, p.Dict["Annots"])
	if err != nil {
		return err
	}
	for _, o := range list {
		a, err := Get[Dict](d, o)
		if err != nil {
			return err
		}
		if a == nil {
			continue
		}
		flags, err := Get[Integer](d, a["F"])
		if err != nil {
			return err
		}
		if flags&(flagHidden|flagNoView) != 0 {
			continue
		}
		if err := visit(a); err != nil {
			return err
		}
	}
	return nil
}

// pageMarks returns what annotations draw on a page, in their order.
func (d *Document) pageMarks(p Page) ([]mark, error) {
	var marks []mark
	err := d.annotations(p, func(a Dict) error {
		subtype, err := Get[Name](d, a["Subtype"])
		if err != nil || !drawn[subtype] {
			return err
		}
		m, err := d.appearance(a)
		if err != nil || m.stream == nil {
			return err
		}
		place, err := d.rect(a["Rect"], [4]float64{})
		if err != nil || place == ([4]float64{}) {
			return err
		}
		ok, err := d.fit(&m, place)
		if ok {
			m.layer = a["OC"]
			marks = append(marks, m)
		}
		return err
	})
	return marks, err
}

// appearance finds the normal appearance (12.5.5); the stream is nil if there is none.
func (d *Document) appearance(a Dict) (mark, error) {
	ap, err := Get[Dict](d, a["AP"])
	if err != nil {
		return mark{}, err
	}
	at := ap["N"]
	o, err := d.Resolve(at)
	if err != nil {
		return mark{}, err
	}
	if states, ok := o.(Dict); ok {
		state, err := Get[Name](d, a["AS"])
		if err != nil {
			return mark{}, err
		}
		at = states[state]
		if o, err = d.Resolve(at); err != nil {
			return mark{}, err
		}
	}
	m := mark{}
	var isRef bool
	m.appearance, isRef = at.(Ref)
	if m.stream, _ = o.(*Stream); !isRef {
		m.stream = nil
	}
	return m, nil
}

// fit computes the matrix that maps the appearance's box to the annotation's rectangle (12.5.5, algorithm 8.1); false if it is empty.
func (d *Document) fit(m *mark, place [4]float64) (bool, error) {
	box, err := d.rect(m.stream.Dict["BBox"], [4]float64{})
	if err != nil || box == ([4]float64{}) {
		return false, err
	}
	list, err := Get[Array](d, m.stream.Dict["Matrix"])
	if err != nil {
		return false, err
	}
	t := [6]float64{1, 0, 0, 1, 0, 0}
	if len(list) == 6 {
		for i := range t {
			n, err := Get[Real](d, list[i])
			if err != nil {
				return false, err
			}
			t[i] = float64(n)
		}
	}
	var b [4]float64
	for i := range 4 {
		x, y := box[i&1*2], box[i&2+1]
		u, v := t[0]*x+t[2]*y+t[4], t[1]*x+t[3]*y+t[5]
		if i == 0 {
			b = [4]float64{u, v, u, v}
		}
		b = [4]float64{min(b[0], u), min(b[1], v), max(b[2], u), max(b[3], v)}
	}
	const tiny = 1e-6
	if b[2]-b[0] < tiny || b[3]-b[1] < tiny {
		return false, nil
	}
	sx, sy := (place[2]-place[0])/(b[2]-b[0]), (place[3]-place[1])/(b[3]-b[1])
	m.matrix = [6]float64{sx, 0, 0, sy, place[0] - sx*b[0], place[1] - sy*b[1]}
	return true, nil
}

// pageLinks returns the links to the web; other schemes and actions stay behind.
func (d *Document) pageLinks(p Page) ([]link, error) {
	var links []link
	err := d.annotations(p, func(a Dict) error {
		if a["Subtype"] != Name("Link") {
			return nil
		}
		action, err := Get[Dict](d, a["A"])
		if err != nil || action["S"] != Name("URI") {
			return err
		}
		uri, err := Get[String](d, action["URI"])
		if err != nil || !webAddress(string(uri)) {
			return err
		}
		rect, err := d.rect(a["Rect"], [4]float64{})
		if err == nil && rect != ([4]float64{}) {
			links = append(links, link{rect: rect, uri: uri})
		}
		return err
	})
	return links, err
}

func webAddress(s string) bool {
	const longest = 2048
	if len(s) > longest {
		return false
	}
	scheme, _, ok := strings.Cut(s, ":")
	if !ok {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "mailto":
		return true
	}
	return false
}
