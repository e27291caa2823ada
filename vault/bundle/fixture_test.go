package bundle_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-fonts/liberation/liberationserifregular"
	"github.com/go-pdf/fpdf"
	"github.com/google/uuid"
	"golang.org/x/image/tiff"

	"trien/ledger"
	"trien/vault/bundle"
)

// original is a document in memory that counts how it is read.
type original struct {
	*bytes.Reader
	closed *int
}

func (o original) Close() error { *o.closed++; return nil }

// document describes one record of a test dossier.
type document struct {
	title, kind, label, mediaType, origin string
	content                               []byte
	number                                int
	register                              string // empty: party
}

// newDossier logs the documents and gives a dossier around them. opened and closed count its originals.
// The documents were made a minute before the time of the log, the export a second after them.
func newDossier(t testing.TB, log *memoryLog, documents ...document) bundle.Dossier {
	t.Helper()
	made := log.now().UTC().Add(-time.Minute).Truncate(time.Microsecond)
	d := bundle.Dossier{
		ID: uuid.New(), Export: uuid.New(), Register: "Tổ chức đảng, đảng viên", Unit: "Đảng bộ phường Thử Nghiệm",
		Subject: "Nguyễn Minh Họa", BirthDate: "1985-09-02", PersonalNumber: "999085000001",
		Purpose: "Xét bổ sung quy hoạch", Signer: "Trần Ví Dụ, Phó Trưởng ban", Exported: made.Add(time.Second), Policy: log.policy,
	}
	var opened, closed int
	var indexes []int64
	for _, doc := range documents {
		if doc.register == "" {
			doc.register = "party"
		}
		m := ledger.Manifest{
			Version: uuid.New(), Record: uuid.New(), Kind: doc.kind, Register: doc.register, MediaType: doc.mediaType, Size: int64(len(doc.content)),
			SHA256: ledger.SumHash(doc.content), ObjectSHA256: ledger.SumHash([]byte("sealed " + doc.title)), Origin: doc.origin,
			Actor: uuid.New(), Unit: uuid.New(), Time: made,
		}
		text, err := m.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		salt := ledger.NewSalt()
		indexes = append(indexes, log.add(ledger.VersionLeaf(m.Register, salt, text)))
		log.add(ledger.Leaf("another's entry"))
		d.Records = append(d.Records, bundle.Record{Title: doc.title, Kind: doc.label, Version: bundle.Version{
			Number: doc.number, Manifest: text, Salt: salt, MediaType: doc.mediaType, Size: int64(len(doc.content)),
			Open: func(context.Context) (bundle.ReaderAtCloser, error) {
				opened++
				return original{bytes.NewReader(doc.content), &closed}, nil
			},
		}})
	}
	for i := range d.Records {
		d.Records[i].Version.Receipt = log.receipt(indexes[i])
	}
	t.Cleanup(func() {
		if opened != closed {
			t.Errorf("%d originals opened, %d closed", opened, closed)
		}
	})
	return d
}

func build(t testing.TB, d bundle.Dossier) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := bundle.Build(t.Context(), &b, d); err != nil {
		t.Fatalf("building: %v", err)
	}
	return b.Bytes()
}

// oneOfEach is a dossier with every media type that the vault takes.
func oneOfEach(t testing.TB) []document {
	t.Helper()
	once.Do(func() { each = makeOneOfEach(t) })
	return slices.Clone(each)
}

var (
	once sync.Once
	each []document
)

func makeOneOfEach(t testing.TB) []document {
	t.Helper()
	pic := picture(640, 480)
	return []document{
		{"Phiếu đảng viên", "party.member_slip", "Phiếu đảng viên", "application/pdf", ledger.OriginDeclared, paper(t, "Phiếu đảng viên", 3), 2, ""},
		{"Ảnh quét quyết định kết nạp", "party.admission", "Hồ sơ kết nạp", "image/jpeg", ledger.OriginDigitised, encode(t, func(w io.Writer) error { return jpeg.Encode(w, pic, nil) }), 1, ""},
		{"Giấy giới thiệu", "party.transfer", "Giấy giới thiệu chuyển sinh hoạt", "image/png", ledger.OriginDigitised, encode(t, func(w io.Writer) error { return png.Encode(w, pic) }), 1, ""},
		{"Bản quét lý lịch", "party.curriculum_vitae", "Lý lịch đảng viên", "image/tiff", ledger.OriginDigitised, encode(t, func(w io.Writer) error { return tiff.Encode(w, picture(120, 90), nil) }), 1, ""},
		{"Phiếu bổ sung (XML)", "party.supplement_slip", "Phiếu bổ sung hồ sơ đảng viên", "application/xml", ledger.OriginShared, []byte("<?xml version=\"1.0\"?>\n<phiếu>\n\t<họtên>Nguyễn Minh Họa</họtên>\n</phiếu>\n"), 1, ""},
		{"Phiếu bổ sung (JSON)", "party.supplement_slip", "Phiếu bổ sung hồ sơ đảng viên", "application/json", ledger.OriginShared, []byte(`{"họ tên": "Nguyễn Minh Họa", "năm": 2026}`), 4, ""},
	}
}

// paper is a PDF of pages in Vietnamese.
func paper(t testing.TB, title string, pages int) []byte {
	t.Helper()
	f := fpdf.New("P", "mm", "A4", "")
	f.AddUTF8FontFromBytes("serif", "", liberationserifregular.TTF)
	f.SetFont("serif", "", 14)
	for i := range pages {
		f.AddPage()
		f.Text(30, 40, fmt.Sprintf("%s – trang %d: Đặng Thị Ngọc Ẩn, Nghệ Tĩnh ĩ Ĩ", title, i+1))
	}
	return encode(t, f.Output)
}

func picture(w, h int) image.Image {
	pic := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			pic.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x ^ y), 255})
		}
	}
	return pic
}

func encode(t testing.TB, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
