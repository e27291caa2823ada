package bundle

import (
	"errors"
	"fmt"
	"io"

	"trien/ledger"
	"trien/signing/pdf"
)

// Evidence is what an export carries of one document for the ledger: enough to prove the version anew, without the export.
type Evidence struct {
	Name     string // of the attached original
	Manifest []byte // as logged
	Salt     ledger.Salt
	Receipt  []byte // tlog-proof
}

// ReadEvidence takes the evidence of every listed document out of an export, in order. It judges neither signatures nor
// proofs: [Verify] does that for the export, and the ledger's policy for what comes out. A file that is no export, or lacks evidence, is an
// error wrapping [ErrMalformed].
func ReadEvidence(r io.ReaderAt, size int64) ([]Evidence, error) {
	doc, err := pdf.Open(r, size)
	if err != nil {
		return nil, unreadable(err)
	}
	files, err := doc.Attachments()
	if err != nil {
		return nil, unreadable(err)
	}
	attached := make(map[string]pdf.EmbeddedFile, len(files))
	for _, f := range files {
		attached[f.Name] = f
	}
	read := func(name string, limit int64) ([]byte, error) {
		f := attached[name]
		if f.Content == nil || f.Content.Size() > limit {
			return nil, fmt.Errorf("%w: attachment %s is missing, damaged or too long", ErrMalformed, name)
		}
		return io.ReadAll(io.NewSectionReader(f.Content, 0, f.Content.Size()))
	}
	text, err := read(contentsName, maxContentsBytes)
	if err != nil {
		return nil, err
	}
	contents, err := ParseContents(text)
	if err != nil {
		return nil, err
	}
	var all []Evidence
	for i := range contents.Entries {
		e := Evidence{Name: contents.OriginalName(i)}
		if e.Manifest, err = read(manifestName(i), maxManifest); err != nil {
			return nil, err
		}
		if e.Receipt, err = read(receiptName(i), maxReceipt); err != nil {
			return nil, err
		}
		salt, err := read(saltName(i), int64(saltBytes))
		if err != nil {
			return nil, err
		}
		var ok bool
		if e.Salt, ok = parseSalt(salt); !ok {
			return nil, fmt.Errorf("%w: attachment %s is not a salt", ErrMalformed, saltName(i))
		}
		all = append(all, e)
	}
	return all, nil
}

func unreadable(err error) error {
	for _, kind := range []error{pdf.ErrDamaged, pdf.ErrEncrypted, pdf.ErrUnsupported} {
		if errors.Is(err, kind) {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	return err
}
