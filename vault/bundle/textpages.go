package bundle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	charset "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const (
	textSize     = 9.0 // points
	textTop      = marginTop + 13
	textLine     = textSize / pointsPerMM * lineSpacing
	textLines    = 63 // (pageHeight - marginBottom - 4 - textTop) / textLine is 63.5
	textColumns  = 86 // of the monospaced font at that size within the margins
	maxTextPages = 20
	tabWidth     = 4
)

// countTextPages counts what drawText will draw.
func countTextPages(src io.Reader) (int, error) {
	lines := newLineFolder(src)
	for n := 0; n < textLines*maxTextPages; n++ {
		_, err := lines.next()
		if errors.Is(err, io.EOF) {
			return max(1, (n+textLines-1)/textLines), nil
		}
		if err != nil {
			return 0, err
		}
	}
	return maxTextPages, nil
}

// drawText draws a document that is text (XML, JSON) as it stands, monospaced, on its own pages. It reads no more than it draws: after
// maxTextPages it says that the rest is in the attachment.
func drawText(src io.Reader, at time.Time, title, fileName string) ([]byte, error) {
	s := newSheet(at, bold, italic, mono)
	lines := newLineFolder(src)
	for page := 1; ; page++ {
		s.pdf.AddPage()
		s.font(bold, 11)
		y := s.write(marginLeft, marginTop, textWidth, "L", atMost(1, s.fold(title, textWidth-6))...)
		s.font(italic, 9)
		y = s.write(marginLeft, y, textWidth, "L", drawn(fmt.Sprintf("Nội dung tệp đính kèm %s, trang %d", fileName, page)))
		s.rule(marginLeft, y+1, pageWidth-marginRight, y+1, 0.5)
		s.font(mono, textSize)
		for i := range textLines {
			line, err := lines.next()
			if errors.Is(err, io.EOF) {
				return s.bytes()
			}
			if err != nil {
				return nil, err
			}
			s.write(marginLeft, textTop+float64(i)*textLine, textWidth, "L", line)
		}
		if !lines.more() {
			return s.bytes()
		}
		if page == maxTextPages {
			s.font(italic, 10)
			s.write(marginLeft, pageHeight-marginBottom-2, textWidth, "L",
				"Chỉ in phần đầu; toàn văn ở tệp đính kèm. (Only the beginning is printed; the attachment has all of it.)")
			return s.bytes()
		}
	}
}

// lineFolder reads text line by line and breaks lines at textColumns.
type lineFolder struct {
	in *bufio.Reader
}

// newLineFolder takes UTF-8, or UTF-16 with a byte order mark; what is neither becomes boxes.
func newLineFolder(src io.Reader) *lineFolder {
	decoder := charset.BOMOverride(charset.UTF8.NewDecoder())
	return &lineFolder{in: bufio.NewReader(transform.NewReader(src, decoder))}
}

// more reports whether there is text left.
func (l *lineFolder) more() bool {
	_, err := l.in.Peek(1)
	return err == nil
}

// next returns the next line, at most textColumns letters of it. After the last it returns io.EOF.
func (l *lineFolder) next() (string, error) {
	var line strings.Builder
	for columns := 0; columns < textColumns; {
		r, _, err := l.in.ReadRune()
		switch {
		case errors.Is(err, io.EOF) && columns > 0:
			return line.String(), nil
		case err != nil:
			return "", err
		case r == '\n':
			return line.String(), nil
		case r == '\r':
			continue
		case r == '\t':
			for {
				line.WriteByte(' ')
				columns++
				if columns%tabWidth == 0 {
					break
				}
			}
			continue
		}
		line.WriteString(drawn(string(r)))
		if !unicode.Is(unicode.Mn, r) {
			columns++
		}
	}
	// A line that fills the width exactly is not followed by an empty one.
	if next, err := l.in.Peek(1); err == nil && next[0] == '\n' {
		_, _ = l.in.Discard(1)
	}
	return line.String(), nil
}

// drawNote draws one page that stands for a document which has no pages.
func drawNote(at time.Time, title, fileName string) ([]byte, error) {
	s := newSheet(at, regular, bold, italic)
	s.pdf.AddPage()
	s.font(bold, 14)
	y := s.paragraph(marginLeft, 100, textWidth, "C", title)
	s.font(regular, 12)
	y = s.paragraph(marginLeft, y+4, textWidth, "C", "Tài liệu này không có dạng trang in. Bản gốc là tệp đính kèm "+fileName+".")
	s.font(italic, 11)
	s.paragraph(marginLeft, y+2, textWidth, "C", "This document has no printable pages. The original is the attachment "+fileName+".")
	return s.bytes()
}
