package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"trien/api/wire"
	"trien/vault"
)

// unitText writes about units: Vietnamese, unless English is asked for.
type unitText struct {
	out     io.Writer
	english bool
}

func (u unitText) line(format string, args ...any) { fmt.Fprintf(u.out, format+"\n", args...) }

func (u unitText) pick(vi, en string) string {
	if u.english {
		return en
	}
	return vi
}

func (u unitText) act(kind string) string {
	words := map[string]vault.Label{
		"establish": {Vi: "thành lập", En: "established"}, "rename": {Vi: "đổi tên hoặc bổ sung", En: "renamed or completed"},
		"move": {Vi: "chuyển cấp trên", En: "moved"}, "split": {Vi: "chia, tách", En: "split"}, "merge": {Vi: "hợp nhất, sáp nhập", En: "merged"},
		"dissolve": {Vi: "giải thể", En: "dissolved"}, "head": {Vi: "người đứng đầu", En: "head"}, "seal": {Vi: "con dấu", En: "seal"},
	}
	return u.pick(words[kind].Vi, words[kind].En)
}

func (u unitText) level(levels []wire.UnitLevel, code string) string {
	for _, l := range levels {
		if l.Code == code {
			return u.pick(l.Label.Vi, l.Label.En)
		}
	}
	return "-"
}

// day writes dd/mm/yyyy; a dash for one that is open.
func day(iso string) string {
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return "-"
	}
	return t.Format("02/01/2006")
}

// unit writes what was true of a unit on the tree's day.
func (u unitText) unit(h wire.UnitHistory, tree wire.UnitTree) {
	on := tree.Day
	stands := h.Unit.From <= on && (h.Unit.To == "" || on < h.Unit.To)
	u.line("%s\t%s", u.pick("ngày", "day"), day(on))
	u.line("%s\t%s", u.pick("mã", "code"), unitRef(h.Unit))
	u.line("%s\t%s", u.pick("cấp", "level"), u.level(tree.Levels, h.Unit.Level))
	u.line("%s\t%s", u.pick("thành lập", "established"), day(h.Unit.From))
	u.line("%s\t%s", u.pick("kết thúc", "ended"), day(h.Unit.To))
	if !stands {
		u.line("%s", u.pick("không hoạt động tại ngày này", "not there on this day"))
		return
	}
	name, parent, head, seal := "", "-", "-", "-"
	for _, n := range h.Names {
		if n.From <= on {
			name = n.Name
		}
	}
	for _, p := range h.Parents {
		if p.From <= on {
			if parent = "-"; p.Parent != "" {
				parent = p.Name
			}
		}
	}
	for _, x := range h.Heads {
		if x.From <= on {
			if head = "-"; x.Account != "" && (x.Until == "" || on < x.Until) {
				head = u.head(x)
			}
		}
	}
	for _, x := range h.Seals {
		if x.From <= on {
			seal = sealText(x)
		}
	}
	u.line("%s\t%s", u.pick("tên", "name"), name)
	u.line("%s\t%s", u.pick("cấp trên", "under"), parent)
	u.line("%s\t%s", u.pick("người đứng đầu", "head"), head)
	u.line("%s\t%s", u.pick("con dấu", "seal"), seal)
}

func (u unitText) head(x wire.UnitHead) string {
	if x.Account == "" {
		return u.pick("khuyết", "vacant")
	}
	text := x.Name
	if x.Acting {
		text += u.pick(" (phụ trách)", " (acting)")
	}
	if x.Until != "" {
		text += u.pick(", đến trước ", ", until ") + day(x.Until)
	}
	return text
}

// sealText is the SHA-256 of a certificate.
func sealText(x wire.UnitSeal) string {
	if len(x.Certificate) == 0 {
		return "-"
	}
	sum := sha256.Sum256(x.Certificate)
	return hex.EncodeToString(sum[:])
}

func (u unitText) history(h wire.UnitHistory) {
	u.line("%s\t%s\t%s\t%s", unitRef(h.Unit), h.Unit.Name, day(h.Unit.From), day(h.Unit.To))
	for _, n := range h.Names {
		u.line("%s\t%s\t%s", u.pick("tên", "name"), day(n.From), n.Name)
	}
	for _, p := range h.Parents {
		u.line("%s\t%s\t%s", u.pick("cấp trên", "under"), day(p.From), strings.TrimSpace(p.Name+" "+p.Parent))
	}
	for _, x := range h.Heads {
		u.line("%s\t%s\t%s", u.pick("người đứng đầu", "head"), day(x.From), u.head(x))
	}
	for _, x := range h.Seals {
		u.line("%s\t%s\t%s", u.pick("con dấu", "seal"), day(x.From), sealText(x))
	}
	for _, a := range h.Acts {
		u.line("%s\t%s\t%s\t%s %s\t%s", u.pick("việc", "act"), day(a.Effective), u.act(a.Kind), a.Decision.Number, day(a.Decision.Date), a.ID)
	}
}

func (u unitText) holdings(held []wire.Holding) {
	for _, h := range held {
		unit := h.UnitCode
		if unit == "" {
			unit = h.Unit
		}
		how := u.pick("mở hồ sơ", "opened")
		if h.Act != "" {
			how = h.Act
		}
		u.line("%s\t%s\t%s\t%s", h.From.Format(time.RFC3339Nano), unit, h.UnitName, how)
	}
}

func (u unitText) imported(done wire.UnitImport, apply bool) {
	for _, r := range done.Refused {
		title, detail := r.Title, r.Detail
		if u.english {
			title, detail = r.En.Title, r.En.Detail
		}
		u.line(u.pick("dòng %d\t%s\t%s\t%s %s", "line %d\t%s\t%s\t%s %s"), r.Line, r.Unit, r.Code, title+".", detail)
	}
	what := u.pick("chạy thử", "dry run")
	if apply {
		what = u.pick("đã ghi", "done")
		if !done.Applied {
			what = u.pick("không ghi", "nothing done")
		}
	}
	u.line(u.pick("%s: %d dòng, %d đơn vị mới, %d không đổi, %d bị từ chối", "%s: %d lines, %d new units, %d unchanged, %d refused"),
		what, done.Lines, done.Established, done.Unchanged, len(done.Refused))
}
