package bundle

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-fonts/liberation/liberationmonoregular"
	"github.com/go-fonts/liberation/liberationserifbold"
	"github.com/go-fonts/liberation/liberationserifitalic"
	"github.com/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font/sfnt"
)

func TestVietnameseForms(t *testing.T) {
	at := time.Date(2026, 12, 31, 18, 5, 9, 0, time.UTC)
	tests := []struct{ got, want string }{
		{vnDate(at), "01/01/2027"},
		{vnTime(at), "01/01/2027 01:05:09 (+07:00)"},
		{vnBirthDate("1985-09-02"), "02/09/1985"},
		{vnBirthDate("1985"), "1985"},
		{vnNumber(0), "0"},
		{vnNumber(999), "999"},
		{vnNumber(1000), "1.000"},
		{vnNumber(int64(-1234567)), "-1.234.567"},
		{vnSize(9999), "9.999 byte"},
		{vnSize(12_345), "12,3 KB"},
		{vnSize(52_000_000), "52 MB"},
		{printed("  Nguye\u0302\u0303n\t\n A\u202e\x1b "), "Nguyễn A"},
		{printed("a\xffb"), "a\u25a1b"},
		{shortened("Nguyễn", 100), "Nguyễn"},
		{shortened("Nguyễn Văn", 9), "Nguy…"},
		{dossierTitle("party"), "HỒ SƠ ĐẢNG VIÊN"},
		{dossierTitle("unknown"), "HỒ SƠ ĐIỆN TỬ"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
	for limit := 4; limit < 40; limit++ {
		if s := shortened(strings.Repeat("Ễ", 20), limit); len(s) > limit || !utf8.ValidString(s) {
			t.Errorf("shortened to %d: %q", limit, s)
		}
	}
}

// What drawable promises every font must hold, and Vietnamese must be in it.
func TestDrawableLettersAreInTheFonts(t *testing.T) {
	for name, ttf := range map[string][]byte{
		"regular": liberationserifregular.TTF, "bold": liberationserifbold.TTF, "italic": liberationserifitalic.TTF, "mono": liberationmonoregular.TTF,
	} {
		f, err := sfnt.Parse(ttf)
		if err != nil {
			t.Fatal(err)
		}
		var b sfnt.Buffer
		for r := rune(0); r <= 0x10ffff; r++ {
			if !unicode.Is(drawable, r) {
				continue
			}
			if g, err := f.GlyphIndex(&b, r); err != nil || g == 0 {
				t.Errorf("%s has no letter %U", name, r)
			}
		}
	}
	vietnamese := "aăâeêioôơuưyđ" + "àảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
	for _, r := range vietnamese + strings.ToUpper(vietnamese) + "“”–…·₫" {
		if !unicode.Is(drawable, r) {
			t.Errorf("%c is not drawable", r)
		}
	}
	if got := drawn("a漢\U0001F600"); got != "a□□" {
		t.Errorf("drawn %q", got)
	}
}

func TestFold(t *testing.T) {
	s := newSheet(time.Unix(0, 0), regular)
	s.font(regular, 12)
	for _, text := range []string{"", "Một hai ba", strings.Repeat("Nghiêng ", 50), strings.Repeat("x", 500), "a " + strings.Repeat("Ễ", 300) + " b", "e\u0302\u0303\u0323" + strings.Repeat("\u0323", 300)} {
		lines := s.fold(text, 50)
		joined := strings.Join(lines, "")
		if strings.ReplaceAll(joined, " ", "") != strings.ReplaceAll(drawn(printed(text)), " ", "") {
			t.Errorf("folding %.20q lost or added letters: %q", text, lines)
		}
		for _, line := range lines {
			if w := s.pdf.GetStringWidth(line); w > 50 && utf8.RuneCountInString(line) > 1 && !strings.ContainsRune(line, '\u0323') {
				t.Errorf("line %q is %.1f mm wide", line, w)
			}
		}
	}
}

func TestLineFolder(t *testing.T) {
	full := strings.Repeat("x", textColumns)
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", nil},
		{"one", "a", []string{"a"}},
		{"lines", "a\r\nb\n\nc\n", []string{"a", "b", "", "c"}},
		{"tab", "a\tb", []string{"a   b"}},
		{"exactly full", full + "\nb", []string{full, "b"}},
		{"longer", full + "yz\n", []string{full, "yz"}},
		{"UTF-16", "\xff\xfea\x00\n\x00\xc2\x1e", []string{"a", "Ể"}},
		{"not text", "\xff\x01", []string{"□□"}},
	}
	for _, test := range tests {
		l := newLineFolder(strings.NewReader(test.text))
		var got []string
		for {
			line, err := l.next()
			if err != nil {
				break
			}
			got = append(got, line)
		}
		if strings.Join(got, "|") != strings.Join(test.want, "|") || len(got) != len(test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// After the last page that is drawn nothing more is read, and as many pages are drawn as were counted.
func TestTextPages(t *testing.T) {
	line := strings.Repeat("x", textColumns)
	tests := []struct {
		name  string
		lines int
		want  int
	}{
		{"empty", 0, 1}, {"one line", 1, 1}, {"a full page", textLines, 1}, {"a line more", textLines + 1, 2},
		{"as much as is drawn", textLines * maxTextPages, maxTextPages}, {"more than is drawn", textLines*maxTextPages + 1, maxTextPages},
	}
	for _, test := range tests {
		text := strings.Repeat(line+"\n", test.lines)
		n, err := countTextPages(strings.NewReader(text))
		if err != nil || n != test.want {
			t.Errorf("%s: counted %d pages, %v", test.name, n, err)
		}
		b, err := drawText(strings.NewReader(text), time.Unix(0, 0), "Dài", "001.xml")
		if got := bytes.Count(b, []byte("/Type /Page\n")); err != nil || got != test.want {
			t.Errorf("%s: drew %d pages, %v", test.name, got, err)
		}
	}
	for name, read := range map[string]func(r io.Reader) error{
		"counting": func(r io.Reader) error { _, err := countTextPages(r); return err },
		"drawing":  func(r io.Reader) error { _, err := drawText(r, time.Unix(0, 0), "Dài", "001.xml"); return err },
	} {
		source := &endless{}
		if err := read(source); err != nil {
			t.Fatal(err)
		}
		if limit := maxTextPages*textLines*(textColumns+1) + 8192; source.read > limit {
			t.Errorf("%s reads %d bytes of an endless text", name, source.read)
		}
	}
}

type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "Lý lịch tự khai\n"[e.read%len("Lý lịch tự khai\n")]
		e.read++
	}
	return len(p), nil
}
