package api_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"trien/api/client"
	"trien/api/wire"
)

const unitTable = "Mã đơn vị,Tên đơn vị,Cấp,Mã đơn vị cấp trên,Ngày thành lập,Số quyết định,Ngày quyết định\n" +
	"TU,Tỉnh ủy,province,,01/01/1990,1-QĐ/TW,01/01/1990\nXA,Đảng ủy xã,Tổ chức cơ sở,TU,01/01/2000,2-QĐ/TU,01/01/2000\n"

func act(kind, effective string) wire.NewUnitAct {
	return wire.NewUnitAct{Kind: kind, Effective: effective, Decision: wire.Decision{Number: "12-QĐ/TU", Date: effective}}
}

func TestUnits(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	admin := r.signIn("quantri")
	if done, err := admin.ImportUnits(ctx, []byte(unitTable), false); err != nil || done.Applied || done.Established != 2 {
		t.Fatalf("%+v %v", done, err)
	}
	if done, err := admin.ImportUnits(ctx, []byte(unitTable), true); err != nil || !done.Applied || done.Established != 2 {
		t.Fatalf("%+v %v", done, err)
	}
	done, err := admin.ImportUnits(ctx, []byte(strings.Replace(unitTable, "Đảng ủy xã", "Đảng ủy khác", 1)), true)
	if err != nil || done.Applied || len(done.Refused) != 1 || done.Refused[0].Code != "unit_code" || done.Refused[0].Line != 3 || done.Refused[0].Title == "" {
		t.Errorf("%+v %v", done, err)
	}
	if _, err := admin.ImportUnits(ctx, []byte("x"), true); !client.HasCode(err, "unit_heading") {
		t.Errorf("no table: %v", err)
	}

	rename := act("rename", "2010-05-01")
	rename.Unit, rename.Name = "XA", "Đảng ủy phường"
	made, err := admin.ActOnUnits(ctx, rename)
	if err != nil || len(made.Units) != 1 || !strings.HasPrefix(made.Text, "trien/unit-act/v1\nact "+made.ID+"\nkind rename\neffective 2010-05-01\n") {
		t.Fatalf("%+v %v", made, err)
	}
	if _, err := admin.ActOnUnits(ctx, rename); !client.HasCode(err, "invalid") {
		t.Errorf("the name that it has: %v", err)
	}
	head := act("head", "2011-01-01")
	accounts, err := admin.Accounts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	head.Unit, head.Account, head.Acting, head.Until = "XA", accounts[0].ID, true, "2011-07-01"
	if _, err := admin.ActOnUnits(ctx, head); err != nil {
		t.Fatal(err)
	}
	seal := act("seal", "2011-01-01")
	seal.Unit, seal.Certificate = "XA", r.official.Certificate().Raw
	if _, err := admin.ActOnUnits(ctx, seal); !client.HasCode(err, "certificate") {
		t.Errorf("a person's certificate for a seal: %v", err)
	}
	keys, err := tokens()
	if err != nil {
		t.Fatal(err)
	}
	seal.Certificate = keys.seal.Certificate().Raw
	if _, err := admin.ActOnUnits(ctx, seal); err != nil {
		t.Fatal(err)
	}
	h, err := admin.UnitHistory(ctx, "XA")
	if err != nil || len(h.Acts) != 4 || len(h.Names) != 2 || len(h.Heads) != 1 || len(h.Seals) != 1 || h.Parents[0].Name != "Tỉnh ủy" || h.Heads[0].Name == "" {
		t.Errorf("%+v %v", h, err)
	}
	if again, err := admin.UnitHistory(ctx, h.Unit.ID); err != nil || again.Unit != h.Unit {
		t.Errorf("by its id: %+v %v", again.Unit, err)
	}
	then, err := admin.Unit(ctx, "XA", "2011-06-30")
	if err != nil || !then.There || then.Unit.Name != "Đảng ủy phường" || then.ParentName != "Tỉnh ủy" || then.Head == nil || !then.Head.Acting || len(then.Seal) == 0 || then.LevelLabel == nil {
		t.Errorf("%+v %v", then, err)
	}
	if later, err := admin.Unit(ctx, "XA", "2011-07-01"); err != nil || later.Head != nil {
		t.Errorf("after the term: %+v %v", later.Head, err)
	}
	if before, err := admin.Unit(ctx, "XA", "1999-12-31"); err != nil || before.There || before.ParentName != "" {
		t.Errorf("before it began: %+v %v", before, err)
	}
	tree, err := admin.UnitTree(ctx, "2005-01-01")
	if err != nil || len(tree.Levels) != 5 {
		t.Fatalf("%+v %v", tree, err)
	}
	at := slices.IndexFunc(tree.Items, func(n wire.UnitNode) bool { return n.Code == "XA" })
	if n := tree.Items[at]; n.Name != "Đảng ủy xã" || n.Depth != 1 || n.Level != "grassroots" || tree.Items[at-1].ID != n.Parent || tree.Items[at-1].Children != 1 {
		t.Errorf("%+v", tree.Items)
	}
	for code, n := range map[string]wire.NewUnitAct{
		"unit_cycle": {Kind: "move", Unit: "TU", Parent: "XA"}, "unit_in_use": {Kind: "dissolve", Unit: "TU"}, "not_found": {Kind: "dissolve", Unit: "YY"},
		"unit_later": {Kind: "rename", Unit: "XA", Name: "Khác", Effective: "2009-01-01"}, "unit_future": {Kind: "dissolve", Unit: "XA", Effective: "2999-01-01"},
		"unit_level": {Kind: "establish", New: []wire.NewUnitPart{{Code: "Y", Name: "Y", Level: "moon"}}},
		"invalid":    {Kind: "dissolve", Unit: "XA", Name: "Thừa"}, "unit_not_there": {Kind: "move", Unit: "TU", Effective: "1980-01-01"},
	} {
		if n.Effective == "" {
			n.Effective = "2012-01-01"
		}
		n.Decision = wire.Decision{Number: "1", Date: "2012-01-01"}
		if _, err := admin.ActOnUnits(ctx, n); !client.HasCode(err, code) {
			t.Errorf("want %s: %v", code, err)
		}
	}
	if _, err := r.signIn("vanthu").ActOnUnits(ctx, rename); !client.HasCode(err, "forbidden") {
		t.Errorf("staff: %v", err)
	}
}

// TestHoldings: which unit held a dossier when (R-13.2c).
func TestHoldings(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	staff, admin := r.signIn("vanthu"), r.signIn("quantri")
	d := r.dossier(staff)
	if _, err := admin.ImportUnits(ctx, []byte(unitTable), true); err != nil {
		t.Fatal(err)
	}
	merge := act("merge", d.Created.Format("2006-01-02"))
	merge.Units, merge.Into = []string{d.Unit}, "XA"
	made, err := admin.ActOnUnits(ctx, merge)
	if err != nil {
		t.Fatal(err)
	}
	held, err := staff.Holdings(ctx, d.ID, "")
	if err != nil || len(held) != 2 || held[0].Unit != d.Unit || held[0].Act != "" || held[1].UnitCode != "XA" || held[1].Act != made.ID || !held[1].From.After(held[0].From) {
		t.Errorf("%+v %v", held, err)
	}
	if held, err := staff.Holdings(ctx, d.ID, "2020-01-01"); err != nil || len(held) != 0 {
		t.Errorf("before it was opened: %+v %v", held, err)
	}
	// Who worked in the unit works on in its successor.
	if _, err := staff.Dossier(ctx, d.ID); err != nil {
		t.Error(err)
	}
	if _, err := r.signIn("xa").Holdings(ctx, d.ID, ""); !client.HasCode(err, "forbidden") {
		t.Errorf("another unit: %v", err)
	}
}

func TestUnitRequests(t *testing.T) {
	r := newRig(t)
	token := r.token("quantri")
	for _, tt := range []struct {
		method, path, media, body string
		want                      int
	}{
		{"GET", "/api/v1/unit-tree?on=1/1/2020", "", "", 400},
		{"GET", "/api/v1/unit-tree?on=2020-02-30", "", "", 400},
		{"GET", "/api/v1/units/nobody/history", "", "", 404},
		{"POST", "/api/v1/unit-imports", "application/json", "{}", 415},
		{"POST", "/api/v1/unit-imports?apply=yes", "text/csv", unitTable, 400},
		{"POST", "/api/v1/unit-imports", "text/csv; charset=utf-8", "\xff", 422},
		{"POST", "/api/v1/unit-acts", "application/json", `{"kind":"rename","efective":"2020-01-01"}`, 400},
		{"POST", "/api/v1/unit-acts", "application/json", `{"kind":"head","effective":"2020-01-01","decision":{"number":"1","date":"2020-01-01"},"account":"x"}`, 400},
		{"POST", "/api/v1/unit-acts", "application/json", `{"kind":"rename","effective":"2020-13-01","decision":{"number":"1","date":"2020-01-01"}}`, 422},
	} {
		resp := r.raw(tt.method, tt.path, token, map[string]string{"Content-Type": tt.media}, tt.body)
		if resp.StatusCode != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, resp.StatusCode, tt.want)
		}
		resp.Body.Close()
	}
}

// TestUnitPages: the tree on a day, a search without diacritics, and a unit's history.
func TestUnitPages(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	admin := r.signIn("quantri")
	if _, err := admin.ImportUnits(ctx, []byte(unitTable), true); err != nil {
		t.Fatal(err)
	}
	rename := act("rename", "2010-05-01")
	rename.Unit, rename.Name = "XA", "Đảng ủy <phường>"
	if _, err := admin.ActOnUnits(ctx, rename); err != nil {
		t.Fatal(err)
	}
	top, err := admin.UnitHistory(ctx, "TU")
	if err != nil {
		t.Fatal(err)
	}
	p := r.reader()
	p.signIn("vanthu")
	for path, want := range map[string]struct {
		yes []string
		no  string
	}{
		"/units":               {[]string{"Cây tổ chức", "Tỉnh ủy", `aria-current`, `href="/units/` + top.Unit.ID}, "Đảng ủy &lt;phường&gt;"},
		"/units?on=1980-01-01": {[]string{"Ban Tổ chức", "01/01/1980"}, "Tỉnh ủy"},
		"/units?on=2005-01-01&under=" + top.Unit.ID:            {[]string{"Cấp cao nhất", "Đảng ủy xã", "Tổ chức cơ sở", "01/01/2000"}, "phường"},
		"/units?on=2015-01-01&q=" + url.QueryEscape("uy phuo"): {[]string{"Đảng ủy &lt;phường&gt;"}, "Tỉnh ủy"},
		"/units/XA?lang=": {[]string{"Đảng ủy &lt;phường&gt;", "Đảng ủy xã", "12-QĐ/TU", "01/05/2010", "Tỉnh ủy", "trien/unit-act/v1"}, "<phường>"},
	} {
		resp, body := p.get(path)
		if resp.StatusCode != http.StatusOK || strings.Contains(body, want.no) {
			t.Errorf("%s: %d, or it says %s", path, resp.StatusCode, want.no)
		}
		for _, w := range want.yes {
			if !strings.Contains(body, w) {
				t.Errorf("%s does not say %s\n%s", path, w, body)
			}
		}
	}
	for path, want := range map[string]int{"/units?on=x": 400, "/units?under=x": 400, "/units/nobody": 404, "/units?q=" + strings.Repeat("x", 201): 422} {
		if resp, _ := p.get(path); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}

// unitsInABrowser walks down the tree of a day, searches it, and reads a unit's history.
func unitsInABrowser(t *testing.T, r *rig, p *person) {
	admin := r.signIn("quantri")
	if _, err := admin.ImportUnits(t.Context(), []byte(unitTable), true); err != nil {
		t.Fatal(err)
	}
	rename := act("rename", "2010-05-01")
	rename.Unit, rename.Name = "XA", "Đảng ủy phường"
	if _, err := admin.ActOnUnits(t.Context(), rename); err != nil {
		t.Fatal(err)
	}
	p.open("/")
	p.signIn("vanthu")
	p.click("a[href='/units']")
	p.see("table")
	p.wants("table", "Tỉnh ủy")
	p.look("units")
	p.keys("input[name=q]", "dang uy phuong"+kb.Enter)
	p.see("input[name=q][value='dang uy phuong']") // as the next page has it
	p.wants("table", "Đảng ủy phường")
	p.click("tbody th a")
	p.see("#h-acts")
	p.wants("h1", "Đảng ủy phường")
	p.wants("main", "Đảng ủy xã")
	p.wants("main", "12-QĐ/TU")
	p.look("unit")
	p.signOut()
}
