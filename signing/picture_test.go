package signing_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trien/signing"
)

// pngOf draws a picture: where ink says so it has the colour, elsewhere it is transparent.
func pngOf(t testing.TB, width, height int, c color.NRGBA, ink func(x, y float64) bool) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			if ink((float64(x)+0.5)/float64(width), (float64(y)+0.5)/float64(height)) {
				m.SetNRGBA(x, y, c)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var (
	blue = color.NRGBA{0, 0, 255, 255}
	red  = color.NRGBA{255, 0, 0, 255}
)

// signatureImage is a blue bar over the whole width, so that its edges can be found again.
func signatureImage(t testing.TB) []byte {
	return pngOf(t, 300, 100, blue, func(_, y float64) bool { return y > 0.3 && y < 0.7 })
}

// sealImage is a red ring.
func sealImage(t testing.TB) []byte {
	return pngOf(t, 200, 200, red, func(x, y float64) bool {
		r := math.Hypot(x-0.5, y-0.5)
		return r > 0.4 && r < 0.5
	})
}

// withDensity puts pHYs into a PNG.
func withDensity(b []byte, perMetre uint32) []byte {
	chunk := append([]byte("pHYs"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, perMetre), perMetre)...)
	chunk = append(chunk, 1)
	const head = 8 + 12 + 13
	out := append(bytes.Clone(b[:head]), 0, 0, 0, 9)
	out = append(out, chunk...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
	return append(out, b[head:]...)
}

// shot has poppler draw a page, a dot for a point.
func shot(t *testing.T, doc []byte, page int) image.Image {
	t.Helper()
	path := writeFile(t, "shot.pdf", doc)
	mustTool(t, "qpdf", "--check", path)
	out := filepath.Join(filepath.Dir(path), "shot")
	if said := mustTool(t, "pdftoppm", "-r", "72", "-f", fmt.Sprint(page), "-l", fmt.Sprint(page), "-png", "-singlefile", path, out); said != "" {
		t.Errorf("poppler: %s", said)
	}
	said := mustTool(t, "mutool", "draw", "-q", "-o", filepath.Join(filepath.Dir(path), "mu.png"), path, fmt.Sprint(page))
	// Debian builds mutool without colour management.
	if said = strings.TrimSpace(strings.ReplaceAll(said, "warning: ICC support is not available", "")); said != "" {
		t.Errorf("mupdf: %s", said)
	}
	b, err := os.ReadFile(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// extent is the rectangle (left, bottom, right, top in points) of the dots that match.
func extent(m image.Image, match func(r, g, b uint32) bool) [4]float64 {
	out := [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	height := m.Bounds().Dy()
	for y := range height {
		for x := range m.Bounds().Dx() {
			r, g, b, _ := m.At(x, y).RGBA()
			if match(r>>8, g>>8, b>>8) {
				out[0], out[2] = min(out[0], float64(x)), max(out[2], float64(x+1))
				out[1], out[3] = min(out[1], float64(height-y-1)), max(out[3], float64(height-y))
			}
		}
	}
	return out
}

func isBlue(r, g, b uint32) bool { return b > 200 && r < 80 && g < 80 }
func isRed(r, g, b uint32) bool  { return r > 200 && b < 80 && g < 80 }

func near(a, b [4]float64, by float64) bool {
	for i := range a {
		if !(math.Abs(a[i]-b[i]) <= by) {
			return false
		}
	}
	return true
}

func TestSealRect(t *testing.T) {
	got := signing.SealRect([4]float64{300, 100, 390, 130}, 42*signing.Millimetre, 42*signing.Millimetre)
	const side = 42 * 72 / 25.4
	if !near(got, [4]float64{330 - side, 115 - side/2, 330, 115 + side/2}, 1e-9) {
		t.Errorf("seal at %v", got)
	}
}

// TestDecree lays a person's block and the organisation's seal out as Decree 30/2020 has it, on pages of every kind, and looks at what
// poppler draws: the seal's ring reaches a third into the signature and has its real size, and the signature shows through it.
func TestDecree(t *testing.T) {
	l := newLab(t)
	docs := variants(t)
	for _, degrees := range []string{"180", "270"} {
		plain, turned := writeFile(t, "plain.pdf", samplePDF(5)), filepath.Join(t.TempDir(), "turned.pdf")
		mustTool(t, "qpdf", "--rotate="+degrees, plain, turned)
		b, err := os.ReadFile(turned)
		if err != nil {
			t.Fatal(err)
		}
		docs["turned "+degrees] = b
	}
	person := &signing.Appearance{
		Page: 2, Rect: [4]float64{300, 200, 500, 330}, Layout: signing.Block, Post: "TRƯỞNG BAN", Name: "Nguyễn Thị Mĩ Ngọc",
		Picture: &signing.Picture{PNG: signatureImage(t)},
	}
	const side = 42 * signing.Millimetre
	for name, base := range docs {
		t.Run(name, func(t *testing.T) {
			doc := l.sign(t, base, signing.Request{Certificate: l.personCert, Visible: person}, l.personKey, l.tsa)
			text := mustTool(t, "pdftotext", "-f", "2", "-l", "2", writeFile(t, "person.pdf", doc), "-")
			if !strings.Contains(text, person.Post) || !strings.Contains(text, person.Name) {
				t.Errorf("the block reads %q", text)
			}
			ink := extent(shot(t, doc, 2), isBlue)
			if ink[0] < 300 || ink[2] > 500 || math.Abs((ink[0]+ink[2])/2-400) > 1 || ink[1] < 220 || ink[3] > 310 {
				t.Errorf("the signature is drawn at %v", ink)
			}
			doc = l.sign(t, doc, signing.Request{Certificate: l.sealCert, Visible: &signing.Appearance{
				Over: "Signature1", Picture: &signing.Picture{PNG: sealImage(t), Width: side},
			}}, l.sealKey, l.tsa)
			m := shot(t, doc, 2)
			ring := extent(m, isRed)
			third := ink[0] + (ink[2]-ink[0])/3
			middle := (ink[1] + ink[3]) / 2
			if want := [4]float64{third - side, middle - side/2, third, middle + side/2}; !near(ring, want, 2) {
				t.Errorf("the seal is drawn at %v, want %v", ring, want)
			}
			if under := extent(m, isBlue); under[0] > ink[0]+1 { // inside the ring the seal is transparent
				t.Errorf("the seal hides the signature from %v to %v", ink[0], under[0])
			}
			if r := l.inspect(t, l.stamp(t, l.evidence(t, doc)), true); r.Indication() != signing.Passed {
				t.Error(describe(r))
			}
			keepImage(t, m)
		})
	}
}

// keepImage leaves what was drawn for people to look at, if they ask.
func keepImage(t *testing.T, m image.Image) {
	t.Helper()
	dir := os.Getenv("TRIEN_KEEP_IMAGES")
	if dir == "" {
		return
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	name := strings.Map(func(r rune) rune {
		if r == ' ' || r == '/' {
			return '-'
		}
		return r
	}, t.Name())
	if err := os.WriteFile(filepath.Join(dir, name+".png"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSealSize: the file's pixel density says how large the seal is; without it, without a signature or without room the seal is refused.
func TestSealSize(t *testing.T) {
	l := newLab(t)
	at := func(left float64) []byte {
		return l.sign(t, samplePDF(1), signing.Request{Certificate: l.personCert, Visible: &signing.Appearance{
			Rect: [4]float64{left, 200, left + 90, 230}, Picture: &signing.Picture{PNG: signatureImage(t)},
		}}, l.personKey, nil)
	}
	signed, seal := at(300), sealImage(t)
	doc := l.sign(t, signed, signing.Request{Certificate: l.sealCert, Visible: &signing.Appearance{
		Over: "Signature1", Picture: &signing.Picture{PNG: withDensity(seal, 5000)}, // 200 pixels are 40 mm
	}}, l.sealKey, nil)
	ring := extent(shot(t, doc, 1), isRed)
	const side = 40 * signing.Millimetre
	if want := [4]float64{330 - side, 215 - side/2, 330, 215 + side/2}; !near(ring, want, 2) {
		t.Errorf("the seal is drawn at %v, want %v", ring, want)
	}
	for name, c := range map[string]struct {
		doc  []byte
		look signing.Appearance
	}{
		"no density":   {signed, signing.Appearance{Over: "Signature1", Picture: &signing.Picture{PNG: seal}}},
		"no picture":   {signed, signing.Appearance{Over: "Signature1", Name: "x"}},
		"no signature": {signed, signing.Appearance{Over: "Signature9", Picture: &signing.Picture{PNG: seal, Width: 100}}},
		"no room":      {at(20), signing.Appearance{Over: "Signature1", Picture: &signing.Picture{PNG: seal, Width: 100}}},
		"two places":   {signed, signing.Appearance{Over: "Signature1", Page: 1, Picture: &signing.Picture{PNG: seal, Width: 100}}},
		"invisible":    {l.person(t, samplePDF(1)), signing.Appearance{Over: "Signature1", Picture: &signing.Picture{PNG: seal, Width: 100}}},
	} {
		_, err := signing.Prepare(t.Context(), bytes.NewReader(c.doc), int64(len(c.doc)), signing.Request{Certificate: l.sealCert, Visible: &c.look})
		if !errors.Is(err, signing.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLayouts draws text and picture beside and over each other, broken into lines and as large as fits.
func TestLayouts(t *testing.T) {
	l := newLab(t)
	full := signing.Appearance{
		Rect: [4]float64{250, 60, 560, 150}, Name: "Nguyễn Thị Mĩ Ngọc", Post: "Trưởng phòng Tổ chức – Cán bộ", ShowTime: true,
		Unit: "Ban Tổ chức Thử nghiệm thuộc Đảng bộ Khối các cơ quan Thử nghiệm", Reason: "phê duyệt hồ sơ theo đúng quy định về số hóa và lưu trữ",
		Picture: &signing.Picture{PNG: signatureImage(t)},
	}
	for name, change := range map[string]func(a *signing.Appearance){
		"beside":    func(*signing.Appearance) {},
		"behind":    func(a *signing.Appearance) { a.Layout = signing.Behind },
		"block":     func(a *signing.Appearance) { a.Layout = signing.Block; a.Rect[3] = 250 },
		"text only": func(a *signing.Appearance) { a.Picture = nil },
		"new page":  func(a *signing.Appearance) { a.Page = signing.NewPage },
	} {
		t.Run(name, func(t *testing.T) {
			a := full
			change(&a)
			doc := l.sign(t, samplePDF(2), signing.Request{Certificate: l.personCert, Visible: &a}, l.personKey, l.tsa)
			page := 2
			if a.Page == signing.NewPage {
				page = 3
			}
			m := shot(t, doc, page)
			keepImage(t, m)
			text := strings.Join(strings.Fields(mustTool(t, "pdftotext", "-raw", "-f", fmt.Sprint(page), "-l", fmt.Sprint(page), writeFile(t, "a.pdf", doc), "-")), " ")
			stamp := l.now().UTC().Format("2006")
			for _, want := range []string{a.Name, a.Post, a.Unit, "Lý do: " + a.Reason, "+07:00", "Ngày ", stamp} {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not shown in %q", want, text)
				}
			}
			if ink := extent(m, isBlue); a.Picture != nil && (ink[0] < a.Rect[0] || ink[2] > a.Rect[2] || ink[1] < a.Rect[1] || ink[3] > a.Rect[3]) {
				t.Errorf("the picture is drawn at %v", ink)
			}
			if r := l.inspect(t, l.stamp(t, l.evidence(t, doc)), true); r.Indication() != signing.Passed {
				t.Error(describe(r))
			}
		})
	}
}

// TestLetters: every Vietnamese letter is drawn, in any composition; what the font has not got is refused.
func TestLetters(t *testing.T) {
	l := newLab(t)
	prepare := func(text string) error {
		doc := samplePDF(1)
		_, err := signing.Prepare(t.Context(), bytes.NewReader(doc), int64(len(doc)), signing.Request{Certificate: l.personCert,
			Visible: &signing.Appearance{Rect: [4]float64{50, 50, 500, 500}, Name: text}})
		return err
	}
	var all strings.Builder
	for _, base := range "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY" {
		all.WriteRune(base)
		for _, tone := range "\u0300\u0301\u0303\u0309\u0323" {
			all.WriteRune(base)
			all.WriteRune(tone)
		}
	}
	for _, text := range []string{all.String() + "đĐ", "Vu\u031b\u0303 Thi\u0303", "a\u00a0b\u200bc\tđ\u202e", "– — “” ‘’ … № ₫ €"} {
		if err := prepare(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, says := range map[string]string{"Ngọc 😀": "U+1F600", "漢": "U+6F22", "𝔸": "U+1D538", "x\u0342": "U+0342"} {
		if err := prepare(text); !errors.Is(err, signing.ErrUnsupported) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := prepare(strings.Repeat("chữ ", 1500)); !errors.Is(err, signing.ErrUnsupported) {
		t.Errorf("a long text: %v", err)
	}
}

// TestPictureRefused: a picture that is not whole, or not what it says, stops the signature before it begins.
func TestPictureRefused(t *testing.T) {
	l := newLab(t)
	good := sealImage(t)
	broken := bytes.Clone(good)
	broken[len(broken)/2] ^= 1
	for name, c := range map[string]struct {
		png  []byte
		kind error
	}{
		"empty":    {nil, signing.ErrDamaged},
		"cut off":  {good[:len(good)-20], signing.ErrDamaged},
		"damaged":  {broken, signing.ErrDamaged},
		"trailing": {append(bytes.Clone(good), 0), signing.ErrDamaged},
		"text":     {[]byte("no picture at all, only words"), signing.ErrDamaged},
		"large":    {make([]byte, 9<<20), signing.ErrUnsupported},
	} {
		doc := samplePDF(1)
		_, err := signing.Prepare(t.Context(), bytes.NewReader(doc), int64(len(doc)), signing.Request{Certificate: l.sealCert,
			Visible: &signing.Appearance{Rect: [4]float64{50, 50, 150, 150}, Picture: &signing.Picture{PNG: c.png}}})
		if !errors.Is(err, c.kind) {
			t.Errorf("%s: %v, want %v", name, err, c.kind)
		}
	}
}

// TestPictureCheck: what is wrong with a picture is known before a document is.
func TestPictureCheck(t *testing.T) {
	seal := sealImage(t)
	pixels, size, err := (&signing.Picture{PNG: seal}).Check()
	if err != nil || pixels != [2]int{200, 200} || size != [2]float64{} {
		t.Errorf("%v, %v, %v", pixels, size, err)
	}
	_, size, err = (&signing.Picture{PNG: withDensity(seal, 5000)}).Check()
	if side := 40 * signing.Millimetre; err != nil || math.Abs(size[0]-side) > 0.01 || math.Abs(size[1]-side) > 0.01 {
		t.Errorf("%v, %v", size, err)
	}
	if _, size, err = (&signing.Picture{PNG: withDensity(seal, 5000), Width: 90}).Check(); err != nil || size[0] != 90 || math.Abs(size[1]-90) > 0.01 {
		t.Errorf("%v, %v", size, err)
	}
	for what, c := range map[string]struct {
		picture signing.Picture
		want    error
	}{
		"nothing":    {signing.Picture{}, signing.ErrDamaged},
		"cut off":    {signing.Picture{PNG: seal[:len(seal)-20]}, signing.ErrDamaged},
		"flipped":    {signing.Picture{PNG: flipped(seal, len(seal)/2)}, signing.ErrDamaged},
		"more":       {signing.Picture{PNG: append(bytes.Clone(seal), 0)}, signing.ErrDamaged},
		"no PNG":     {signing.Picture{PNG: []byte("<svg/>")}, signing.ErrDamaged},
		"too large":  {signing.Picture{PNG: make([]byte, 9<<20)}, signing.ErrUnsupported},
		"no width":   {signing.Picture{PNG: seal, Width: math.NaN()}, signing.ErrUnsupported},
		"any number": {signing.Picture{PNG: seal, Width: -1}, signing.ErrUnsupported},
	} {
		if _, _, err := c.picture.Check(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// TestPicturedSignatures: a seal can cover what was drawn with a picture, and nothing else.
func TestPicturedSignatures(t *testing.T) {
	l := newLab(t)
	names := func(doc []byte) []string {
		t.Helper()
		list, err := signing.PicturedSignatures(bytes.NewReader(doc), int64(len(doc)))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	doc := l.person(t, samplePDF(1)) // invisible
	doc = l.sign(t, doc, signing.Request{Certificate: l.personCert, Visible: &signing.Appearance{Rect: [4]float64{50, 50, 200, 90}, Name: "Không ảnh"}}, l.personKey, nil)
	if got := names(doc); got != nil {
		t.Errorf("pictures in %q", got)
	}
	doc = l.sign(t, doc, signing.Request{Certificate: l.personCert, Visible: &signing.Appearance{
		Rect: [4]float64{300, 50, 500, 120}, Name: "Có ảnh", Picture: &signing.Picture{PNG: signatureImage(t)},
	}}, l.personKey, nil)
	if got := names(doc); !slices.Equal(got, []string{"Signature3"}) {
		t.Errorf("pictures in %q", got)
	}
}
