package bundle

import (
	"context"
	"fmt"
	"io"
	"slices"

	"trien/ledger"
	"trien/signing/pdf"
)

// item is a record on its way into the export, its evidence read and judged.
type item struct {
	Record
	title, kindLabel string // as printed
	manifest         ledger.Manifest
	receipt          ledger.Receipt
	fileName         string // of the attached original
	pages            int
}

// plan judges the evidence of every record and counts its pages, so that the table of contents can be drawn before them.
func plan(ctx context.Context, d *Dossier) ([]*item, Contents, error) {
	c := Contents{Export: d.Export, Dossier: d.ID, Exported: d.Exported.UTC().Truncate(microsecond), Purpose: listed(d.Purpose, "")}
	var items []*item
	trees := make(trees)
	for i, r := range d.Records {
		it, err := planRecord(ctx, d, r, trees)
		if err != nil {
			return nil, Contents{}, fmt.Errorf("planning document %d: %w", i+1, err)
		}
		if c.Register == "" {
			c.Register = it.manifest.Register
		}
		if it.manifest.Register != c.Register {
			return nil, Contents{}, fmt.Errorf("planning document %d: %w: it belongs to another register than the first", i+1, ErrUnfit)
		}
		c.Entries = append(c.Entries, Entry{
			Version: it.manifest.Version, Kind: it.manifest.Kind, Number: r.Version.Number,
			MediaType: it.manifest.MediaType, Title: listed(r.Title, it.kindLabel),
		})
		it.title, it.fileName = c.Entries[i].Title, c.OriginalName(i)
		items = append(items, it)
	}
	next := frontPages(d.Exported, items) + 1
	for i, it := range items {
		c.Entries[i].FirstPage, c.Entries[i].LastPage = next, next+it.pages-1
		next += it.pages
	}
	c.Pages = next - 1
	if _, err := c.MarshalText(); err != nil {
		return nil, Contents{}, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	return items, c, nil
}

// listed makes a text fit for a line of the contents listing.
func listed(s, instead string) string {
	if s = shortened(printed(s), maxLine); !validLine(s) {
		return instead
	}
	return s
}

// planRecord refuses what the judge would refuse later.
func planRecord(ctx context.Context, d *Dossier, r Record, seen trees) (*item, error) {
	v := r.Version
	m, err := ledger.ParseManifest(v.Manifest)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if m.Size != v.Size || m.MediaType != v.MediaType {
		return nil, fmt.Errorf("%w: size or media type is not the manifest's", ErrTampered)
	}
	if len(v.Receipt) == 0 || v.Number < 1 || v.Open == nil {
		return nil, fmt.Errorf("%w: the version has no receipt, number or content", ErrUnfit)
	}
	receipt, err := ledger.ParseReceipt(v.Receipt)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	c, err := ledger.Verify(d.Policy, ledger.VersionLeaf(m.Register, v.Salt, v.Manifest), receipt)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if !seen.agree(c) {
		return nil, fmt.Errorf("%w: receipts of two trees of size %d", ErrTampered, c.Size)
	}
	it := &item{Record: r, manifest: m, receipt: receipt, kindLabel: listed(r.Kind, m.Kind)}
	it.pages, err = countPages(ctx, it)
	return it, err
}

// trees remembers the roots that checkpoints give, by size: two of one size are two ledgers.
type trees map[uint64]ledger.Hash

func (t trees) agree(c ledger.Checkpoint) bool {
	root, seen := t[c.Size]
	t[c.Size] = c.Root
	return !seen || root == c.Root
}

// isText tells the media types that are drawn as text.
func isText(mediaType string) bool {
	return slices.Contains([]string{"application/xml", "text/xml", "application/json"}, mediaType)
}

// countPages opens the original and counts what writePages will write.
func countPages(ctx context.Context, it *item) (int, error) {
	switch m := it.manifest; {
	case m.MediaType == "image/jpeg", m.MediaType == "image/png":
		return 1, nil
	case m.MediaType == "application/pdf", m.MediaType == "image/tiff", isText(m.MediaType):
	default:
		return 1, nil // a note
	}
	original, err := it.Version.Open(ctx)
	if err != nil {
		return 0, fmt.Errorf("opening original: %w", err)
	}
	defer func() { _ = original.Close() }()
	n, err := countIn(it, original)
	if err != nil {
		return 0, fmt.Errorf("counting pages: %w", err)
	}
	return n, nil
}

func countIn(it *item, original io.ReaderAt) (int, error) {
	switch it.manifest.MediaType {
	case "application/pdf":
		doc, err := pdf.Open(original, it.Version.Size)
		if err != nil {
			return 0, err
		}
		return doc.PageCount()
	case "image/tiff":
		// Which of a TIFF's pictures are pages only its reader knows: let it make the pages for nobody.
		w, err := pdf.NewWriter(io.Discard, pdf.Meta{})
		if err != nil {
			return 0, err
		}
		return w.AddImage(it.manifest.MediaType, original, it.Version.Size)
	}
	return countTextPages(io.NewSectionReader(original, 0, it.Version.Size))
}
