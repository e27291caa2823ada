package main

import (
	"context"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"trien/api/client"
	"trien/api/wire"
)

// unitAct sets the flags of every act, and returns what fills in and does one.
func unitAct(f *flag.FlagSet, kind string, fill func(ctx context.Context, c *client.Client, n *wire.NewUnitAct) error) unitRun {
	n := wire.NewUnitAct{Kind: kind}
	var effective, decided dayFlag
	f.Var(&effective, "effective", "ngày hiệu lực / the `day` on which it takes effect (dd/mm/yyyy)")
	f.StringVar(&n.Decision.Number, "decision", "", "số quyết định / `number` of the decision it rests on")
	f.Var(&decided, "decided", "ngày quyết định / `day` of the decision (dd/mm/yyyy)")
	return func(ctx context.Context, c *client.Client, args []string, say unitText) error {
		if len(args) > 0 {
			fmt.Fprintf(f.Output(), "%s: %q is not understood\n", f.Name(), args[0])
			return errUsage
		}
		if err := need(f, "effective", "decision", "decided"); err != nil {
			return err
		}
		n.Effective, n.Decision.Date = string(effective), string(decided)
		if err := fill(ctx, c, &n); err != nil {
			return err
		}
		a, err := c.ActOnUnits(ctx, n)
		if err != nil {
			return err
		}
		say.line("%s\t%s\t%s", a.ID, say.act(a.Kind), strings.Join(a.Units, " "))
		return nil
	}
}

// parts reads --part: code;name;level;parent, the last two of which may be missing.
type parts []wire.NewUnitPart

// String is nothing that anybody reads.
func (p *parts) String() string { return "" }

// Set reads one unit that an act makes.
func (p *parts) Set(s string) error {
	fields := strings.Split(s, ";")
	if len(fields) < 2 || len(fields) > 4 {
		return errors.New("ghi mã;tên;cấp;mã cấp trên / write code;name;level;parent")
	}
	fields = append(fields, "", "")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	*p = append(*p, wire.NewUnitPart{Code: fields[0], Name: fields[1], Level: fields[2], Parent: fields[3]})
	return nil
}

const partHelp = "đơn vị mới: mã;tên;cấp;mã cấp trên / a new `unit`: code;name;level;parent"

func unitEstablish(f *flag.FlagSet) unitRun {
	var u wire.NewUnitPart
	f.StringVar(&u.Code, "code", "", "mã đơn vị / the unit's `code`")
	f.StringVar(&u.Name, "name", "", "tên đơn vị / its `name`")
	f.StringVar(&u.Level, "level", "", "cấp / its `level`: central, province, above_grassroots, grassroots, branch")
	f.StringVar(&u.Parent, "parent", "", "mã đơn vị cấp trên / `code` of the unit above; none: a root")
	return unitAct(f, "establish", func(_ context.Context, _ *client.Client, n *wire.NewUnitAct) error {
		n.New = []wire.NewUnitPart{u}
		return need(f, "code", "name", "level")
	})
}

func unitRename(f *flag.FlagSet) unitRun {
	unit := unitFlag(f)
	name := f.String("name", "", "tên mới / the new `name`")
	code := f.String("code", "", "mã, nếu đơn vị chưa có / a `code`, for a unit that has none")
	level := f.String("level", "", "cấp, nếu đơn vị chưa có / a `level`, for a unit that has none")
	return unitAct(f, "rename", func(_ context.Context, _ *client.Client, n *wire.NewUnitAct) error {
		n.Unit, n.Name, n.Code, n.Level = *unit, *name, *code, *level
		return need(f, "unit")
	})
}

func unitSplit(f *flag.FlagSet) unitRun {
	unit := unitFlag(f)
	var made parts
	f.Var(&made, "part", partHelp)
	ends := f.Bool("ends", false, "đơn vị cũ kết thúc (chia) / the unit ends; else it goes on beside its parts")
	successor := f.String("successor", "", "mã đơn vị kế thừa / `code` of who takes its dossiers, accounts and units")
	return unitAct(f, "split", func(_ context.Context, _ *client.Client, n *wire.NewUnitAct) error {
		n.Unit, n.New, n.Ends, n.Successor = *unit, made, *ends, *successor
		return need(f, "unit")
	})
}

// codes are given one by one, or with commas between them.
type codes []string

// String is what was given.
func (c *codes) String() string { return strings.Join(*c, ",") }

// Set adds codes.
func (c *codes) Set(s string) error {
	for _, code := range strings.Split(s, ",") {
		*c = append(*c, strings.TrimSpace(code))
	}
	return nil
}

func unitMerge(f *flag.FlagSet) unitRun {
	var units codes
	var made parts
	f.Var(&units, "unit", "mã các đơn vị kết thúc / `codes` of the units that end")
	into := f.String("into", "", "mã đơn vị tiếp nhận (sáp nhập) / `code` of a unit that stands and takes them")
	f.Var(&made, "part", partHelp)
	return unitAct(f, "merge", func(_ context.Context, _ *client.Client, n *wire.NewUnitAct) error {
		n.Units, n.Into, n.New = units, *into, made
		return need(f, "unit")
	})
}

func unitMove(f *flag.FlagSet) unitRun {
	unit := unitFlag(f)
	parent := f.String("parent", "", "mã cấp trên mới / `code` of the new unit above")
	root := f.Bool("root", false, "không còn cấp trên / it has nothing above it any more")
	return unitAct(f, "move", func(_ context.Context, _ *client.Client, n *wire.NewUnitAct) error {
		if (*parent == "") != *root {
			fmt.Fprintln(f.Output(), "trien unit move: --parent hoặc --root / give --parent or --root")
			return errUsage
		}
		n.Unit, n.Parent = *unit, *parent
		return need(f, "unit")
	})
}

func unitDissolve(f *flag.FlagSet) unitRun {
	unit := unitFlag(f)
	successor := f.String("successor", "", "mã đơn vị kế thừa / `code` of who takes its dossiers, accounts and units")
	return unitAct(f, "dissolve", func(_ context.Context, _ *client.Client, n *wire.NewUnitAct) error {
		n.Unit, n.Successor = *unit, *successor
		return need(f, "unit")
	})
}

func unitHead(f *flag.FlagSet) unitRun {
	unit := unitFlag(f)
	who := f.String("head", "", "tên đăng nhập của người đứng đầu / `login` of the head")
	vacant := f.Bool("vacant", false, "chức vụ khuyết từ ngày đó / the post is vacant from then on")
	acting := f.Bool("acting", false, "phụ trách / they act without holding the post")
	var until dayFlag
	f.Var(&until, "until", "ngày hết nhiệm kỳ / first `day` after the term (dd/mm/yyyy)")
	return unitAct(f, "head", func(ctx context.Context, c *client.Client, n *wire.NewUnitAct) error {
		if (*who == "") != *vacant {
			fmt.Fprintln(f.Output(), "trien unit head: --head hoặc --vacant / give --head or --vacant")
			return errUsage
		}
		n.Unit, n.Acting, n.Until = *unit, *acting, string(until)
		if err := need(f, "unit"); err != nil || *vacant {
			return err
		}
		accounts, err := c.Accounts(ctx)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(accounts, func(a wire.Account) bool { return a.Login == *who })
		if at < 0 {
			return fmt.Errorf("không có tài khoản %q / there is no account %q", *who, *who)
		}
		n.Account = accounts[at].ID
		return nil
	})
}

func unitSeal(f *flag.FlagSet) unitRun {
	unit := unitFlag(f)
	path := f.String("certificate", "", "tệp PEM chứng thư con dấu / PEM `file` of the seal's certificate")
	withdraw := f.Bool("withdraw", false, "thu hồi con dấu / the unit has no seal from then on")
	return unitAct(f, "seal", func(_ context.Context, _ *client.Client, n *wire.NewUnitAct) error {
		if (*path == "") != *withdraw {
			fmt.Fprintln(f.Output(), "trien unit seal: --certificate hoặc --withdraw / give --certificate or --withdraw")
			return errUsage
		}
		n.Unit = *unit
		if err := need(f, "unit"); err != nil || *withdraw {
			return err
		}
		text, err := os.ReadFile(*path)
		if err != nil {
			return err
		}
		block, _ := pem.Decode(text)
		if block == nil || block.Type != "CERTIFICATE" {
			return fmt.Errorf("%s: không phải chứng thư PEM / no certificate in PEM", *path)
		}
		n.Certificate = block.Bytes
		return nil
	})
}
