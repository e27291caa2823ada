package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"trien/api/client"
	"trien/api/wire"
	"trien/vault"
)

// unitCommands are the commands under `trien unit`. Each sets its flags and returns what it does once they are read and somebody is signed in.
var unitCommands = []struct {
	name string
	help vault.Label
	make func(f *flag.FlagSet) unitRun
}{
	{"list", vault.Label{Vi: "cây tổ chức tại một ngày", En: "the organisation tree on a day"}, unitList},
	{"show", vault.Label{Vi: "một đơn vị tại một ngày", En: "one unit on a day"}, unitShow},
	{"history", vault.Label{Vi: "lịch sử một đơn vị, hoặc các đơn vị từng giữ một hồ sơ", En: "the past of a unit, or who held a dossier"}, unitHistory},
	{"establish", vault.Label{Vi: "thành lập", En: "establish a unit"}, unitEstablish},
	{"rename", vault.Label{Vi: "đổi tên; bổ sung mã hoặc cấp còn thiếu", En: "rename a unit, or give it a code or level that it lacks"}, unitRename},
	{"split", vault.Label{Vi: "chia hoặc tách", En: "split a unit"}, unitSplit},
	{"merge", vault.Label{Vi: "hợp nhất hoặc sáp nhập", En: "merge units"}, unitMerge},
	{"move", vault.Label{Vi: "chuyển sang cấp trên khác", En: "move a unit under another"}, unitMove},
	{"dissolve", vault.Label{Vi: "giải thể", En: "dissolve a unit"}, unitDissolve},
	{"head", vault.Label{Vi: "người đứng đầu", En: "appoint a unit's head"}, unitHead},
	{"seal", vault.Label{Vi: "chứng thư con dấu", En: "give a unit the certificate of its seal"}, unitSeal},
	{"import", vault.Label{Vi: "nhập từ tệp CSV (chạy thử trước, --apply để ghi)", En: "import from CSV (dry, unless --apply)"}, unitImport},
}

// unitRun does one command; args are what the flags left.
type unitRun func(ctx context.Context, c *client.Client, args []string, say unitText) error

func unitCommand(ctx context.Context, args []string, s stdio) error {
	if len(args) == 0 {
		return unitUsage(s.err)
	}
	for _, cmd := range unitCommands {
		if cmd.name != args[0] {
			continue
		}
		f := flags("unit "+cmd.name, s)
		var r remote
		r.flags(f)
		run := cmd.make(f)
		if err := parse(f, args[1:], true); err != nil {
			return err
		}
		if err := need(f, "login"); err != nil {
			return err
		}
		c, bye, err := r.signIn(ctx, s)
		if err != nil {
			return err
		}
		defer bye()
		return run(ctx, c, f.Args(), unitText{s.out, r.language == "en"})
	}
	return unitUsage(s.err)
}

func unitUsage(w io.Writer) error {
	fmt.Fprintln(w, "trien unit COMMAND [FLAGS]   (trien unit COMMAND --help)")
	fmt.Fprintln(w)
	for _, c := range unitCommands {
		fmt.Fprintf(w, "  %-10s %s / %s\n", c.name, c.help.Vi, c.help.En)
	}
	return errUsage
}

// dayFlag is a day, written dd/mm/yyyy or yyyy-mm-dd and kept as the second.
type dayFlag string

// String is the day as the server reads it.
func (d *dayFlag) String() string { return string(*d) }

// Set reads a day.
func (d *dayFlag) Set(s string) error {
	for _, layout := range []string{"2/1/2006", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			*d = dayFlag(t.Format(time.DateOnly))
			return nil
		}
	}
	return errors.New("ngày ghi dd/mm/yyyy / a day is dd/mm/yyyy")
}

func unitList(f *flag.FlagSet) unitRun {
	var on dayFlag
	f.Var(&on, "on", "ngày cần xem, mặc định hôm nay / the `day`; today if not given")
	under := f.String("under", "", "chỉ đơn vị này và trực thuộc / only the unit of this `code` and what stands under it")
	name := f.String("name", "", "lọc theo tên, có dấu hoặc không dấu / only names with these `words`, with or without diacritics")
	return func(ctx context.Context, c *client.Client, _ []string, say unitText) error {
		tree, err := c.UnitTree(ctx, string(on))
		if err != nil {
			return err
		}
		items := tree.Items
		if *under != "" {
			if items = subtree(items, *under); items == nil {
				return errors.New("không có đơn vị này tại ngày đó / no such unit on that day")
			}
		}
		for _, n := range items {
			if vault.NameHas(n.Name, *name) {
				say.line("%s%s\t%s\t%s", strings.Repeat("  ", n.Depth-items[0].Depth), unitRef(n.Unit), n.Name, say.level(tree.Levels, n.Level))
			}
		}
		return nil
	}
}

// subtree cuts the list, in which each unit stands before what is under it, to one unit.
func subtree(items []wire.UnitNode, ref string) []wire.UnitNode {
	at := slices.IndexFunc(items, func(n wire.UnitNode) bool { return n.Code == ref || n.ID == ref })
	if at < 0 {
		return nil
	}
	end := at + 1
	for end < len(items) && items[end].Depth > items[at].Depth {
		end++
	}
	return items[at:end]
}

// unitRef is what a person calls a unit by.
func unitRef(u wire.Unit) string {
	if u.Code != "" {
		return u.Code
	}
	return u.ID
}

// unitFlag names the unit that a command is about.
func unitFlag(f *flag.FlagSet) *string {
	return f.String("unit", "", "mã hoặc định danh đơn vị / the unit's `code` or id")
}

func unitShow(f *flag.FlagSet) unitRun {
	unit := unitFlag(f)
	var on dayFlag
	f.Var(&on, "on", "ngày cần xem, mặc định hôm nay / the `day`; today if not given")
	return func(ctx context.Context, c *client.Client, _ []string, say unitText) error {
		if err := need(f, "unit"); err != nil {
			return err
		}
		u, err := c.Unit(ctx, *unit, string(on))
		if err != nil {
			return err
		}
		say.unit(u)
		return nil
	}
}

func unitHistory(f *flag.FlagSet) unitRun {
	unit := unitFlag(f)
	dossier := f.String("dossier", "", "định danh hồ sơ / `id` of a dossier: which units held it")
	var on dayFlag
	f.Var(&on, "on", "chỉ những đơn vị giữ hồ sơ trong ngày này / only who held the dossier on that `day`")
	return func(ctx context.Context, c *client.Client, _ []string, say unitText) error {
		if (*unit == "") == (*dossier == "") || *dossier == "" && on != "" {
			fmt.Fprintln(f.Output(), "trien unit history: --unit, hoặc --dossier [--on] / give --unit, or --dossier [--on]")
			return errUsage
		}
		if *dossier != "" {
			held, err := c.Holdings(ctx, *dossier, string(on))
			if err != nil {
				return err
			}
			say.holdings(held)
			return nil
		}
		h, err := c.UnitHistory(ctx, *unit)
		if err != nil {
			return err
		}
		say.history(h)
		return nil
	}
}

func unitImport(f *flag.FlagSet) unitRun {
	apply := f.Bool("apply", false, "ghi thật nếu mọi dòng đều hợp lệ / do it, if every line can be")
	return func(ctx context.Context, c *client.Client, args []string, say unitText) error {
		if len(args) != 1 {
			fmt.Fprintln(f.Output(), "trien unit import: nêu một tệp CSV / give one CSV file")
			return errUsage
		}
		file, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		table, err := io.ReadAll(io.LimitReader(file, vault.MaxUnitImport+1))
		if err != nil {
			return err
		}
		done, err := c.ImportUnits(ctx, table, *apply)
		if err != nil {
			return err
		}
		say.imported(done, *apply)
		if len(done.Refused) > 0 {
			return fmt.Errorf("%d dòng bị từ chối, không dòng nào được ghi / %d lines are refused, and none was done", len(done.Refused), len(done.Refused))
		}
		return nil
	}
}
