package bundle

import (
	"fmt"
	"strings"
	"time"
)

// columns of the table of contents, in millimetres.
const (
	numberWidth = 12.0
	pagesWidth  = 22.0
	titleWidth  = textWidth - numberWidth - pagesWidth
	tableFloor  = pageHeight - marginBottom - 2
)

// row is a document in the table of contents. Its height does not depend on page numbers, so that the pages that the table
// takes are known before them.
type row struct {
	title        []string
	details      []string // kind, version, time, size
	hash, ledger string
	height       float64
}

// layRow folds the texts of one item.
func layRow(s *sheet, it *item) row {
	width := titleWidth - 2*cellGap
	r := row{
		hash:   "SHA-256 " + it.manifest.SHA256.String(),
		ledger: fmt.Sprintf("Sổ cái: mục số %s · Tệp đính kèm: %s", vnNumber(it.receipt.Index), it.fileName),
	}
	s.font(bold, 11.5)
	r.title = s.fold(it.title, width)
	r.height = float64(len(r.title)) * s.lineHeight()
	s.font(regular, 10)
	details := fmt.Sprintf("phiên bản %s · ghi nhận %s · %s, %s", vnNumber(it.Version.Number),
		vnTime(it.manifest.Time), strings.ToUpper(extension(it.manifest.MediaType)), vnSize(it.manifest.Size))
	if it.kindLabel != it.title {
		details = it.kindLabel + " · " + details
	}
	r.details = s.fold(details, width)
	r.height += float64(len(r.details)) * s.lineHeight()
	s.font(mono, 7.5)
	r.height += 2*s.lineHeight() + cellGap + 0.6
	return r
}

// layListing spreads the rows over pages: the index of the first row of each page.
func layListing(s *sheet, items []*item) (rows []row, starts []int) {
	y := tableFloor + 1 // the first row starts the first page
	for i, it := range items {
		r := layRow(s, it)
		rows = append(rows, r)
		if y+r.height > tableFloor {
			starts = append(starts, i)
			y = tableTop(s, len(starts) == 1)
		}
		y += r.height
	}
	return rows, starts
}

// tableTop is where rows begin: below the heading on the first page, and below the table's head on each.
func tableTop(s *sheet, first bool) float64 {
	top := marginTop
	if first {
		s.font(bold, 16)
		top += s.lineHeight() + 4
	}
	s.font(bold, 11)
	return top + s.lineHeight() + cellGap
}

// drawListing draws the table of contents with its page numbers, from page 2.
func drawListing(s *sheet, items []*item, c Contents) {
	rows, starts := layListing(s, items)
	for n, start := range starts {
		end := len(rows)
		if n+1 < len(starts) {
			end = starts[n+1]
		}
		s.pdf.AddPage()
		if n == 0 {
			s.font(bold, 16)
			s.write(marginLeft, marginTop, textWidth, "C", "MỤC LỤC TÀI LIỆU")
		}
		y := tableTop(s, n == 0)
		s.font(bold, 11)
		top := y - s.lineHeight() - cellGap
		s.write(marginLeft, top+cellGap/2, numberWidth, "C", "STT")
		s.write(marginLeft+numberWidth, top+cellGap/2, titleWidth, "C", "Tài liệu")
		s.write(marginLeft+numberWidth+titleWidth, top+cellGap/2, pagesWidth, "C", "Trang")
		s.rule(marginLeft, top, pageWidth-marginRight, top, 0.8)
		s.rule(marginLeft, y, pageWidth-marginRight, y, 0.8)
		for i := start; i < end; i++ {
			drawRow(s, rows[i], i, y, c.Entries[i])
			y += rows[i].height
			s.rule(marginLeft, y, pageWidth-marginRight, y, 0.4)
		}
		for _, x := range []float64{marginLeft, marginLeft + numberWidth, pageWidth - marginRight - pagesWidth, pageWidth - marginRight} {
			s.rule(x, top, x, y, 0.4)
		}
		s.footer(fmt.Sprintf("Trang %s/%s", vnNumber(n+2), vnNumber(c.Pages)))
	}
}

func drawRow(s *sheet, r row, i int, y float64, e Entry) {
	y += cellGap / 2
	s.font(regular, 11.5)
	s.write(marginLeft, y, numberWidth, "C", vnNumber(i+1))
	s.write(marginLeft+numberWidth+titleWidth, y, pagesWidth, "C", pageRange(e))
	x, width := marginLeft+numberWidth+cellGap, titleWidth-2*cellGap
	s.font(bold, 11.5)
	y = s.write(x, y, width, "L", r.title...)
	s.font(regular, 10)
	y = s.write(x, y, width, "L", r.details...)
	s.font(mono, 7.5)
	s.write(x, y+0.6, width, "L", r.hash, r.ledger)
}

func pageRange(e Entry) string {
	if e.FirstPage == e.LastPage {
		return vnNumber(e.FirstPage)
	}
	return vnNumber(e.FirstPage) + "–" + vnNumber(e.LastPage)
}

// front draws cover and table of contents, and says how many pages they are.
func front(d *Dossier, items []*item, c Contents) ([]byte, error) {
	s := newSheet(d.Exported, regular, bold, italic, mono)
	drawCover(s, d, c)
	drawListing(s, items, c)
	return s.bytes()
}

// frontPages counts what front will draw.
func frontPages(at time.Time, items []*item) int {
	_, starts := layListing(newSheet(at, regular, bold, mono), items)
	return 1 + len(starts)
}
