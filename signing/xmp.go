package signing

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"trien/signing/pdf"
)

// Bounds of what is read of an XMP packet; one that has more cannot be compared.
const (
	maxXMP         = 1 << 20
	maxXMPElements = 20_000
	maxXMPDepth    = 32
)

const (
	nsMeta = "adobe:ns:meta/"
	nsRDF  = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	nsXML  = "http://www.w3.org/XML/1998/namespace"
)

// properties are the top-level properties of an XMP packet (ISO 16684-1), by namespace and name. Values that mean the same, however they are
// written, are equal.
type properties map[xml.Name]property

// property is a value in a form of its own.
type property struct {
	form string
	text bool // without parts, language or reference
}

// changing are the properties that say when, by what and as what a file was last saved. Programs write them by themselves.
var changing = map[xml.Name]bool{
	{Space: "http://ns.adobe.com/xap/1.0/", Local: "ModifyDate"}:    true,
	{Space: "http://ns.adobe.com/xap/1.0/", Local: "MetadataDate"}:  true,
	{Space: "http://ns.adobe.com/xap/1.0/mm/", Local: "InstanceID"}: true,
	{Space: "http://ns.adobe.com/pdf/1.3/", Local: "Producer"}:      true,
}

// sameButChanged says whether b has what p has, but for when and by what it was last changed.
func (p properties) sameButChanged(b properties) bool {
	for name := range p {
		if _, ok := b[name]; !ok {
			return false
		}
	}
	for name, value := range b {
		if value != p[name] && (!changing[name] || !value.text) {
			return false
		}
	}
	return true
}

// errXMP is what cannot be understood in one way.
var errXMP = errors.New("not XMP as it is compared")

// readXMP reads a metadata stream; nil if it is not XMP in UTF-8, or has what could be understood in another way. Errors are those of reading the file.
func readXMP(s *pdf.Stream) (properties, error) {
	r, err := s.Decoded(maxXMP)
	var b []byte
	if err == nil {
		b, err = io.ReadAll(r)
	}
	if isContent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if p, err := parseXMP(b); err == nil {
		return p, nil
	}
	return nil, nil
}

// element is one of XML, with its text if it has no other inside.
type element struct {
	name     xml.Name
	attrs    []xml.Attr // without declarations of namespaces
	children []*element
	text     []byte
}

func parseXMP(b []byte) (properties, error) {
	root, err := parseElements(bytes.TrimPrefix(b, []byte("\ufeff")))
	if err != nil {
		return nil, err
	}
	if root.name == (xml.Name{Space: nsMeta, Local: "xmpmeta"}) {
		if len(root.children) != 1 {
			return nil, errXMP
		}
		root = root.children[0]
	}
	if root.name != (xml.Name{Space: nsRDF, Local: "RDF"}) || len(root.attrs) > 0 || len(root.text) > 0 {
		return nil, errXMP
	}
	p := properties{}
	for _, d := range root.children {
		if d.name != (xml.Name{Space: nsRDF, Local: "Description"}) {
			return nil, errXMP
		}
		if err := p.describe(d, true); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// parseElements builds the tree: no declarations of types, no entities of its own, and no instructions but those around the packet.
func parseElements(b []byte) (*element, error) {
	top := &element{}
	open := []*element{top}
	count := 0
	for x := xml.NewDecoder(bytes.NewReader(b)); ; {
		token, err := x.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		in := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name}
			if e.attrs, err = attributes(t.Attr); err != nil {
				return nil, err
			}
			in.children = append(in.children, e)
			open = append(open, e)
			if count++; count > maxXMPElements || len(open) > maxXMPDepth {
				return nil, errXMP
			}
		case xml.EndElement:
			open = open[:len(open)-1]
			if len(in.children) > 0 {
				if len(bytes.TrimSpace(in.text)) > 0 {
					return nil, errXMP
				}
				in.text = nil
			}
		case xml.CharData:
			in.text = append(in.text, t...)
		case xml.Directive:
			return nil, errXMP
		case xml.ProcInst:
			if t.Target != "xpacket" || in != top {
				return nil, errXMP
			}
		}
	}
	if len(top.children) != 1 || len(bytes.TrimSpace(top.text)) > 0 {
		return nil, errXMP
	}
	return top.children[0], nil
}

func attributes(all []xml.Attr) ([]xml.Attr, error) {
	var list []xml.Attr
	for n, a := range all {
		if slices.ContainsFunc(all[:n], func(b xml.Attr) bool { return a.Name == b.Name }) {
			return nil, errXMP
		}
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			list = append(list, a)
		}
	}
	return list, nil
}

// describe reads the properties of a node, which stand in it as elements or attributes. What a packet is about is the file: nothing or one name.
func (p properties) describe(e *element, top bool) error {
	if len(bytes.TrimSpace(e.text)) > 0 {
		return errXMP
	}
	for _, a := range e.attrs {
		about := a.Name == xml.Name{Space: nsRDF, Local: "about"}
		switch {
		case about && (a.Value == "" || top && p[a.Name] == (property{form: a.Value})):
		case about && top && p[a.Name] == (property{}):
			p[a.Name] = property{form: a.Value}
		case a.Name.Space == nsRDF, a.Name.Space == nsXML, a.Name.Space == "":
			return errXMP
		default:
			if err := p.set(a.Name, property{strconv.Quote(a.Value), true}); err != nil {
				return err
			}
		}
	}
	for _, c := range e.children {
		v, err := value(c)
		if err != nil {
			return err
		}
		if err := p.set(c.name, v); err != nil {
			return err
		}
	}
	return nil
}

func (p properties) set(name xml.Name, v property) error {
	if _, twice := p[name]; twice || name.Space == "" {
		return errXMP
	}
	p[name] = v
	return nil
}

// value reads a property's element: text, a reference, a structure, or an array.
func value(e *element) (property, error) {
	var language, resource string
	var fields []xml.Attr
	structure := false
	for _, a := range e.attrs {
		switch {
		case a.Name == xml.Name{Space: nsXML, Local: "lang"}:
			language = "@" + strconv.Quote(a.Value)
		case a.Name == xml.Name{Space: nsRDF, Local: "resource"}:
			resource = "&" + strconv.Quote(a.Value)
		case a.Name == xml.Name{Space: nsRDF, Local: "parseType"} && a.Value == "Resource":
			structure = true
		case a.Name.Space == nsRDF, a.Name.Space == nsXML, a.Name.Space == "":
			return property{}, errXMP
		default:
			fields = append(fields, a)
		}
	}
	empty := len(e.children) == 0 && len(bytes.TrimSpace(e.text)) == 0
	switch {
	case resource != "" && (!empty || structure || len(fields) > 0), len(fields) > 0 && (!empty || structure):
		return property{}, errXMP
	case resource != "":
		return property{form: resource + language}, nil
	case structure:
		return members(&element{children: e.children, text: e.text}, language)
	case len(fields) > 0:
		return members(&element{attrs: fields}, language)
	case len(e.children) == 0:
		return property{strconv.Quote(string(e.text)) + language, language == ""}, nil
	case len(e.children) > 1 || e.children[0].name.Space != nsRDF:
		return property{}, errXMP
	}
	inside := e.children[0]
	switch inside.name.Local {
	case "Description":
		return members(inside, language)
	case "Bag", "Seq", "Alt":
		return array(inside, language)
	}
	return property{}, errXMP
}

func members(e *element, language string) (property, error) {
	p := properties{}
	if err := p.describe(e, false); err != nil {
		return property{}, err
	}
	var form strings.Builder
	names := slices.SortedFunc(maps.Keys(p), func(a, b xml.Name) int { return strings.Compare(a.Space+" "+a.Local, b.Space+" "+b.Local) })
	for _, name := range names {
		form.WriteString(strconv.Quote(name.Space+" "+name.Local) + ":" + p[name].form + ",")
	}
	return property{form: "{" + form.String() + "}" + language}, nil
}

func array(e *element, language string) (property, error) {
	if len(e.attrs) > 0 || len(bytes.TrimSpace(e.text)) > 0 {
		return property{}, errXMP
	}
	var form strings.Builder
	for _, item := range e.children {
		if item.name != (xml.Name{Space: nsRDF, Local: "li"}) {
			return property{}, errXMP
		}
		v, err := value(item)
		if err != nil {
			return property{}, err
		}
		form.WriteString(v.form + ",")
	}
	return property{form: e.name.Local + "[" + form.String() + "]" + language}, nil
}
