package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"trien/ledger"
	"trien/signing/pdf"
)

const microsecond = time.Microsecond

// Build writes the unsigned export to w as a stream: cover, table of contents, every record's pages in order, and the
// attachments that BUNDLE.md lists, each original byte for byte. Memory does not grow with the originals. Equal dossiers give equal bytes.
//
// Errors wrap [ErrUnfit], [ErrTampered], an error of package signing/pdf about an original, or come from the readers and w. After an error
// what was written is worthless.
func Build(ctx context.Context, w io.Writer, d Dossier) error {
	if err := d.check(); err != nil {
		return err
	}
	items, contents, err := plan(ctx, &d)
	if err != nil {
		return err
	}
	pages, err := front(&d, items, contents)
	if err != nil {
		return err
	}
	out, err := pdf.NewWriter(w, pdf.Meta{
		Title: dossierTitle(contents.Register) + " – " + printed(d.Subject), Author: printed(d.Unit), Subject: contents.Purpose,
		Language: "vi-VN", Creator: "Triện", Created: contents.Exported, ID: d.Export,
	})
	if err != nil {
		return fmt.Errorf("starting export: %w", err)
	}
	b := builder{ctx: ctx, out: out, dossier: &d, contents: contents}
	if err := b.writeFront(pages); err != nil {
		return err
	}
	for i, it := range items {
		if err := b.writeRecord(i, it); err != nil {
			return fmt.Errorf("writing document %d: %w", i+1, err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("finishing export: %w", err)
	}
	return nil
}

// builder writes one export.
type builder struct {
	ctx      context.Context // lives as long as the call of Build
	out      *pdf.Writer
	dossier  *Dossier
	contents Contents
}

func (b *builder) writeFront(pages []byte) error {
	n, err := b.out.ImportOwnPages(bytes.NewReader(pages), int64(len(pages)))
	if err != nil {
		return fmt.Errorf("writing cover: %w", err)
	}
	if first := b.contents.Entries[0].FirstPage; n != first-1 {
		return fmt.Errorf("writing cover: drew %d pages where %d were planned", n, first-1)
	}
	b.out.Bookmark("Bìa hồ sơ", 0)
	b.out.Bookmark("Mục lục tài liệu", 1)
	listing, err := b.contents.MarshalText()
	if err != nil {
		return fmt.Errorf("listing contents: %w", err)
	}
	if err := b.attachText(contentsName, "Danh mục tài liệu (contents)", listing, b.contents.Exported); err != nil {
		return err
	}
	return b.attachText(policyName, "Chính sách sổ cái (ledger policy)", b.dossier.Policy.Text(), b.contents.Exported)
}

// writeRecord writes the pages of item i and attaches its original and its evidence.
func (b *builder) writeRecord(i int, it *item) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	original, err := it.Version.Open(b.ctx)
	if err != nil {
		return fmt.Errorf("opening original: %w", err)
	}
	defer func() { _ = original.Close() }()
	if err := b.writePages(i, it, original); err != nil {
		return err
	}
	if err := b.attachOriginal(i, it, original); err != nil {
		return err
	}
	number := fmt.Sprintf("Tài liệu %d: ", i+1)
	salt := hex.EncodeToString(it.Version.Salt[:]) + "\n"
	at := it.manifest.Time
	return errors.Join(
		b.attachText(manifestName(i), number+"bản khai phiên bản (manifest)", it.Version.Manifest, at),
		b.attachText(saltName(i), number+"muối (salt)", []byte(salt), at),
		b.attachText(receiptName(i), number+"biên nhận sổ cái (receipt)", it.Version.Receipt, at),
	)
}

// writePages writes what people see of the original.
func (b *builder) writePages(i int, it *item, original io.ReaderAt) error {
	entry := b.contents.Entries[i]
	b.out.Bookmark(fmt.Sprintf("%d. %s", i+1, it.title), entry.FirstPage-1)
	size, mediaType := it.Version.Size, it.manifest.MediaType
	var n int
	var err error
	switch {
	case mediaType == "application/pdf":
		n, err = b.out.ImportPages(original, size)
	case strings.HasPrefix(mediaType, "image/") && extensions[mediaType] != "":
		n, err = b.out.AddImage(mediaType, original, size)
	default:
		var drawn []byte
		if isText(mediaType) {
			drawn, err = drawText(io.NewSectionReader(original, 0, size), it.manifest.Time, it.title, it.fileName)
		} else {
			drawn, err = drawNote(it.manifest.Time, it.title, it.fileName)
		}
		if err == nil {
			n, err = b.out.ImportOwnPages(bytes.NewReader(drawn), int64(len(drawn)))
		}
	}
	if err != nil {
		return fmt.Errorf("writing pages: %w", err)
	}
	if n != it.pages {
		return fmt.Errorf("writing pages: %w: %d pages where %d were counted", ErrTampered, n, it.pages)
	}
	return nil
}

// attachOriginal streams the original as it is and compares it with its manifest on the way.
func (b *builder) attachOriginal(i int, it *item, original io.ReaderAt) error {
	hash := sha256.New()
	counted := &countingReader{ctx: b.ctx, in: io.NewSectionReader(original, 0, it.Version.Size)}
	err := b.out.Attach(pdf.Attachment{
		Name: b.contents.OriginalName(i), Description: fmt.Sprintf("Tài liệu %d: bản gốc (original)", i+1),
		MediaType: it.manifest.MediaType, Relationship: "Source", Modified: it.manifest.Time,
		Size: it.Version.Size, Content: io.TeeReader(counted, hash),
	})
	if err != nil && counted.ended && counted.n < it.Version.Size {
		return fmt.Errorf("%w: the original ends after %d of %d bytes", ErrTampered, counted.n, it.Version.Size)
	}
	if err != nil {
		return fmt.Errorf("attaching original: %w", err)
	}
	if ledger.Hash(hash.Sum(nil)) != it.manifest.SHA256 {
		return fmt.Errorf("%w: the original's SHA-256 is not the manifest's", ErrTampered)
	}
	return nil
}

func (b *builder) attachText(name, description string, text []byte, at time.Time) error {
	err := b.out.Attach(pdf.Attachment{
		Name: name, Description: description, MediaType: "text/plain", Relationship: "Data",
		Modified: at, Size: int64(len(text)), Content: bytes.NewReader(text),
	})
	if err != nil {
		return fmt.Errorf("attaching %s: %w", name, err)
	}
	return nil
}

// countingReader reads until the context ends, and remembers how far it came.
type countingReader struct {
	ctx   context.Context // lives as long as one call
	in    io.Reader
	n     int64
	ended bool
}

func (r *countingReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.in.Read(p)
	r.n += int64(n)
	r.ended = errors.Is(err, io.EOF)
	return n, err
}
