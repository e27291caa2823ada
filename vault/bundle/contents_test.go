package bundle

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func exampleContents() Contents {
	id := func(n byte) uuid.UUID {
		u := uuid.MustParse("01936f5e-0000-7000-8000-000000000000")
		u[15] = n
		return u
	}
	return Contents{
		Export: id(1), Dossier: id(2), Register: "party", Exported: time.Date(2026, 11, 24, 8, 30, 0, 0, vietnam),
		Purpose: "Xét bổ sung quy hoạch", Pages: 5, Entries: []Entry{
			{Version: id(3), Kind: "party.member_slip", Number: 2, MediaType: "application/pdf", FirstPage: 3, LastPage: 4, Title: "Phiếu đảng viên"},
			{Version: id(4), Kind: "party.admission", Number: 1, MediaType: "image/jpeg", FirstPage: 5, LastPage: 5, Title: "Quyết định kết nạp"},
		},
	}
}

// The listing is fixed: its golden bytes are the example of BUNDLE.md.
func TestContentsGolden(t *testing.T) {
	got, err := exampleContents().MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/dossier.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("listing is\n%s\nwant\n%s", got, want)
	}
	doc, err := os.ReadFile("BUNDLE.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(doc, append(append([]byte("```\n"), want...), "```\n"...)) {
		t.Error("BUNDLE.md does not show the golden listing")
	}
	again, err := ParseContents(want)
	if err != nil || again.Pages != 5 || len(again.Entries) != 2 || again.OriginalName(1) != "002-party.admission-v1.jpg" {
		t.Errorf("parsed %+v, %v", again, err)
	}
}

func TestParseContentsRefuses(t *testing.T) {
	golden, err := os.ReadFile("testdata/dossier.txt")
	if err != nil {
		t.Fatal(err)
	}
	text := string(golden)
	version1 := regexp.MustCompile(`version (\S+)`).FindStringSubmatch(text)[1]
	tests := map[string]string{
		"empty":               "",
		"other format":        strings.Replace(text, "v1", "v2", 1),
		"no end of line":      strings.TrimSuffix(text, "\n"),
		"more after the end":  text + "\n",
		"carriage returns":    strings.ReplaceAll(text, "\n", "\r\n"),
		"upper-case id":       strings.Replace(text, "01936f5e", "01936F5E", 1),
		"a document less":     strings.Replace(text, "documents 2", "documents 1", 1),
		"a document more":     strings.Replace(text, "documents 2", "documents 3", 1),
		"leading zero":        strings.Replace(text, "documents 2", "documents 02", 1),
		"no documents":        text[:strings.Index(text, "documents")] + "documents 0\n",
		"version twice":       strings.Replace(text, version1[:35]+"4", version1, 1),
		"wrong number":        strings.Replace(text, "document 2", "document 3", 1),
		"wrong file":          strings.Replace(text, "file 001-", "file 002-", 1),
		"path in kind":        strings.ReplaceAll(text, "party.admission", "../admission"),
		"pages overlap":       strings.Replace(text, "pages 5-5", "pages 4-5", 1),
		"pages with a gap":    strings.Replace(strings.Replace(text, "pages 5-5", "pages 6-6", 1), "pages 5\n", "pages 6\n", 1),
		"pages backwards":     strings.Replace(text, "pages 3-4", "pages 4-3", 1),
		"more pages":          strings.Replace(text, "pages 5\n", "pages 6\n", 1),
		"direction mark":      strings.Replace(text, "title Quy", "title \u202eQuy", 1),
		"control character":   strings.Replace(text, "title Quy", "title \x1b[2JQuy", 1),
		"bad UTF-8":           strings.Replace(text, "title Quy", "title \xffQuy", 1),
		"title of a dash":     strings.Replace(text, "title Phiếu đảng viên", "title -", 1),
		"double space":        strings.Replace(text, "title Phiếu", "title  Phiếu", 1),
		"too precise a time":  strings.Replace(text, "00.000000Z", "00.0000001Z", 1),
		"time in another way": strings.Replace(text, "00.000000Z", "00.000000+00:00", 1),
		"long title":          strings.Replace(text, "title Phiếu", "title "+strings.Repeat("x", maxLine), 1),
		"too long":            text + strings.Repeat("x", maxContentsBytes),
	}
	for name, bad := range tests {
		if _, err := ParseContents([]byte(bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error %v", name, err)
		}
		if bad == text {
			t.Errorf("%s: the test changes nothing", name)
		}
	}
}

func FuzzParseContents(f *testing.F) {
	golden, err := os.ReadFile("testdata/dossier.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte("trien/dossier/v1\nexport x\n"))
	f.Add(bytes.Replace(golden, []byte("documents 2"), []byte("documents 999999999"), 1))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseContents(text)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("error %v", err)
			}
			return
		}
		again, err := c.MarshalText()
		if err != nil || !bytes.Equal(again, text) {
			t.Fatalf("accepted a second form of a listing: %v", err)
		}
	})
}
