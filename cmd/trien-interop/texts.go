package main

import (
	"fmt"
	"strings"
)

// Sources for producers that typeset. The people are invented, and every page says so.

const marked = "HỒ SƠ THỬ NGHIỆM – KHÔNG CÓ GIÁ TRỊ"

// texText: the fonts that come with pdfTeX alone have no Vietnamese letters; TeX stacks the accents.
const texText = `\begin{document}
\section{H\gr{\^o} so thu nghi\d{\^e}m}
H\d{o} v\gr{a} t\^en: Nguy\~{\^e}n Th\d{i} M\~{\i} Ng\d{o}c (ng\uhorn\gr{\ohorn}i kh\^ong c\'o th\d{\^a}t).
\newpage
\section{Ph\d{u} l\d{u}c}
Kh\^ong c\'o gi\'a tr\d{i}.
`

const texHead = `\documentclass[a4paper]{article}
\newcommand{\gr}[1]{\accent18 #1}\newcommand{\ohorn}{o}\newcommand{\uhorn}{u}
`

const texLinks = texHead + `\usepackage[bookmarks=true,pdftitle={Ho so thu nghiem}]{hyperref}
`

// texForm: a text field with pdfTeX's own means; hyperref's need fonts of another package.
const texForm = `\pdfannot width 8cm height 14pt depth 0pt {/Subtype /Widget /FT /Tx /T (ho_ten) /V (Ngoc) /DA (/Helv 10 Tf 0 g) /F 4}
\pdfcatalog{/AcroForm << /Fields [\the\pdflastannot\space 0 R] /DA (/Helv 10 Tf 0 g) >>}
`

// texPages is n further pages.
func texPages(n int) string {
	return fmt.Sprintf(`\newcount\n \n=2 \loop\ifnum\n<%d \advance\n by 1 \newpage Trang \the\n \repeat
`, n)
}

const officeText = `<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text>
<text:h text:outline-level="1">` + marked + `</text:h>
<text:p>Họ và tên: Nguyễn Thị Mĩ Ngọc (người không có thật)</text:p>
<text:p>Chức vụ: Trưởng phòng, Ban Tổ chức Thử nghiệm</text:p>
<text:h text:outline-level="2">Nhận xét</text:h>
<text:p>Hoàn thành tốt nhiệm vụ; đề nghị phê duyệt.</text:p>
</office:text></office:body></office:document>
`

// htmlText has n paragraphs.
func htmlText(n int) string {
	return `<!doctype html><html lang="vi"><meta charset="utf-8"><title>Hồ sơ</title><h1>` + marked + `</h1>` +
		strings.Repeat("<p>Họ và tên: Nguyễn Thị Mĩ Ngọc (người không có thật). Hoàn thành tốt nhiệm vụ; đề nghị phê duyệt.</p>\n", n) +
		`<p><a href="https://example.org/">Liên kết</a></p></html>`
}

const svgText = `<svg xmlns="http://www.w3.org/2000/svg" width="595" height="842"><rect width="595" height="842" fill="#fffdf5"/>
<text x="72" y="100" font-family="Liberation Serif" font-size="20">` + marked + `</text><circle cx="400" cy="600" r="90" stroke="#b01e1e" fill="none" stroke-width="8" opacity=".6"/></svg>
`

const postScript = `%!PS-Adobe-3.0
<< /PageSize [595 842] >> setpagedevice
/Times-Roman findfont 20 scalefont setfont
1 1 3 { 72 700 moveto (Ho so thu nghiem, trang ) show 3 string cvs show showpage } for
`
