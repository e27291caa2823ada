package main

import (
	"bytes"
	"fmt"
	"strings"

	"trien/signing"
)

// input is a document to sign. A name is its producer and what is special.
type input struct {
	name, producer, what string
	make                 makeFunc
	needs                string // program beside the validators and Python
	quick                bool
	large                bool                                // removed as soon as it is judged, also with --keep
	before               int                                 // signatures in it already
	again                bool                                // the organisation that seals it is among those who signed before
	plain, visibly       bool                                // signed without anything to see, or with; neither: by turns
	way                  func(r *signing.Request, seal bool) // how it is signed; nil: nothing special
	pss, p384            bool                                // the person signs with RSA-PSS, the organisation with P-384
	refused              error                               // the reason for which we must refuse it; nil: it must be signed
}

// visible alternates, the same way in every run.
func (in input) visible() bool { return in.visibly || !in.plain && len(in.name)%2 == 0 }

var handmadePlain = byHand("1.7", "\n", plainHand)

// catalogue of all inputs.
func catalogue() []input {
	var all []input
	for _, part := range [][]input{typeset(), rewritten(), libraries(), byHands(), signedBefore(), ways(), refusals()} {
		all = append(all, part...)
	}
	return all
}

// typeset are documents of programs that people write with.
func typeset() []input {
	return []input{
		{name: "pdftex-1.4", producer: "pdfTeX", what: "PDF 1.4, classic table", needs: "pdflatex",
			make: tex(`\pdfminorversion=4 \pdfcompresslevel=0 \pdfobjcompresslevel=0 `+texHead, "")},
		{name: "pdftex-1.5", producer: "pdfTeX", what: "PDF 1.5, object streams", needs: "pdflatex", make: tex(texHead, "")},
		{name: "pdftex-links", producer: "pdfTeX", what: "hyperref: outline, links", needs: "pdflatex", make: tex(texLinks, `\tableofcontents\href{https://example.org}{x}`)},
		{name: "pdftex-form", producer: "pdfTeX", what: "AcroForm", needs: "pdflatex", make: tex(texLinks, texForm)},
		{name: "pdftex-2000-pages", producer: "pdfTeX", what: "2,000 pages", needs: "pdflatex", make: tex(texHead, texPages(2000))},
		{name: "libreoffice-1.7", producer: "LibreOffice", what: "as exported", needs: "soffice", make: office(`{}`)},
		{name: "libreoffice-1.5", producer: "LibreOffice", what: "PDF 1.5", needs: "soffice", make: office(`{"SelectPdfVersion":{"type":"long","value":"15"}}`)},
		{name: "libreoffice-a2b", producer: "LibreOffice", what: "PDF/A-2b", needs: "soffice", make: office(`{"SelectPdfVersion":{"type":"long","value":"2"}}`)},
		{name: "libreoffice-ua", producer: "LibreOffice", what: "PDF/UA, tagged, outline", needs: "soffice",
			make: office(`{"PDFUACompliance":{"type":"boolean","value":"true"},"ExportBookmarks":{"type":"boolean","value":"true"}}`)},
		{name: "chromium-print", producer: "Chromium", what: "printed page", needs: "chromium", make: chromium(htmlText(3))},
		{name: "chromium-tagged", producer: "Chromium", what: "tagged, outline, 20 pages", needs: "chromium", make: chromium(htmlText(600), "--generate-pdf-document-outline")},
		{name: "cairo-svg", producer: "cairo", what: "transparency", needs: "rsvg-convert", make: source("trang.svg", svgText, "trang.pdf", "rsvg-convert", "-f", "pdf", "-o", "trang.pdf", "trang.svg")},
		{name: "ghostscript-1.3", producer: "Ghostscript", what: "PDF 1.3 from PostScript", needs: "gs", make: ghostscript("-dCompatibilityLevel=1.3")},
		{name: "ghostscript-1.7", producer: "Ghostscript", what: "PDF 1.7 from PostScript", needs: "gs", make: ghostscript("-dCompatibilityLevel=1.7")},
		{name: "ghostscript-a2", producer: "Ghostscript", what: "PDF/A-2", needs: "gs", make: ghostscript("-dPDFA=2", "-sColorConversionStrategy=RGB")},
		{name: "typst-1.7", producer: "Typst", what: "as compiled", quick: true, make: byPython("typst_plain")},
		{name: "typst-a2b", producer: "Typst", what: "PDF/A-2b", make: byPython("typst_a2b")},
		{name: "typst-2.0", producer: "Typst", what: "PDF 2.0", make: byPython("typst_20")},
		{name: "weasyprint-a3b", producer: "WeasyPrint", what: "PDF/A-3b", make: byPython("weasyprint_a3b")},
		{name: "weasyprint-ua", producer: "WeasyPrint", what: "PDF/UA", make: byPython("weasyprint_ua")},
		{name: "weasyprint-form", producer: "WeasyPrint", what: "AcroForm", make: byPython("weasyprint_form")},
	}
}

func ghostscript(args ...string) makeFunc {
	args = append([]string{"-q", "-dBATCH", "-dNOPAUSE", "-dSAFER", "-sDEVICE=pdfwrite", "-sOutputFile=trang.pdf"}, args...)
	return source("trang.ps", postScript, "trang.pdf", "gs", append(args, "trang.ps")...)
}

// rewritten are documents that a tool saved anew.
func rewritten() []input {
	form := byPython("reportlab_form")
	return []input{
		{name: "qpdf-linearised", producer: "qpdf", what: "linearised", quick: true, make: program(byHand("1.7", "\n", wideTree(50)), "qpdf", "--deterministic-id", "--linearize", "IN", "OUT")},
		{name: "qpdf-linearised-streams", producer: "qpdf", what: "linearised, object streams", quick: true,
			make: program(form, "qpdf", "--deterministic-id", "--linearize", "--object-streams=generate", "IN", "OUT")},
		{name: "qpdf-xref-stream", producer: "qpdf", what: "cross-reference stream, catalog compressed", quick: true,
			make: program(handmadePlain, "qpdf", "--deterministic-id", "--object-streams=generate", "IN", "OUT")},
		{name: "qpdf-2.0", producer: "qpdf", what: "PDF 2.0", make: program(handmadePlain, "qpdf", "--deterministic-id", "--force-version=2.0", "IN", "OUT")},
		{name: "qpdf-1.3", producer: "qpdf", what: "PDF 1.3, no streams compressed", make: program(handmadePlain, "qpdf", "--deterministic-id", "--qdf", "--force-version=1.3", "IN", "OUT")},
		{name: "qpdf-rotated", producer: "qpdf", what: "page turned by 90°", make: program(handmadePlain, "qpdf", "--deterministic-id", "--rotate=90", "IN", "OUT")},
		{name: "mupdf-clean", producer: "MuPDF", what: "rewritten, garbage collected", make: program(form, "mutool", "clean", "-ggggz", "IN", "OUT")},
		{name: "mupdf-merge", producer: "MuPDF", what: "merged", make: program(byPython("reportlab"), "mutool", "merge", "-o", "OUT", "IN", "IN")},
		{name: "poppler-unite", producer: "poppler", what: "pdfunite", quick: true, make: program(byPython("reportlab"), "pdfunite", "IN", "IN", "OUT")},
		{name: "poppler-cairo", producer: "cairo", what: "pdftocairo", make: program(byPython("fpdf2"), "pdftocairo", "-pdf", "IN", "OUT")},
		{name: "pypdf-merged", producer: "pypdf", what: "merged form, attachment", make: byPython("pypdf_merged")},
	}
}

// libraries are documents that programs made with a library, and scans.
func libraries() []input {
	return []input{
		{name: "reportlab", producer: "ReportLab", what: "outline", make: byPython("reportlab")},
		{name: "reportlab-form", producer: "ReportLab", what: "AcroForm: text, box, list", quick: true, make: byPython("reportlab_form")},
		{name: "fpdf2", producer: "fpdf2", what: "outline, embedded font", make: byPython("fpdf2")},
		{name: "fpdf2-attachment", producer: "fpdf2", what: "attachment, note", make: byPython("fpdf2_attachment")},
		{name: "pikepdf-attachment", producer: "pikepdf", what: "attachment, object streams", make: byPython("pikepdf_attachment")},
		{name: "scan-jpeg", producer: "img2pdf", what: "scan, JPEG", quick: true, make: byPython("img2pdf_jpeg")},
		{name: "scan-jpeg2000", producer: "img2pdf", what: "scan, JPEG 2000", make: byPython("img2pdf_jpeg2000")},
		{name: "scan-ccitt", producer: "img2pdf", what: "scan, CCITT Group 4", make: byPython("img2pdf_ccitt")},
		{name: "scan-png", producer: "img2pdf", what: "scan, Flate with predictor", make: byPython("img2pdf_png")},
		{name: "fpdf-digital", producer: "go-pdf/fpdf", what: "a dossier of the samples", make: sample("declared")},
		{name: "fpdf-scan", producer: "go-pdf/fpdf", what: "a scan of the samples", make: sample("digitised")},
	}
}

// byHands are rare and extreme forms.
func byHands() []input {
	one := func(catalog, page, trailer string) func(*handmade) {
		return func(h *handmade) { h.onePage(catalog, page); h.end(trailer) }
	}
	form := "/AcroForm << /Fields 5 0 R /DA (/Helv 0 Tf 0 g) /DR << /Font << /Helv << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
	return []input{
		{name: "hand-1.3", producer: "by hand", what: "PDF 1.3", make: byHand("1.3", "\n", plainHand)},
		{name: "hand-2.0", producer: "by hand", what: "PDF 2.0", make: byHand("2.0", "\n", plainHand)},
		{name: "hand-crlf", producer: "by hand", what: "lines end in CR LF", make: byHand("1.6", "\r\n", plainHand)},
		{name: "hand-cr", producer: "by hand", what: "lines end in CR", make: byHand("1.4", "\r", one("", "", identity))},
		{name: "hand-no-id", producer: "by hand", what: "no /ID, no /Info", make: byHand("1.4", "\n", one("", "", ""))},
		{name: "hand-no-newline", producer: "by hand", what: "no end of line after %%EOF", make: changed(handmadePlain, bytes.TrimSpace)},
		{name: "hand-junk", producer: "by hand", what: "bytes after %%EOF", make: changed(handmadePlain, func(b []byte) []byte { return append(b, "\r\n<!-- footer of a mail gateway -->\r\n"...) })},
		{name: "hand-nul", producer: "by hand", what: "zeros after %%EOF", make: changed(handmadePlain, func(b []byte) []byte { return append(b, make([]byte, 300)...) })},
		{name: "hand-hybrid", producer: "by hand", what: "hybrid: table and /XRefStm", quick: true, make: byHand("1.5", "\n", hybrid)},
		{name: "hand-savings", producer: "by hand", what: "saved four times", quick: true, make: byHand("1.7", "\n", threeSavings)},
		{name: "hand-deep-tree", producer: "by hand", what: "page tree of 40 levels, all inherited", make: byHand("1.7", "\n", deepTree(40))},
		{name: "hand-2000-pages", producer: "by hand", what: "2,000 pages", make: byHand("1.7", "\n", wideTree(2000))},
		{name: "hand-300mb", producer: "by hand", what: "300 MB, 35 scans", large: true, make: byHand("1.7", "\n", grayScans(35))},
		{name: "hand-crop", producer: "by hand", what: "crop box far from the origin, turned by 270°", make: byHand("1.7", "\n", one("", "/CropBox [10000 -20000 10595 -19158] /MediaBox [9000 -21000 11000 -19000] /Rotate 270", identity))},
		{name: "hand-user-unit", producer: "by hand", what: "UserUnit 10, box upside down", make: byHand("1.7", "\n", one("", "/UserUnit 10 /MediaBox [595 842 0 0]", identity))},
		{name: "hand-form-refs", producer: "by hand", what: "/Fields, /Annots by reference; field in its widget", make: byHand("1.7", "\n", func(h *handmade) {
			h.onePage(form, "/Annots 5 0 R")
			h.object("[6 0 R]")
			h.object("<< /Type /Annot /Subtype /Widget /FT /Tx /T (ten) /V (x) /Rect [72 600 200 620] /P 3 0 R /F 4 >>")
			h.end(identity)
		})},
		{name: "hand-count", producer: "by hand", what: "/Count of the pages is wrong", make: changed(handmadePlain, func(b []byte) []byte { return bytes.Replace(b, []byte("/Count 1"), []byte("/Count 7"), 1) })},
		{name: "hand-extensions", producer: "by hand", what: "/Extensions, /Version in the catalog", make: byHand("1.4", "\n",
			one("/Version /1.7 /Extensions << /ADBE << /BaseVersion /1.7 /ExtensionLevel 8 >> >>", "", identity))},
	}
}

// signedBefore are documents that somebody signed, or prepared for signing.
func signedBefore() []input {
	base := byPython("reportlab")
	return []input{
		{name: "signed-pyhanko", producer: "pyHanko", what: "signed, B-B", before: 1, quick: true, make: fromPython("hanko", base, nil)},
		{name: "signed-pyhanko-same", producer: "pyHanko", what: "signed by the organisation that will seal it", before: 1, again: true,
			make: fromPython("hanko", base, map[string]any{"who": "seal"})},
		{name: "signed-pyhanko-streams", producer: "pyHanko", what: "signed, object streams", before: 1, make: fromPython("hanko", byPython("pikepdf_attachment"), nil)},
		{name: "signed-pyhanko-lta", producer: "pyHanko", what: "signed, B-LTA with its own store", before: 2, make: fromPython("hanko_lta", base, map[string]any{"stamps": ""})},
		{name: "signed-pyhanko-p2", producer: "pyHanko", what: "certified: filling and signing allowed", before: 1, plain: true, make: fromPython("hanko_certified", base, map[string]any{"permission": 2})},
		{name: "signed-pyhanko-p3", producer: "pyHanko", what: "certified: comments allowed too", before: 1, plain: true, make: fromPython("hanko_certified", base, map[string]any{"permission": 3})},
		{name: "signed-pdfsign", producer: "pdfsign", what: "signed, adbe.pkcs7.detached", before: 1, make: signedByPdfsign(handmadePlain)},
		{name: "fields-pyhanko", producer: "pyHanko", what: "two empty signature fields", make: fromPython("hanko_fields", base, nil)},
	}
}

// refusals are documents that must not be signed.
func refusals() []input {
	encrypt := func(args ...string) makeFunc {
		return program(handmadePlain, "qpdf", append(append([]string{"--allow-weak-crypto", "--encrypt"}, args...), "--", "IN", "OUT")...)
	}
	return []input{
		{name: "refused-password", producer: "qpdf", what: "password to open it, AES-256", refused: signing.ErrEncrypted, quick: true, make: encrypt("nguoi", "chu", "256")},
		{name: "refused-owner", producer: "qpdf", what: "opens without password, AES-256", refused: signing.ErrEncrypted, make: encrypt("", "chu", "256")},
		{name: "refused-rc4", producer: "qpdf", what: "opens without password, RC4", refused: signing.ErrEncrypted, make: encrypt("", "chu", "40")},
		{name: "refused-reportlab", producer: "ReportLab", what: "opens without password, RC4-128", refused: signing.ErrEncrypted, make: byPython("reportlab_encrypted")},
		{name: "refused-xfa", producer: "pikepdf", what: "XFA form", refused: signing.ErrUnsupported, quick: true, make: byPython("pikepdf_xfa")},
		{name: "refused-certified", producer: "pyHanko", what: "certified: no change allowed", refused: signing.ErrUnsupported, before: 1,
			make: fromPython("hanko_certified", byPython("reportlab"), map[string]any{"permission": 1})},
		{name: "refused-certified-visible", producer: "pyHanko", what: "certified: nothing new may be drawn", refused: signing.ErrUnsupported, before: 1, visibly: true,
			make: fromPython("hanko_certified", byPython("reportlab"), map[string]any{"permission": 2})},
		{name: "refused-two-of-a-name", producer: "pypdf", what: "form merged with itself: two fields of each name", refused: signing.ErrUnsupported, make: byPython("pypdf_twice")},
		{name: "refused-truncated", producer: "ReportLab", what: "last third missing", refused: signing.ErrDamaged, quick: true,
			make: changed(byPython("reportlab"), func(b []byte) []byte { return b[:len(b)*2/3] })},
		{name: "refused-xref", producer: "by hand", what: "startxref points nowhere", refused: signing.ErrDamaged,
			make: changed(handmadePlain, func(b []byte) []byte { return bytes.Replace(b, []byte("startxref\n"), []byte("startxref\n9"), 1) })},
		{name: "refused-offsets", producer: "by hand", what: "table shifted by a line", refused: signing.ErrDamaged,
			make: changed(handmadePlain, func(b []byte) []byte { return bytes.Replace(b, []byte("%PDF-1.7\n"), []byte("%PDF-1.7\n%%%%%%\n"), 1) })},
		{name: "refused-head", producer: "by hand", what: "bytes before %PDF-", refused: signing.ErrDamaged, make: changed(handmadePlain, func(b []byte) []byte { return append([]byte("\r\n--boundary\r\n"), b...) })},
		{name: "refused-no-pages", producer: "by hand", what: "no page", refused: signing.ErrDamaged,
			make: byHand("1.7", "\n", func(h *handmade) {
				h.object("<< /Type /Catalog /Pages 2 0 R >>")
				h.object("<< /Type /Pages /Kids [] /Count 0 >>")
				h.end(identity)
			})},
		{name: "refused-text", producer: "by hand", what: "no PDF at all", refused: signing.ErrDamaged, make: changed(handmadePlain, func([]byte) []byte { return []byte(strings.Repeat("Kính gửi…\n", 50)) })},
	}
}

// selected picks what the options ask for.
func selected(all []input, o options) ([]input, error) {
	var out []input
	for _, in := range all {
		if (!o.quick || in.quick) && strings.Contains(in.name, o.only) {
			out = append(out, in)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no input is called %q", errUsage, o.only)
	}
	return out, nil
}
