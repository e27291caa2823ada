package bundle

import (
	"fmt"
	"strings"
)

// Where the visible signatures stand, in millimetres from the upper left of the cover.
const (
	boxTop, boxHeight = 176.0, 30.0
	sealLeft          = marginLeft
	personLeft        = pageWidth - marginRight - boxWidth
	boxWidth          = 80.0
)

// SignatureRects gives where the person's and the seal's visible signatures go on the cover (page 1), in points from the lower left:
// x0, y0, x1, y1.
func SignatureRects() (person, seal [4]float64) {
	rect := func(left float64) [4]float64 {
		return [4]float64{
			left * pointsPerMM, (pageHeight - boxTop - boxHeight) * pointsPerMM,
			(left + boxWidth) * pointsPerMM, (pageHeight - boxTop) * pointsPerMM,
		}
	}
	return rect(personLeft), rect(sealLeft)
}

// titles of the six registers' dossiers.
var titles = map[string]string{
	"party":      "HỒ SƠ ĐẢNG VIÊN",
	"cadre":      "HỒ SƠ CÁN BỘ",
	"protection": "HỒ SƠ BẢO VỆ CHÍNH TRỊ NỘI BỘ",
	"health":     "HỒ SƠ SỨC KHỎE CÁN BỘ",
	"training":   "HỒ SƠ ĐÀO TẠO, BỒI DƯỠNG",
	"research":   "HỒ SƠ NGHIÊN CỨU KHOA HỌC",
}

func dossierTitle(register string) string {
	if t, ok := titles[register]; ok {
		return t
	}
	return "HỒ SƠ ĐIỆN TỬ"
}

// drawCover draws page 1. Everything has a fixed place except the table, whose letters shrink until it fits.
func drawCover(s *sheet, d *Dossier, c Contents) {
	s.pdf.AddPage()
	drawLetterhead(s, d)

	s.font(bold, 22)
	y := s.paragraph(marginLeft, 52, textWidth, "C", dossierTitle(c.Register))
	s.font(italic, 12)
	y = s.write(marginLeft, y+0.5, textWidth, "C", "(Bản điện tử xuất từ kho hồ sơ, có chữ ký số)")
	s.font(bold, 17)
	y = s.write(marginLeft, y+4, textWidth, "C", atMost(2, s.fold(strings.ToUpper(printed(d.Subject)), textWidth))...)

	drawFacts(s, d, c, y+4)
	drawSignatureBoxes(s, d)
	drawInstructions(s)
	s.footer(fmt.Sprintf("Trang 1/%s", vnNumber(c.Pages)))
}

// drawLetterhead: the unit on the left, the Party's name on the right, as its papers have it.
func drawLetterhead(s *sheet, d *Dossier) {
	const half = 80.0
	right := pageWidth - marginRight - half
	s.font(bold, 12)
	unit := printed(d.Unit)
	if unit == "" {
		unit = "(chưa ghi đơn vị)"
	}
	below := s.write(marginLeft, marginTop, half-4, "C", atMost(4, s.fold(strings.ToUpper(unit), half-4))...)
	s.font(regular, 12)
	s.write(marginLeft, below, half-4, "C", "*")

	s.font(bold, 13)
	below = s.write(right, marginTop, half, "C", "ĐẢNG CỘNG SẢN VIỆT NAM")
	s.rule(right+8, below+1, right+half-8, below+1, 0.8)
	s.font(italic, 11)
	s.write(right, below+3, half, "C", "Xuất ngày "+vnTime(d.Exported))
}

// atMost keeps the first n lines and says when there were more; the full text stands in dossier.txt or in the document.
func atMost(n int, lines []string) []string {
	if len(lines) <= n {
		return lines
	}
	return append(lines[:n-1:n-1], lines[n-1]+" …")
}

// fact is a row of the cover's table.
type fact struct{ label, value string }

func facts(d *Dossier, c Contents) []fact {
	rows := []fact{
		{"Cơ sở dữ liệu", d.Register},
		{"Đơn vị quản lý hồ sơ", d.Unit},
		{"Ngày sinh", vnBirthDate(d.BirthDate)},
		{"Số định danh", d.PersonalNumber},
		{"Mục đích xuất hồ sơ", d.Purpose},
		{"Thời điểm xuất", vnTime(d.Exported)},
		{"Số tài liệu", fmt.Sprintf("%s tài liệu, %s trang (kể cả bìa và mục lục)", vnNumber(len(c.Entries)), vnNumber(c.Pages))},
		{"Mã hồ sơ", d.ID.String()},
		{"Mã bản xuất", d.Export.String()},
	}
	kept := rows[:0]
	for _, r := range rows {
		if printed(r.value) != "" {
			kept = append(kept, r)
		}
	}
	return kept
}

const (
	labelWidth = 48.0
	cellGap    = 2.0
)

// drawFacts draws the table between top and the signatures with the largest letters that let it fit; at the smallest, long values
// are cut, which the row says.
func drawFacts(s *sheet, d *Dossier, c Contents, top float64) {
	rows := facts(d, c)
	const floor = boxTop - 14
	for size := 12.0; ; size-- {
		limit := 1000
		if size < 8 {
			size, limit = 8, 2
		}
		height := 0.0
		folded := make([][]string, len(rows))
		for i, r := range rows {
			s.font(bold, size)
			folded[i] = atMost(limit, s.fold(r.value, textWidth-labelWidth-2*cellGap))
			height += float64(len(folded[i]))*s.lineHeight() + cellGap
		}
		if top+height > floor && limit > 2 {
			continue
		}
		y := top
		for i, r := range rows {
			y = drawFact(s, y, size, r.label, folded[i])
		}
		s.rule(marginLeft, y, pageWidth-marginRight, y, 0.5)
		for _, x := range []float64{marginLeft, marginLeft + labelWidth, pageWidth - marginRight} {
			s.rule(x, top, x, y, 0.5)
		}
		return
	}
}

func drawFact(s *sheet, y, size float64, label string, value []string) float64 {
	s.rule(marginLeft, y, pageWidth-marginRight, y, 0.5)
	y += cellGap / 2
	s.font(regular, size)
	s.write(marginLeft+cellGap, y, labelWidth-2*cellGap, "L", label)
	s.font(bold, size)
	return s.write(marginLeft+labelWidth+cellGap, y, textWidth-labelWidth-2*cellGap, "L", value...) + cellGap/2
}

// drawSignatureBoxes: the seal stands left of the person's signature, as on paper, or over its left third.
func drawSignatureBoxes(s *sheet, d *Dossier) {
	heading := func(x float64, title, note string) {
		s.font(bold, 11.5)
		y := s.write(x, boxTop-11, boxWidth, "C", title)
		s.font(italic, 10)
		s.write(x, y, boxWidth, "C", note)
		s.pdf.SetDrawColor(170, 170, 170)
		s.pdf.SetLineWidth(0.15)
		s.pdf.Rect(x, boxTop, boxWidth, boxHeight, "D")
		s.pdf.SetDrawColor(0, 0, 0)
	}
	if d.Stamped {
		heading(personLeft, "NGƯỜI CÓ THẨM QUYỀN", "(ký số; dấu của cơ quan ký số trùm lên)")
	} else {
		heading(sealLeft, "CON DẤU CỦA CƠ QUAN, TỔ CHỨC", "(chữ ký số của cơ quan)")
		heading(personLeft, "NGƯỜI CÓ THẨM QUYỀN", "(ký số)")
	}
	s.font(bold, 11.5)
	s.write(personLeft, boxTop+boxHeight+1.5, boxWidth, "C", atMost(2, s.fold(d.Signer, boxWidth))...)
}

// checkCommand is what a stranger types.
const checkCommand = "trien-verify FILE.pdf --anchors anchors.pem --policy policy.txt"

// drawInstructions tells a stranger how to check the file.
func drawInstructions(s *sheet) {
	const top = boxTop + boxHeight + 15
	s.rule(marginLeft, top-2, pageWidth-marginRight, top-2, 0.5)
	s.font(bold, 9.5)
	y := s.write(marginLeft, top, textWidth, "L", "CÁCH KIỂM TRA TỆP NÀY")
	s.font(regular, 9.5)
	y = s.paragraph(marginLeft, y, textWidth, "L", "Tệp đính kèm nguyên vẹn bản gốc của từng tài liệu cùng bằng chứng đã ghi sổ cái. Ai cũng kiểm tra được, "+
		"không cần mạng, bằng chương trình trien-verify, với chứng thư gốc (anchors.pem) và chính sách sổ cái (policy.txt) lấy trực tiếp từ "+
		"cơ quan phát hành, không lấy từ tệp này:")
	s.font(mono, 9)
	y = s.write(marginLeft+5, y+0.8, textWidth, "L", checkCommand) + 0.8
	s.font(regular, 9.5)
	y = s.paragraph(marginLeft, y, textWidth, "L", "Kết quả “ĐẠT” nghĩa là: đúng chữ ký của người ký và của cơ quan, không byte nào bị đổi, mọi bản gốc đúng như khi "+
		"ghi sổ cái. Bản in ra giấy không kiểm tra được chữ ký số.")
	s.font(italic, 9)
	y = s.paragraph(marginLeft, y+1.5, textWidth, "L", "How to check this file: it carries each original document byte for byte, with the proof that it stands in the ledger. "+
		"Anyone can check it offline with trien-verify, using the root certificates (anchors.pem) and the ledger policy (policy.txt) obtained from the issuing body "+
		"itself, not from this file:")
	s.font(mono, 8.5)
	y = s.write(marginLeft+5, y+0.8, textWidth, "L", checkCommand) + 0.8
	s.font(italic, 9)
	s.paragraph(marginLeft, y, textWidth, "L", "“PASSED” means: signed by the person and sealed by the organisation, not a byte changed, every original as the ledger holds it. "+
		"Signatures cannot be checked on a paper print.")
}
