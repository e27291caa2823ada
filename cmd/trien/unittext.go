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

// unit writes what was true of a unit on a day.
func (u unitText) unit(x wire.UnitState) {
	u.line("%s\t%s", u.pick("ngày", "day"), day(x.Day))
	u.line("%s\t%s", u.pick("mã", "code"), unitRef(x.Unit))
	level := "-"
	if x.LevelLabel != nil {
		level = u.pick(x.LevelLabel.Vi, x.LevelLabel.En)
	}
	u.line("%s\t%s", u.pick("cấp", "level"), level)
	u.line("%s\t%s", u.pick("thành lập", "established"), day(x.Unit.From))
	u.line("%s\t%s", u.pick("kết thúc", "ended"), day(x.Unit.To))
	if !x.There {
		u.line("%s", u.pick("không hoạt động tại ngày này", "not there on this day"))
		return
	}
	head, parent := "-", "-"
	if x.Head != nil {
		head = u.head(*x.Head)
	}
	if x.Parent != "" {
		parent = x.ParentName
	}
	u.line("%s\t%s", u.pick("tên", "name"), x.Unit.Name)
	u.line("%s\t%s", u.pick("cấp trên", "under"), parent)
	u.line("%s\t%s", u.pick("người đứng đầu", "head"), head)
	u.line("%s\t%s", u.pick("con dấu", "seal"), sealText(x.Seal))
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
func sealText(der []byte) string {
	if len(der) == 0 {
		return "-"
	}
	sum := sha256.Sum256(der)
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
		u.line("%s\t%s\t%s", u.pick("con dấu", "seal"), day(x.From), sealText(x.Certificate))
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
