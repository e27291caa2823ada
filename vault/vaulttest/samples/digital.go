package samples

import (
	"io"
	"time"

	"github.com/go-pdf/fpdf"
)

// made is the time in every file: a file must come out the same again.
var made = time.Date(2026, 3, 2, 8, 30, 0, 0, time.FixedZone("+07", 7*3600))

var faceNames = [styles]string{regular: "", bold: "B", italic: "I"}

// writeDigital writes pages as a PDF that a computer printed: text with embedded fonts, no stamp, no ink.
func writeDigital(w io.Writer, title string, metadata []byte, pages []page) error {
	f := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: shortMM, Ht: longMM}})
	f.SetCreationDate(made)
	f.SetModificationDate(made)
	f.SetCatalogSort(true)
	f.SetTitle(title, true)
	f.SetProducer("samples", true)
	f.SetXmpMetadata(metadata)
	f.SetAutoPageBreak(false, 0)
	f.SetMargins(0, 0, 0)
	for st, name := range faceNames {
		f.AddUTF8FontFromBytes("serif", name, faces[st])
	}
	for _, p := range pages {
		f.AddPageFormat("P", fpdf.SizeType{Wd: p.width, Ht: p.height})
		for _, l := range p.lines {
			f.SetLineWidth(l.width)
			f.Line(l.x1, l.y1, l.x2, l.y2)
		}
		for _, t := range p.texts {
			f.SetFont("serif", faceNames[t.style], t.size)
			f.Text(t.x, t.y, t.s)
		}
	}
	return f.Output(w)
}
