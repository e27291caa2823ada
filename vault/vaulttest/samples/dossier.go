package samples

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"

	"golang.org/x/image/tiff"
)

// Dossier is what one register keeps of an invented person.
type Dossier struct {
	Register string // as the vault writes it: "party", "cadre", …
	Subject  Subject
	Files    []File
	texts    []string
}

// Texts returns words that stand in the files and nowhere else. PDF, XML and JSON files hold the subject's name and number and
// the note in plain UTF-8 (a PDF in its metadata), so that a stored object in which none of them is found was encrypted.
func (d Dossier) Texts() []string { return d.texts }

// File is a document to deposit as one record.
type File struct {
	Name      string // of the file, ASCII, holds no personal name
	Kind      string // as the vault writes it: "party.member_slip", …
	Title     string
	MediaType string
	Origin    string // "declared" or "digitised"
	// Write draws the file. Every call writes the same bytes; calls may run at the same time.
	Write func(io.Writer) error
}

// Size chooses how heavy the files are.
type Size int

const (
	// Small is for tests: scans at 60 dpi, long papers cut short; a dossier is drawn in well under a second.
	Small Size = iota
	// Full is for people: scans at 300 dpi, from about 100 KB to 50 MB.
	Full
)

// Registers lists the registers of which there are samples.
func Registers() []string {
	return []string{"party", "cadre", "protection", "health", "training", "research"}
}

// New draws the dossier that a register keeps of the person of seed: the same seed is the same person in every register.
// It panics on a register that is not in [Registers].
func New(seed uint64, register string, size Size) Dossier {
	p := newPerson(seed)
	c := catalogue{person: p, seed: seed, size: size}
	d := Dossier{Register: register, Subject: p.Subject, texts: p.texts()}
	switch register {
	case "party":
		c.scanned("party.member_slip", "phieu-dang-vien.pdf", "Phiếu đảng viên", memberSlip)
		c.digital("party.curriculum_vitae", "ly-lich.pdf", "Lý lịch của người xin vào Đảng", curriculumVitae)
		c.scanned("party.admission", "ho-so-ket-nap.pdf", "Hồ sơ kết nạp", longPaper("HỒ SƠ KẾT NẠP", c.pages(12)))
		c.picture("party.transfer", "giay-gioi-thieu.jpg", "Giấy giới thiệu chuyển sinh hoạt Đảng", "image/jpeg", 300, vettingConclusion)
	case "cadre":
		c.digital("cadre.curriculum_vitae", "so-yeu-ly-lich.pdf", "Sơ yếu lý lịch mẫu 2C", curriculumVitae)
		c.scanned("cadre.decision", "quyet-dinh-bo-nhiem.pdf", "Quyết định bổ nhiệm", decision)
		c.scanned("cadre.evaluation", "danh-gia-2025.pdf", "Phiếu đánh giá, xếp loại năm 2025", evaluation)
		c.data("cadre.supplement_slip", "ke-khai-bo-sung.xml", "Phiếu kê khai bổ sung năm 2026", "application/xml", writeXML)
	case "protection":
		c.scanned("protection.vetting_conclusion", "ket-luan-tccct.pdf", "Kết luận tiêu chuẩn chính trị", vettingConclusion)
	case "health":
		c.picture("health.class", "phan-loai-suc-khoe.png", "Kết luận phân loại sức khỏe", "image/png", 150, healthClass)
		c.data("health.summary", "tom-tat-suc-khoe.json", "Tóm tắt sức khỏe", "application/json", writeJSON)
	case "training":
		c.scanned("training.diploma", "bang-cu-nhan.pdf", "Bằng cử nhân", diploma)
		c.picture("training.certificate", "chung-chi.tif", "Chứng chỉ bồi dưỡng", "image/tiff", 200, trainingCertificate)
		c.digital("training.decision", "quyet-dinh-cu-di-hoc.pdf", "Quyết định cử đi học", decision)
	case "research":
		c.digital("research.proposal", "thuyet-minh.pdf", "Thuyết minh đề tài", longPaper("THUYẾT MINH ĐỀ TÀI", c.pages(8)))
		c.scanned("research.acceptance", "nghiem-thu.pdf", "Hồ sơ nghiệm thu", longPaper("HỒ SƠ NGHIỆM THU", c.pages(34)))
	default:
		panic("samples: no register " + register)
	}
	d.Files = c.files
	return d
}

type catalogue struct {
	person person
	seed   uint64
	size   Size
	files  []File
}

func (c *catalogue) pages(full int) int {
	if c.size == Full {
		return full
	}
	return 2
}

func (c *catalogue) add(f File) { c.files = append(c.files, f) }

func (c *catalogue) digital(kind, name, title string, compose func(person) []page) {
	p := c.person
	c.add(File{name, kind, title, "application/pdf", "declared", func(w io.Writer) error { return writeDigital(w, title, metadata(p, title), compose(p)) }})
}

func (c *catalogue) data(kind, name, title, media string, write func(io.Writer, person) error) {
	p := c.person
	c.add(File{name, kind, title, media, "declared", func(w io.Writer) error { return write(w, p) }})
}

// scanner seeds the noise with the file, so that a file is the same whichever others were drawn before it.
func (c *catalogue) scanner(name string, dpi float64) *scanner {
	if c.size == Small {
		dpi = 60
	}
	id := sha256.Sum256([]byte(name))
	return &scanner{dpi: dpi, random: rand.New(rand.NewPCG(c.seed, uint64(id[0])<<8|uint64(id[1])))} //nolint:gosec // noise of a drawing
}

var quality = &jpeg.Options{Quality: 82}

func (c *catalogue) scanned(kind, name, title string, compose func(person) []page) {
	p, fresh := c.person, *c
	c.add(File{name, kind, title, "application/pdf", "digitised", func(w io.Writer) error {
		s, out := fresh.scanner(name, 300), newImagePDF(w)
		var b bytes.Buffer
		for _, page := range compose(p) {
			img := s.scan(page)
			b.Reset()
			if err := jpeg.Encode(&b, img, quality); err != nil {
				return fmt.Errorf("encoding a page: %w", err)
			}
			if err := out.add(page.width, page.height, img.Rect.Dx(), img.Rect.Dy(), b.Bytes()); err != nil {
				return fmt.Errorf("writing a page: %w", err)
			}
		}
		id := sha256.Sum256(fmt.Appendf(nil, "%d %s", fresh.seed, name))
		return out.close(hex.EncodeToString(id[:16]), metadata(p, title))
	}})
}

func (c *catalogue) picture(kind, name, title, media string, dpi float64, compose func(person) []page) {
	p, fresh := c.person, *c
	c.add(File{name, kind, title, media, "digitised", func(w io.Writer) error {
		img := fresh.scanner(name, dpi).scan(compose(p)[0])
		switch media {
		case "image/jpeg":
			return jpeg.Encode(w, img, quality)
		case "image/png":
			return png.Encode(w, img)
		default:
			return tiff.Encode(w, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		}
	}})
}

// metadata is the XMP packet of a PDF: what scanners and word processors write about a file, uncompressed.
func metadata(p person, title string) []byte {
	return fmt.Appendf(nil, `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title><rdf:Alt><rdf:li xml:lang="vi">%s</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>%s</rdf:li><rdf:li>%s</rdf:li></rdf:Bag></dc:subject>
<dc:description><rdf:Alt><rdf:li xml:lang="vi">%s</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`, title, p.Name, p.PersonalNumber, note)
}

type healthSummary struct {
	Note    string   `json:"ghi_chu"`
	Subject Subject  `json:"chu_the"`
	Class   string   `json:"phan_loai"`
	Visits  []string `json:"lan_kham"`
}

func writeJSON(w io.Writer, p person) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(healthSummary{note, p.Subject, "Loại II", []string{filler(p, 1), filler(p, 2)}})
}

type supplementSlip struct {
	XMLName xml.Name `xml:"phieu_ke_khai_bo_sung"`
	Year    int      `xml:"nam,attr"`
	Note    string   `xml:"ghi_chu"`
	Name    string   `xml:"ho_va_ten"`
	Number  string   `xml:"so_dinh_danh"`
	Post    string   `xml:"chuc_vu"`
	Changes []string `xml:"thay_doi>muc"`
}

func writeXML(w io.Writer, p person) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	return e.Encode(supplementSlip{Year: 2026, Note: note, Name: p.Name, Number: p.PersonalNumber, Post: p.Post, Changes: []string{filler(p, 3), filler(p, 4)}})
}
