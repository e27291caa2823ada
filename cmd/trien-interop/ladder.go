package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"trien/signing"
)

// Levels in the order of the table. levelTwice is a person's signature and an organisation's, both at B-LTA.
const levelTwice = "2×"

var levels = []string{signing.LevelB, signing.LevelT, signing.LevelLT, signing.LevelLTA, levelTwice}

// document is a PDF in a file that grows by revisions and can go back to how it was: one copy of it, however large, serves all levels.
type document struct {
	file *os.File
	size int64
}

func openDocument(path string) (*document, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return &document{f, info.Size()}, nil
}

func (d *document) append(tail []byte) error {
	n, err := d.file.WriteAt(tail, d.size)
	d.size += int64(n)
	return err
}

func (d *document) cut(size int64) error {
	d.size = size
	return d.file.Truncate(size)
}

// hash of the first n bytes.
func (d *document) hash(n int64) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(d.file, 0, n)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// request is what a person, or an organisation, asks of us for an input.
func (l *lab) request(in input, seal bool) (signing.Request, signer) {
	who, visible := l.person, in.visible()
	if seal {
		who, visible = l.seal, !in.plain && !visible
		if in.p384 {
			who = l.seal384
		}
	}
	r := signing.Request{Certificate: who.cert, Name: who.name, Reason: "Phê duyệt (ký số)", Location: "Hà Nội"}
	if visible {
		r.Visible = &signing.Appearance{Page: 1, Rect: [4]float64{24, 24, 224, 84}, Name: who.name, Reason: r.Reason, ShowTime: true}
	}
	if in.way != nil {
		in.way(&r, seal)
	}
	return r, who
}

// sign appends one signature; stamps nil: B-B. An error before anything was written is a refusal.
func (l *lab) sign(ctx context.Context, d *document, in input, seal bool, stamps signing.Timestamper) error {
	r, who := l.request(in, seal)
	p, err := signing.Prepare(ctx, d.file, d.size, r)
	if err != nil {
		return err
	}
	attributes, err := p.Attributes()
	if err != nil {
		return err
	}
	value, err := signing.SignAttributes(who.key, p.Algorithm, attributes)
	if err != nil {
		return err
	}
	if err := p.Complete(ctx, l.Intermediates(), value, stamps); err != nil {
		return err
	}
	return d.append(p.Tail)
}

func (l *lab) evidence(ctx context.Context, d *document) error {
	tail, err := signing.Evidence(ctx, d.file, d.size, l.anchors)
	if err != nil {
		return err
	}
	return d.append(tail)
}

func (l *lab) stamp(ctx context.Context, d *document) error {
	tail, err := signing.DocumentTimestamp(ctx, d.file, d.size, l.stamps)
	if err != nil {
		return err
	}
	return d.append(tail)
}

// climb brings the document to each level in turn and calls at with it there. base is its size unsigned.
func (l *lab) climb(ctx context.Context, d *document, in input, at func(level string) error) error {
	base := d.size
	person := func(stamps signing.Timestamper) func() error {
		return func() error {
			if err := d.cut(base); err != nil {
				return err
			}
			return l.sign(ctx, d, in, false, stamps)
		}
	}
	var stamped int64
	steps := map[string][]func() error{
		signing.LevelB:   {person(nil)},
		signing.LevelT:   {person(l.stamps), func() error { stamped = d.size; return nil }},
		signing.LevelLT:  {func() error { return l.evidence(ctx, d) }},
		signing.LevelLTA: {func() error { return l.stamp(ctx, d) }},
		levelTwice: {
			func() error { return d.cut(stamped) },
			func() error { return l.sign(ctx, d, in, true, l.stamps) },
			func() error { return l.evidence(ctx, d) },
			func() error { return l.stamp(ctx, d) },
		},
	}
	for _, level := range levels {
		for _, step := range steps[level] {
			if err := step(); err != nil {
				return err
			}
		}
		if err := at(level); err != nil {
			return err
		}
	}
	return nil
}
