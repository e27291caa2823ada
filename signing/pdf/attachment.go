package pdf

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxInflatedAttachment is how long a compressed attachment may be, because it can only be read by range from memory.
const maxInflatedAttachment = 16 << 20

// EmbeddedFile found in a document's EmbeddedFiles name tree.
type EmbeddedFile struct {
	Name, Description, MediaType, Relationship string
	// Size of the content in bytes, as it is; -1 if the content cannot be read.
	Size int64
	// Content reads the content by range: from the file if it stands there raw, from memory if it is compressed and at most 16 MiB long.
	// Otherwise it is nil and Err says why.
	Content *io.SectionReader
	Err     error
}

// Attachments lists the embedded files of the latest revision in name order. Duplicate names are ErrDamaged.
func (d *Document) Attachments() ([]EmbeddedFile, error) {
	catalog, err := d.Catalog()
	if err != nil {
		return nil, err
	}
	names, err := Get[Dict](d, catalog["Names"])
	if err != nil {
		return nil, err
	}
	var files []EmbeddedFile
	keys := map[String]bool{}
	inflated := int64(maxInflatedAttachment)
	err = d.nameTree(names["EmbeddedFiles"], func(key String, value Object) error {
		if keys[key] {
			return damagedf("two attachments have the same name")
		}
		keys[key] = true
		f, err := d.embeddedFile(key, value, &inflated)
		files = append(files, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading attachments: %w", err)
	}
	slices.SortFunc(files, func(a, b EmbeddedFile) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(files); i++ {
		if files[i].Name == files[i-1].Name {
			return nil, fmt.Errorf("reading attachments: %w", damagedf("two attachments have the same name"))
		}
	}
	return files, nil
}

// embeddedFile reads a file specification (7.11.3).
func (d *Document) embeddedFile(key String, value Object, inflated *int64) (EmbeddedFile, error) {
	f := EmbeddedFile{Size: -1}
	spec, err := Get[Dict](d, value)
	if err != nil {
		return f, err
	}
	name := key
	for _, k := range []Name{"F", "UF"} {
		if s, err := Get[String](d, spec[k]); err != nil {
			return f, err
		} else if s != "" {
			name = s
		}
	}
	f.Name = name.Text()
	description, err := Get[String](d, spec["Desc"])
	if err != nil {
		return f, err
	}
	f.Description = description.Text()
	relationship, err := Get[Name](d, spec["AFRelationship"])
	if err != nil {
		return f, err
	}
	f.Relationship = string(relationship)
	ef, err := Get[Dict](d, spec["EF"])
	if err != nil {
		return f, err
	}
	stream, err := d.embeddedStream(ef)
	if err != nil {
		return f, err
	}
	mediaType, err := Get[Name](d, stream.Dict["Subtype"])
	if err != nil {
		return f, err
	}
	f.MediaType = string(mediaType)
	f.Content, f.Err = stream.section(inflated)
	if f.Err != nil {
		return f, onlyRead(f.Err)
	}
	f.Size = f.Content.Size()
	return f, nil
}

// embeddedStream returns the one stream of an /EF dictionary. Two that differ could be read as two files.
func (d *Document) embeddedStream(ef Dict) (*Stream, error) {
	var found *Stream
	for _, k := range []Name{"UF", "F"} {
		s, err := Get[*Stream](d, ef[k])
		if err != nil {
			return nil, err
		}
		if s == nil {
			continue
		}
		if found != nil && found.start != s.start {
			return nil, damagedf("an attachment has two contents")
		}
		found = s
	}
	if found == nil {
		return nil, damagedf("an attachment has no content")
	}
	return found, nil
}

// onlyRead passes errors of the reader on and drops those about the content of what is optional.
func onlyRead(err error) error {
	if isRead(err) {
		return err
	}
	return nil
}

// section returns the content for reading by range. left bounds what all compressed contents together may take.
func (s *Stream) section(left *int64) (*io.SectionReader, error) {
	names, _, err := s.filters()
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return s.Raw(), nil
	}
	if len(names) > 1 || names[0] != "FlateDecode" {
		return nil, unsupportedf("attachment stored with filter %q", string(names[0]))
	}
	r, err := s.Decoded(*left)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	*left -= int64(len(b))
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), nil
}
