package pdf

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Attachment is an embedded file, stored raw (no filter) so that it can be read by range.
type Attachment struct {
	Name, Description, MediaType string
	Relationship                 string // "Source", "Data", "Alternative", "Supplement", "Unspecified"
	Modified                     time.Time
	Size                         int64 // exact; the writer fails if Content differs
	Content                      io.Reader
}

// namedFile is an attachment that was written.
type namedFile struct {
	key  String
	spec Ref
}

const namesPerNode = 64

// Attach writes an embedded file and lists it under its name, which must be new and without path separators. A refused name leaves the Writer
// as it was; content of another length than Size does not.
func (w *Writer) Attach(a Attachment) error {
	if w.err != nil {
		return w.err
	}
	key := Text(a.Name)
	if a.Name == "" || strings.ContainsAny(a.Name, "/\\\x00") {
		return fmt.Errorf("pdf: attachment name is empty or holds a separator")
	}
	if w.names[key] {
		return fmt.Errorf("pdf: two attachments of the same name")
	}
	params := Dict{"Size": Integer(a.Size)}
	if !a.Modified.IsZero() {
		params["ModDate"] = date(a.Modified)
	}
	dict := Dict{"Type": Name("EmbeddedFile"), "Params": params}
	if a.MediaType != "" {
		dict["Subtype"] = Name(a.MediaType)
	}
	stream := w.reserve()
	if err := w.copyStream(stream, dict, a.Content, a.Size); err != nil {
		return err
	}
	if err := atEnd(a.Content); err != nil {
		return w.fail(err)
	}
	relationship := Name(a.Relationship)
	if relationship == "" {
		relationship = "Unspecified"
	}
	spec := Dict{
		"Type": Name("Filespec"), "F": key, "UF": key, "AFRelationship": relationship,
		"EF": Dict{"F": stream, "UF": stream},
	}
	if a.Description != "" {
		spec["Desc"] = Text(a.Description)
	}
	r, err := w.add(spec)
	if err != nil {
		return err
	}
	w.files = append(w.files, namedFile{key: key, spec: r})
	w.names[key] = true
	return nil
}

// atEnd refuses content that goes on.
func atEnd(r io.Reader) error {
	var b [1]byte
	switch n, err := io.ReadFull(r, b[:]); {
	case n > 0:
		return fmt.Errorf("pdf: attachment is longer than its size")
	case err != io.EOF:
		return fmt.Errorf("reading attachment: %w", err)
	}
	return nil
}

// embeddedFiles writes the name tree, sorted, and the list of associated files of the document.
func (w *Writer) embeddedFiles(catalog Dict) error {
	if len(w.files) == 0 {
		return nil
	}
	associated := make(Array, len(w.files))
	for i, f := range w.files {
		associated[i] = f.spec
	}
	catalog["AF"] = associated
	sorted := slices.Clone(w.files)
	slices.SortFunc(sorted, func(a, b namedFile) int { return strings.Compare(string(a.key), string(b.key)) })
	leaf := func(files []namedFile) Array {
		var names Array
		for _, f := range files {
			names = append(names, f.key, f.spec)
		}
		return names
	}
	if len(sorted) <= namesPerNode {
		catalog["Names"] = Dict{"EmbeddedFiles": Dict{"Names": leaf(sorted)}}
		return nil
	}
	var kids Array
	for part := range slices.Chunk(sorted, namesPerNode) {
		limits := Array{part[0].key, part[len(part)-1].key}
		r, err := w.add(Dict{"Limits": limits, "Names": leaf(part)})
		if err != nil {
			return err
		}
		kids = append(kids, r)
	}
	catalog["Names"] = Dict{"EmbeddedFiles": Dict{"Kids": kids}}
	return nil
}
