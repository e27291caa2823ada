package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"trien/api/client"
	"trien/api/wire"
	"trien/vault/policy"
)

// openPolicies reads the rules that the operator adds to the program's own: a folder of *.cedar files that forbid. No folder: none are added.
func openPolicies(dir string) (*policy.Engine, error) {
	if dir == "" {
		return nil, nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%w: policies is %q, which is no folder", errConfig, dir)
	}
	e, err := policy.New(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("%w: policies: %w", errConfig, err)
	}
	return e, nil
}

func policyCommand(ctx context.Context, args []string, s stdio) error {
	if len(args) > 0 && args[0] == "explain" {
		return explainPolicy(ctx, args[1:], s)
	}
	if len(args) > 0 && args[0] == "rules" {
		return listRules(args[1:], s)
	}
	fmt.Fprintln(s.err, "trien policy: the commands are `trien policy rules` and `trien policy explain` (--help lists their flags)")
	return errUsage
}

// listRules prints what a vault with these added rules would decide by, after all of it was checked.
func listRules(args []string, s stdio) error {
	f := flags("policy rules", s)
	dir := f.String("policies", "", "`folder` with rules to add, as in a configuration; empty: the program's own alone")
	if err := parse(f, args, false); err != nil {
		return err
	}
	e, err := openPolicies(*dir)
	if err == nil && e == nil {
		e, err = policy.New(nil)
	}
	if err != nil {
		return err
	}
	for _, r := range e.Rules() {
		effect := "permit"
		if r.Forbid {
			effect = "forbid"
		}
		fmt.Fprintf(s.out, "%s  %s  %s\n  %s\n  %s\n", effect, r.Rule, r.ID, r.Vi, r.En)
	}
	return nil
}

// explainPolicy asks a running vault, as an auditor or a data administrator. The vault records who asked about whom.
func explainPolicy(ctx context.Context, args []string, s stdio) error {
	f := flags("policy explain", s)
	var r remote
	r.flags(f)
	var q client.Inquiry
	f.StringVar(&q.Account, "account", "", "`id` of the account whose act it is")
	f.StringVar(&q.Action, "action", "", "the `act`, as in the access record: disclose, read_dossier, export …")
	f.StringVar(&q.Dossier, "dossier", "", "`id` of the dossier; empty: of the account's own unit in general")
	f.StringVar(&q.Record, "record", "", "`id` of one of its records")
	f.BoolVar(&q.Device, "device", false, "in a session of an enrolled device")
	f.BoolVar(&q.MFA, "mfa", false, "in a session with a second factor")
	f.BoolVar(&q.Purpose, "purpose", false, "with a purpose stated")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if err := need(f, "login", "account", "action"); err != nil {
		return err
	}
	c, bye, err := r.signIn(ctx, s)
	if err != nil {
		return err
	}
	defer bye()
	x, err := c.Explain(ctx, q)
	if err != nil {
		return err
	}
	return printExplanation(s.out, x)
}

// printExplanation says it in both languages, as auditors file it.
func printExplanation(w io.Writer, x wire.Explanation) error {
	var b strings.Builder
	switch {
	case x.Allowed:
		b.WriteString("allowed\n  Được phép theo:\n  Allowed by:\n")
	case len(x.By) == 0:
		fmt.Fprintf(&b, "refused: %s\n  Không có quy tắc nào cho phép.\n  No rule permits it.\n", x.Reason)
	default:
		fmt.Fprintf(&b, "refused: %s\n  Bị từ chối theo:\n  Refused by:\n", x.Reason)
	}
	for _, r := range x.By {
		fmt.Fprintf(&b, "  - %s (%s)\n      %s\n      %s\n", r.Rule, r.ID, r.Label.Vi, r.Label.En)
	}
	for i, way := range x.Ways {
		var vi, en []string
		for _, n := range way {
			vi, en = append(vi, n.Label.Vi), append(en, n.Label.En)
		}
		if i == 0 {
			b.WriteString("  Cần có (một trong các dòng):\n  Would need (any one of the lines):\n")
		}
		fmt.Fprintf(&b, "  + %s\n    %s\n", strings.Join(vi, "; "), strings.Join(en, "; "))
	}
	if !x.Allowed && len(x.Ways) == 0 {
		b.WriteString("  Vai trò này không thể được phép.\n  Nothing would allow it to this role.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
