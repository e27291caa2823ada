package pdf

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns s as a text string (ISO 32000-1, 7.9.2.2): ASCII as it is, anything else as UTF-16BE with a byte order mark.
func Text(s string) String {
	ascii := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 0x7f || c < 0x20 && c != '\n' && c != '\r' && c != '\t' {
			ascii = false
			break
		}
	}
	if ascii {
		return String(s)
	}
	var b strings.Builder
	b.WriteString("\xfe\xff")
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u >> 8))
		b.WriteByte(byte(u))
	}
	return String(b.String())
}

// Text decodes a text string: UTF-16 with a byte order mark, UTF-8 with a byte order mark (PDF 2.0) or PDFDocEncoding.
// It always returns valid UTF-8; what cannot be decoded becomes U+FFFD.
func (s String) Text() string {
	switch {
	case strings.HasPrefix(string(s), "\xfe\xff"):
		return utf16Text(string(s[2:]), 0, 1)
	case strings.HasPrefix(string(s), "\xff\xfe"):
		return utf16Text(string(s[2:]), 1, 0)
	case strings.HasPrefix(string(s), "\xef\xbb\xbf"):
		return strings.ToValidUTF8(string(s[3:]), string(utf8.RuneError))
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		b.WriteRune(docEncoding(s[i]))
	}
	return b.String()
}

func utf16Text(s string, hi, lo int) string {
	u := make([]uint16, 0, len(s)/2)
	for ; len(s) >= 2; s = s[2:] {
		u = append(u, uint16(s[hi])<<8|uint16(s[lo]))
	}
	return string(utf16.Decode(u))
}

// docEncoding maps a byte of PDFDocEncoding (ISO 32000-1, annex D.3) to Unicode.
func docEncoding(c byte) rune {
	switch {
	case c >= 0x18 && c <= 0x1f:
		return []rune("\u02d8\u02c7\u02c6\u02d9\u02dd\u02db\u02da\u02dc")[c-0x18]
	case c >= 0x80 && c <= 0x9e:
		return []rune("\u2022\u2020\u2021\u2026\u2014\u2013\u0192\u2044\u2039\u203a\u2212\u2030\u201e\u201c\u201d\u2018" +
			"\u2019\u201a\u2122\ufb01\ufb02\u0141\u0152\u0160\u0178\u017d\u0131\u0142\u0153\u0161\u017e")[c-0x80]
	case c == 0xa0:
		return '\u20ac'
	case c == 0x7f, c == 0x9f, c == 0xad:
		return utf8.RuneError
	}
	return rune(c)
}
