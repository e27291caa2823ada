package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"trien/ledger/audit"
)

const reconcileHelp = `trien-verify reconcile – đối chiếu danh mục phiên bản với sổ cái
                         compare an inventory of versions with the log

Cách dùng / usage:
  trien-verify reconcile URL --inventory TỆP --policy CHÍNH-SÁCH.txt

  URL              nơi công bố sổ cái, hoặc thư mục / where the log is published, or a folder
  --inventory TỆP  danh mục do 'trien reconcile --inventory' ghi ra
                   the inventory, as 'trien reconcile --inventory' writes it
  --first N        in N sai lệch đầu tiên; mặc định 20 / print the first N differences
  --grace 10m      phiên bản mới hơn thế được phép chưa có trong sổ cái
                   versions younger than this need not be in the log yet
  --ca PEM, --json, --lang vi|en

Mã thoát / exit codes: 0 khớp / all match, 1 có sai lệch / differences, 2 chưa kết luận được / cannot say, 3 gọi sai cách / called wrongly
`

func reconcileCommand(ctx context.Context, args []string, stdout, _ io.Writer) error {
	var a asked
	var path string
	var first int
	var grace time.Duration
	f := a.flags("reconcile")
	f.StringVar(&path, "inventory", "", "")
	f.IntVar(&first, "first", 20, "")
	f.DurationVar(&grace, "grace", audit.DefaultGrace, "")
	rest, done, err := a.parse(f, args, stdout, reconcileHelp)
	if err != nil || done {
		return err
	}
	if err := a.needPolicy(); err != nil {
		return err
	}
	if path == "" || first < 0 || grace <= 0 {
		return fmt.Errorf("%w: --inventory is missing, or --first or --grace is negative", errUsage)
	}
	location, err := one(rest, "URL or folder of a log")
	if err != nil {
		return err
	}
	log, err := a.open(location)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	defer func() { _ = file.Close() }()
	inventory, err := audit.ReadInventory(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errUsage, path, err)
	}
	var differences []audit.Difference
	sum, err := audit.Reconciliation{Policy: a.policy, Log: log, Grace: grace, Report: func(d audit.Difference) {
		if len(differences) < first {
			differences = append(differences, d)
		}
	}}.Run(ctx, inventory)
	outcome, code := audit.Judge(err)
	if err == nil && sum.Differences > 0 {
		outcome, code = audit.Failed, "differences"
	}
	if a.json {
		err = writeReconciledJSON(stdout, outcome, code, err, sum, differences)
	} else {
		err = a.tellReconciled(stdout, outcome, code, err, sum, differences)
	}
	return errors.Join(err, concluded(outcome))
}

func (a *asked) tellReconciled(w io.Writer, outcome audit.Outcome, code string, err error, sum audit.Reconciled, list []audit.Difference) error {
	t := a.teller(w)
	switch {
	case code == "differences":
		t.line(0, pair{"%s: %s sai lệch giữa danh mục và sổ cái. [differences]", "%s: %s differences between inventory and log. [differences]"},
			t.say(outcomeWords[outcome]), t.number(sum.Differences))
	default:
		t.headline(outcome, pair{
			"Mỗi phiên bản có đúng một mục trong sổ cái, và mỗi mục là của một phiên bản hoặc một lần hủy.",
			"Every version has exactly one leaf, and every leaf is a version's or a destruction's.",
		}, code, err)
	}
	t.line(1, pair{"Sổ cái %s", "Log %s"}, a.policy.Origin())
	if err == nil {
		for _, row := range []struct {
			label pair
			n     uint64
		}{
			{pair{"Mục trong sổ cái", "Leaves in the log"}, sum.Leaves},
			{pair{"Mục ghi sau danh mục, không xét", "Leaves behind the inventory, not compared"}, sum.Later},
			{pair{"Phiên bản trong danh mục", "Versions in the inventory"}, sum.Versions},
			{pair{"Khớp", "Matched"}, sum.Matched},
			{pair{"Đã hủy theo quyết định", "Destroyed by decision"}, sum.Destroyed},
			{pair{"Khớp, chưa có biên nhận", "Matched, without a receipt yet"}, sum.Unconfirmed},
			{pair{"Đang chờ ghi sổ cái", "Waiting for the log"}, sum.Waiting},
			{pair{"Mới hơn", "Newer than that"}, sum.Newer},
			{pair{"Mục hủy", "Leaves of destructions"}, sum.Destroying},
			{pair{"Mục đổi khóa", "Leaves of changes of keys"}, sum.Keys},
			{pair{"Sai lệch", "Differences"}, sum.Differences},
		} {
			t.line(1, pair{"%s: %s", "%s: %s"}, t.say(row.label), t.number(row.n))
		}
	}
	for _, d := range list {
		t.difference(d)
	}
	return t.err
}

func (t *teller) difference(d audit.Difference) {
	leaf := func(index uint64) string {
		if index == audit.NoIndex {
			return "-"
		}
		return t.say(pair{"mục ", "leaf "}) + t.number(index)
	}
	if d.Kind == audit.Twice {
		t.line(2, pair{"%s: phiên bản %s, %s và %s", "%s: version %s, %s and %s"}, t.say(differenceWords[d.Kind]), d.Version, leaf(d.Index), leaf(d.Other))
		return
	}
	place := leaf(d.Index)
	if d.Kind == audit.NoLeaf {
		place = "-"
	}
	t.line(2, pair{"%s: %s, phiên bản %s, mã băm %s", "%s: %s, version %s, leaf hash %s"}, t.say(differenceWords[d.Kind]), place, d.Version, d.Leaf)
}

type differenceReport struct {
	Kind     audit.DifferenceKind `json:"kind"`
	Index    uint64               `json:"index"`
	Other    *uint64              `json:"other_index,omitempty"` // of a version at two places; without it the second place is no leaf
	Version  string               `json:"version"`
	LeafHash string               `json:"leaf_hash"`
}

func writeReconciledJSON(w io.Writer, outcome audit.Outcome, code string, failed error, sum audit.Reconciled, list []audit.Difference) error {
	detail := ""
	if failed != nil {
		detail = failed.Error()
	}
	shown := []differenceReport{}
	for _, d := range list {
		one := differenceReport{Kind: d.Kind, Index: d.Index, Version: d.Version.String(), LeafHash: d.Leaf.String()}
		if d.Kind == audit.Twice && d.Other != audit.NoIndex {
			one.Other = &d.Other
		}
		shown = append(shown, one)
	}
	return json.NewEncoder(w).Encode(struct {
		Format      string                          `json:"format"`
		Outcome     audit.Outcome                   `json:"outcome"`
		Code        string                          `json:"code,omitempty"`
		Detail      string                          `json:"detail,omitempty"`
		Size        uint64                          `json:"size"`
		Later       uint64                          `json:"later"`
		Versions    uint64                          `json:"versions"`
		Matched     uint64                          `json:"matched"`
		Destroyed   uint64                          `json:"destroyed"`
		Unconfirmed uint64                          `json:"unconfirmed"`
		Waiting     uint64                          `json:"waiting"`
		Newer       uint64                          `json:"newer"`
		Destroying  uint64                          `json:"destructions"`
		Keys        uint64                          `json:"key_changes"`
		Differences uint64                          `json:"differences"`
		ByKind      map[audit.DifferenceKind]uint64 `json:"differences_by_kind"`
		First       []differenceReport              `json:"first"`
	}{
		"trien/reconcile-report/v1", outcome, code, detail, sum.Leaves, sum.Later, sum.Versions, sum.Matched, sum.Destroyed, sum.Unconfirmed, sum.Waiting,
		sum.Newer, sum.Destroying, sum.Keys, sum.Differences, sum.ByKind, shown,
	})
}
