package pdf

// pageParts is what of a page is carried into another document.
type pageParts struct {
	attributes Dict // of the page, as they stand
	resources  Dict
	xobjects   Dict  // of the resources
	contents   Array // content streams, as they stand
	marks      []mark
	links      []link
}

// pageParts reads the parts of p, so that what follows cannot fail for their form.
func (d *Document) pageParts(p Page) (pageParts, error) {
	parts := pageParts{attributes: Dict{}}
	for _, k := range []Name{"BleedBox", "TrimBox", "ArtBox", "UserUnit", "Group", "Contents"} {
		if v := p.Dict[k]; v != nil {
			parts.attributes[k] = v
		}
	}
	if p.Resources != nil {
		parts.attributes["Resources"] = p.Resources
	}
	var err error
	if parts.resources, err = Get[Dict](d, p.Resources); err != nil {
		return parts, err
	}
	if parts.xobjects, err = Get[Dict](d, parts.resources["XObject"]); err != nil {
		return parts, err
	}
	if parts.contents, err = d.contents(p); err != nil {
		return parts, err
	}
	if parts.marks, err = d.pageMarks(p); err != nil {
		return parts, err
	}
	parts.links, err = d.pageLinks(p)
	return parts, err
}

// contents returns the content streams of a page, each checked to be one.
func (d *Document) contents(p Page) (Array, error) {
	o, err := d.Resolve(p.Dict["Contents"])
	if err != nil || o == nil {
		return nil, err
	}
	list, ok := o.(Array)
	if !ok {
		list = Array{p.Dict["Contents"]}
	}
	for _, c := range list {
		if _, err := Get[*Stream](d, c); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// objects lists all that is carried, for a walk.
func (p *pageParts) objects() []Object {
	list := []Object{p.attributes, p.resources, p.xobjects}
	for _, m := range p.marks {
		list = append(list, m.appearance, m.layer)
	}
	return list
}

// formDefaults returns the resources that a form gives to appearances.
func (d *Document) formDefaults() (Object, error) {
	catalog, err := d.Catalog()
	if err != nil {
		return nil, err
	}
	form, err := Get[Dict](d, catalog["AcroForm"])
	return form["DR"], err
}

// layer is an optional content group and whether the default configuration hides it (8.11.4.3).
type layer struct {
	ref    Ref
	hidden bool
}

func (d *Document) layers() ([]layer, error) {
	catalog, err := d.Catalog()
	if err != nil {
		return nil, err
	}
	properties, err := Get[Dict](d, catalog["OCProperties"])
	if err != nil || properties == nil {
		return nil, err
	}
	config, err := Get[Dict](d, properties["D"])
	if err != nil {
		return nil, err
	}
	set := map[Name]map[Object]bool{"ON": {}, "OFF": {}}
	for key, members := range set {
		list, err := Get[Array](d, config[key])
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			if r, ok := o.(Ref); ok {
				members[r] = true
			}
		}
	}
	groups, err := Get[Array](d, properties["OCGs"])
	if err != nil {
		return nil, err
	}
	base := config["BaseState"] == Name("OFF")
	var layers []layer
	for _, o := range groups {
		if r, ok := o.(Ref); ok {
			layers = append(layers, layer{ref: r, hidden: set["OFF"][r] || base && !set["ON"][r]})
		}
	}
	return layers, nil
}
