package vault

import (
	"strings"
	"testing"
)

func TestFoldName(t *testing.T) {
	for name, want := range map[string]string{
		"":                             "",
		"Nguyễn Văn Đức":               "nguyen van duc",
		"NGUYỄN VĂN ĐỨC":               "nguyen van duc",
		"Nguye\u0302\u0303n Va\u0306n": "nguyen van",
		"  Lê   Thị\tHồng ":            "le thi hong",
		"Trần Thị Mỹ-Linh":             "tran thi my linh",
		"H'Hen Niê":                    "h hen nie",
		"Đặng Ưng Ơn":                  "dang ung on",
		"İnci":                         "inci",
		"Ａnh ２":                        "anh 2",
		"---":                          "",
		"Phạm Văn Bảy (A)":             "pham van bay a",
	} {
		if got := FoldName(name); got != want {
			t.Errorf("FoldName(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzFoldName(f *testing.F) {
	f.Add("Nguyễn Văn Đức")
	f.Add("  İ ǅ ſ K ﬁ ẞ \x00\xff")
	f.Fuzz(func(t *testing.T, name string) {
		folded := FoldName(name)
		if again := FoldName(folded); again != folded {
			t.Errorf("FoldName(%q) = %q, and folded again %q", name, folded, again)
		}
		if strings.Join(strings.Fields(folded), " ") != folded {
			t.Errorf("FoldName(%q) = %q has spaces too many", name, folded)
		}
	})
}
