package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"trien/vault"
	"trien/vault/vaulttest"
)

const unitHeading = "Mã đơn vị;Tên đơn vị;Cấp;Mã đơn vị cấp trên;Ngày thành lập;Số quyết định;Ngày quyết định\n"

func (r *rig) importUnits(text string, dry bool) vault.UnitImport {
	r.t.Helper()
	done, err := r.ImportUnits(r.t.Context(), r.admin, strings.NewReader(text), dry)
	if err != nil {
		r.t.Fatal(err)
	}
	return done
}

// TestImportUnits: dry first, all or nothing, and again with no effect.
func TestImportUnits(t *testing.T) {
	r := newRig(t)
	file := "\xef\xbb\xbf" + unitHeading +
		"CB1;Chi bộ 1;Chi bộ;XA;1/2/2020;05-QĐ/ĐU;31/01/2020\r\n" + // before the unit above it
		"TU;Tỉnh ủy; tỉnh, thành phố và tương đương ;;01/01/1990;1-QĐ/TW;01/01/1990\r\n" +
		`XA;"Đảng ủy ""xã""; mới";grassroots;TU;15/06/2001;12-QĐ/TU;10/06/2001` + "\r\n;;;;;;\r\n"
	dry := r.importUnits(file, true)
	if dry.Applied || dry.Established != 3 || dry.Lines != 3 || len(dry.Refused) != 0 {
		t.Errorf("dry: %+v", dry)
	}
	if units, err := r.store.Units(t.Context()); err != nil || len(units) != 2 {
		t.Fatalf("after a dry run there are %d units, %v", len(units), err)
	}
	if done := r.importUnits(file, false); !done.Applied || done.Established != 3 {
		t.Fatalf("%+v", done)
	}
	if events := r.events(vault.ManageUnits, vault.Done); len(events) != 3 {
		t.Errorf("%d events of 3 acts", len(events))
	}
	listing, err := r.UnitsOn(t.Context(), r.admin, "2021-01-01")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range listing.Units {
		got = append(got, fmt.Sprint(n.Depth, n.Code, " ", n.Name, " ", n.Level, " ", n.From))
	}
	want := []string{"0 Ban Tổ chức  ", "0 Đảng ủy khác  ", "0TU Tỉnh ủy province 1990-01-01", `1XA Đảng ủy "xã"; mới grassroots 2001-06-15`, "2CB1 Chi bộ 1 branch 2020-02-01"}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if _, err := r.ActOnUnits(t.Context(), r.admin, vault.NewUnitAct{
		Kind: vault.RenameUnit, Unit: "XA", Name: "Đảng ủy phường", Effective: "2022-01-01", Basis: vault.Basis{Number: "2", Date: "2022-01-01"},
	}); err != nil {
		t.Fatal(err)
	}
	// The file says how units began, whatever became of them.
	comma := strings.ReplaceAll(unitHeading, ";", ",") + "X,X,province,,01/01/1990,1,01/01/1990\n"
	if again := r.importUnits(file, false); again.Unchanged != 3 || again.Established != 0 || !again.Applied {
		t.Errorf("again: %+v", again)
	}
	if done := r.importUnits(comma, true); done.Established != 1 {
		t.Errorf("with commas: %+v", done)
	}
	english := "code,name,level,parent,established,decision,decided\nX,X,Branch,,01/01/1990,1,01/01/1990\n"
	if done := r.importUnits(english, true); done.Established != 1 {
		t.Errorf("in English: %+v", done)
	}
	plain := "Ma don vi;Ten don vi;Cap;Ma don vi cap tren;Ngay thanh lap;So quyet dinh;Ngay quyet dinh\nX;X;chi bo;;01/01/1990;1;01/01/1990\n"
	if done := r.importUnits(plain, true); done.Established != 1 {
		t.Errorf("without diacritics: %+v", done)
	}
}

func TestImportUnitsNamesEveryRefusedLine(t *testing.T) {
	r := newRig(t)
	r.importUnits(unitHeading+"TU;Tỉnh ủy;province;;01/01/1990;1;01/01/1990\n", false)
	tomorrow := time.Now().AddDate(0, 0, 2).Format("02/01/2006")
	lines := []struct {
		line string
		want error
	}{
		{"OK;Đơn vị tốt;branch;TU;01/01/2000;1;01/01/2000", nil},
		{"OK;Đơn vị khác;branch;TU;01/01/2000;1;01/01/2000", vault.ErrUnitCode},
		{"TU;Tỉnh ủy khác;province;;01/01/1990;1;01/01/1990", vault.ErrUnitCode},
		{"A;Thiếu cột;branch;TU;01/01/2000;1", vault.ErrUnitColumns},
		{"B;Sai ngày;branch;TU;2000-01-01;1;01/01/2000", vault.ErrUnitDate},
		{"C;Ngày không có;branch;TU;30/02/2000;1;01/01/2000", vault.ErrUnitDate},
		{"D;Chưa tới;branch;TU;" + tomorrow + ";1;01/01/2000", vault.ErrUnitFuture},
		{"E;Không có cấp;làng;TU;01/01/2000;1;01/01/2000", vault.ErrUnitLevel},
		{"F;Không có cấp trên;branch;ZZ;01/01/2000;1;01/01/2000", vault.ErrNotFound},
		{"G;Trước cấp trên;branch;TU;31/12/1989;1;01/01/2000", vault.ErrUnitNotThere},
		{"H;Đơn vị tốt;branch;TU;01/01/2000;1;01/01/2000", vault.ErrUnitName},
		{"I;Vòng một;branch;K;01/01/2000;1;01/01/2000", vault.ErrNotFound},
		{"J;Vòng hai;branch;I;01/01/2000;1;01/01/2000", vault.ErrNotFound},
		{"K;Vòng ba;branch;J;01/01/2000;1;01/01/2000", nil}, // one of the three is told that it is a ring
		{"mã có dấu;Mã sai;branch;TU;01/01/2000;1;01/01/2000", vault.ErrInvalid},
		{"L;;branch;TU;01/01/2000;1;01/01/2000", vault.ErrInvalid},
		{"M;Không căn cứ;branch;TU;01/01/2000;;01/01/2000", vault.ErrInvalid},
	}
	text := unitHeading
	for _, l := range lines {
		text += l.line + "\n"
	}
	done := r.importUnits(text, false)
	if done.Applied || done.Established != 1 {
		t.Errorf("%+v", done)
	}
	refused, rings := map[int]error{}, 0
	for _, l := range done.Refused {
		refused[l.Line] = l.Err
		code, _, _ := strings.Cut(lines[l.Line-2].line, ";")
		if code != l.Code && !errors.Is(l.Err, vault.ErrUnitColumns) {
			t.Errorf("line %d is said to be of %q", l.Line, l.Code)
		}
	}
	for i, l := range lines {
		err := refused[i+2]
		if strings.Contains(l.line, "Vòng") {
			if err == nil {
				t.Errorf("%s: taken", l.line)
			}
			if errors.Is(err, vault.ErrUnitCycle) {
				rings++
			}
			continue
		}
		if l.want == nil && err != nil || l.want != nil {
			want(t, err, l.want)
		}
	}
	if rings != 1 {
		t.Errorf("%d lines are said to close a ring", rings)
	}
	if units, err := r.store.Units(t.Context()); err != nil || len(units) != 3 {
		t.Errorf("a refused import left %d units, %v", len(units), err)
	}
}

func TestImportUnitsRefusesFiles(t *testing.T) {
	r := newRig(t)
	for name, tt := range map[string]struct {
		text string
		want error
	}{
		"nothing":          {"", vault.ErrUnitHeading},
		"no heading":       {"TU;Tỉnh ủy;province;;01/01/1990;1;01/01/1990\n", vault.ErrUnitHeading},
		"a column twice":   {strings.Replace(unitHeading, "Cấp", "Tên đơn vị", 1), vault.ErrUnitHeading},
		"a strange column": {strings.Replace(unitHeading, "Cấp", "Cấp;Ghi chú", 1), vault.ErrUnitHeading},
		"another charset":  {"M\xe3;x\n", vault.ErrUnitFile},
		"UTF-16":           {"\xff\xfeM\x00", vault.ErrUnitFile},
		"a quote":          {unitHeading + "TU;Tỉnh \"ủy;province;;01/01/1990;1;01/01/1990\n", vault.ErrUnitFile},
		"too many lines":   {unitHeading + strings.Repeat("a;b\n", vault.MaxUnitImportLines+1), vault.ErrTooLarge},
		"too many bytes":   {strings.Repeat("a", vault.MaxUnitImport+1), vault.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.ImportUnits(t.Context(), r.admin, strings.NewReader(tt.text), true)
			want(t, err, tt.want)
		})
	}
}

// FuzzImportUnits: whatever the file, an import answers, and names each line once.
func FuzzImportUnits(f *testing.F) {
	f.Add([]byte(unitHeading + "TU;Tỉnh ủy;province;;01/01/1990;1;01/01/1990\nA;B;branch;TU;1/1/2000;1;1/1/2000\n"))
	f.Add([]byte("code,name,level,parent,established,decision,decided\n\"a\",b,branch,a,01/01/1990,1,01/01/1990\n"))
	f.Add([]byte(unitHeading + "A;A;branch;B;1/1/2000;1;1/1/2000\nB;B;branch;A;1/1/2000;1;1/1/2000\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := vault.New(vault.Config{Store: vaulttest.NewMemoryStore()})
		done, err := r.ImportUnits(t.Context(), vault.Actor{Role: vault.SystemAdministrator}, bytes.NewReader(text), false)
		if err == nil && (done.Established+done.Unchanged+len(done.Refused) != done.Lines || done.Applied != (len(done.Refused) == 0)) {
			t.Errorf("%+v", done)
		}
	})
}
