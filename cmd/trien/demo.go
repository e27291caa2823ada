package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"trien/api/client"
	"trien/api/wire"
	"trien/vault/vaulttest/samples"
)

// errDemoDone ends the server after a demo that does not go on serving.
var errDemoDone = errors.New("the demo is done")

func demoCommand(ctx context.Context, args []string, s stdio) error {
	f := flags("demo", s)
	var o serveFlags
	f.StringVar(&o.dir, "data", "", "`folder` of the standalone vault; it is made if it is not there")
	f.StringVar(&o.listen, "listen", "", "loopback `address` of the HTTPS server (with --serve 127.0.0.1:8443, else any free port)")
	f.StringVar(&o.adminListen, "admin-listen", "", "loopback `address` for metrics (with --serve 127.0.0.1:9464, else any free port)")
	out := f.String("out", "out", "`folder` for dossier.pdf, anchors.pem and policy.txt")
	serve := f.Bool("serve", false, "go on serving until Ctrl-C")
	full := f.Bool("full", false, "draw the sample dossier at 300 dpi, in real sizes")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if err := need(f, "data"); err != nil {
		return err
	}
	for _, l := range []struct {
		value *string
		usual string
	}{{&o.listen, "127.0.0.1:8443"}, {&o.adminListen, "127.0.0.1:9464"}} {
		switch {
		case *l.value != "":
		case *serve:
			*l.value = l.usual
		default:
			*l.value = "127.0.0.1:0"
		}
	}
	var err error
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	d := &demo{dir: o.dir, out: *out, size: samples.Small, io: s, began: time.Now()}
	if *full {
		d.size = samples.Full
	}
	d.step("Khởi động kho độc lập", "starting the standalone vault in "+o.dir)
	quiet := stdio{in: s.in, out: io.Discard, err: s.err, level: slog.LevelWarn}
	err = serveStandalone(ctx, o, quiet, func(ctx context.Context, at served) error {
		if err := d.run(ctx, at); err != nil {
			return err
		}
		if *serve {
			d.invite(at)
			return nil
		}
		return errDemoDone
	})
	if errors.Is(err, errDemoDone) {
		fmt.Fprintf(s.out, "\nXong sau %.1f giây. / Done in %.1f s.\n", time.Since(d.began).Seconds(), time.Since(d.began).Seconds())
		return nil
	}
	return err
}

// demo runs the main job by the public interface alone, and by the other programs as people run them.
type demo struct {
	dir, out string
	size     samples.Size
	io       stdio
	began    time.Time
	steps    int
	at       served
	accounts demoAccounts
}

const demoSteps = 10

func (d *demo) step(vi, en string) {
	d.steps++
	fmt.Fprintf(d.io.out, "[%d/%d %5.1fs] %s – %s\n", d.steps, demoSteps, time.Since(d.began).Seconds(), vi, en)
}

func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.io.out, "               "+format+"\n", args...)
}

func (d *demo) run(ctx context.Context, at served) error {
	d.at = at
	d.say("%s", at.URL)
	d.step("Tạo tài khoản và token ký số", "making accounts and the official's token")
	var err error
	if d.accounts, err = d.people(ctx); err != nil {
		return fmt.Errorf("making accounts: %w", err)
	}
	staff, err := d.signIn(ctx, "vanthu")
	if err != nil {
		return err
	}
	defer staff.Close()
	d.step("Mở hồ sơ, nộp lưu tài liệu", "opening a dossier and depositing its documents")
	dossier, versions, err := d.deposit(ctx, staff)
	if err != nil {
		return fmt.Errorf("depositing: %w", err)
	}
	d.step("Sổ cái cấp biên nhận", "the ledger gives receipts")
	for _, v := range versions {
		proof, err := staff.Receipt(ctx, v.ID, true)
		if err != nil {
			return fmt.Errorf("waiting for a receipt: %w", err)
		}
		d.say("%s  %s", v.Kind, strings.SplitN(proof.Receipt, "\n", 3)[1])
	}
	d.step("Trình lãnh đạo ký", "submitting the first document for approval")
	official := d.accounts.people["lanhdao"].ID
	if _, err := staff.Submit(ctx, versions[0].ID, official, "Phê duyệt tài liệu"); err != nil {
		return fmt.Errorf("submitting for approval: %w", err)
	}
	d.step("Lãnh đạo ký bằng token", "the official signs with a token (trien-agent)")
	if err := d.sign(ctx); err != nil {
		return err
	}
	d.step("Xuất hồ sơ, người có thẩm quyền ký", "exporting the dossier; the authorised person signs")
	exported, err := staff.ExportDossier(ctx, dossier.ID, wire.NewExport{
		Signer: official, Recipient: d.accounts.people["thamdinh"].ID, Purpose: "Thẩm định nhân sự (thử nghiệm)",
	})
	if err != nil {
		return fmt.Errorf("exporting: %w", err)
	}
	if err := d.sign(ctx); err != nil {
		return err
	}
	d.step("Cơ quan đóng dấu số; cơ quan thẩm định nhận hồ sơ", "the organisation has sealed it; the appraiser collects it")
	if err := d.collect(ctx, exported.Export.ID); err != nil {
		return err
	}
	return d.judge(ctx)
}

func (d *demo) signIn(ctx context.Context, login string) (*client.Client, error) {
	c, err := client.New(client.Config{Server: d.at.URL, CAFile: d.at.CA})
	if err != nil {
		return nil, err
	}
	_, err = c.SignIn(ctx, login, d.accounts.people[login].Password)
	return c, err
}

// deposit opens the dossier of the first sample person that has none yet, and deposits its files.
func (d *demo) deposit(ctx context.Context, staff *client.Client) (wire.Dossier, []wire.Version, error) {
	var dossier wire.Dossier
	var sample samples.Dossier
	for seed := uint64(1); ; seed++ {
		sample = samples.New(seed, "cadre", d.size)
		var err error
		dossier, err = staff.OpenDossier(ctx, wire.NewDossier{Register: sample.Register, Subject: wire.Subject{
			Name: sample.Subject.Name, BirthDate: sample.Subject.BirthDate, PersonalNumber: sample.Subject.PersonalNumber,
		}})
		if err == nil {
			break
		}
		if !client.HasCode(err, "dossier_exists") {
			return dossier, nil, err
		}
	}
	drawn, err := os.MkdirTemp("", "trien-samples-")
	if err != nil {
		return dossier, nil, err
	}
	defer os.RemoveAll(drawn)
	var versions []wire.Version
	for _, file := range sample.Files {
		v, err := d.depositFile(ctx, staff, dossier.ID, file, filepath.Join(drawn, file.Name))
		if err != nil {
			return dossier, nil, fmt.Errorf("%s: %w", file.Name, err)
		}
		versions = append(versions, v)
		d.say("%-28s %9d B  sha256 %s…", v.Kind, v.Size, v.SHA256[:16])
	}
	return dossier, versions, nil
}

func (d *demo) depositFile(ctx context.Context, staff *client.Client, dossier string, file samples.File, path string) (wire.Version, error) {
	f, err := os.Create(path)
	if err != nil {
		return wire.Version{}, err
	}
	defer f.Close()
	if err := file.Write(f); err != nil {
		return wire.Version{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return wire.Version{}, err
	}
	done, err := staff.Deposit(ctx, client.Deposit{
		Dossier: dossier, Kind: file.Kind, Title: file.Title, Origin: file.Origin, Content: f, Size: info.Size(),
	})
	return done.Version, err
}

// sign lets the official's agent sign everything that waits.
func (d *demo) sign(ctx context.Context) error {
	a := d.accounts
	out, err := d.program(ctx, []string{a.Environment}, "trien-agent", "sign", "--server", d.at.URL, "--ca", d.at.CA,
		"--login", "lanhdao", "--password-file", a.passwordFile("lanhdao"), "--module", a.Module, "--token", demoToken,
		"--pin-file", a.pinFile(), "--all", "--yes")
	for line := range strings.Lines(out) {
		d.say("  │ %s", strings.TrimRight(line, "\n"))
	}
	if err != nil {
		return fmt.Errorf("signing by the agent: %w", err)
	}
	return nil
}

// collect saves the export as the appraiser, who has a right to this export and to nothing else, and beside it what a
// stranger needs to judge it.
func (d *demo) collect(ctx context.Context, export string) error {
	appraiser, err := d.signIn(ctx, "thamdinh")
	if err != nil {
		return err
	}
	defer appraiser.Close()
	path := filepath.Join(d.out, "dossier.pdf")
	saved, err := appraiser.SaveExport(ctx, export, path)
	if err != nil {
		return fmt.Errorf("collecting the export: %w", err)
	}
	policy, err := appraiser.Policy(ctx)
	if err != nil {
		return fmt.Errorf("reading the ledger's policy: %w", err)
	}
	anchors, err := os.ReadFile(d.at.CA)
	if err != nil {
		return err
	}
	d.say("%s  %d B  sha256 %s…", path, saved.Size, saved.SHA256[:16])
	return errors.Join(
		os.WriteFile(filepath.Join(d.out, "policy.txt"), policy, 0o644),
		os.WriteFile(filepath.Join(d.out, "anchors.pem"), anchors, 0o644),
	)
}

// judge runs the stranger's verifier on the export, and on a copy with one byte changed.
func (d *demo) judge(ctx context.Context) error {
	d.step("Người ngoài kiểm tra ngoại tuyến", "a stranger verifies it offline (trien-verify)")
	trust := []string{"--anchors", filepath.Join(d.out, "anchors.pem"), "--policy", filepath.Join(d.out, "policy.txt")}
	path := filepath.Join(d.out, "dossier.pdf")
	verdict, err := d.program(ctx, nil, "trien-verify", append([]string{path}, trust...)...)
	for line := range strings.Lines(verdict) {
		d.say("  │ %s", strings.TrimRight(line, "\n"))
	}
	if err != nil {
		return fmt.Errorf("the export does not verify: %w", err)
	}
	d.step("Sửa một byte thì không còn đạt", "with one byte changed it no longer passes")
	changed := filepath.Join(d.out, "changed.pdf")
	defer os.Remove(changed)
	if err := flipByte(path, changed); err != nil {
		return err
	}
	verdict, err = d.program(ctx, nil, "trien-verify", append([]string{changed}, trust...)...)
	if err == nil {
		return errors.New("a changed export was judged good")
	}
	first, _, _ := strings.Cut(verdict, "\n")
	d.say("  │ %s", first)
	return nil
}

// flipByte copies a file with one bit in the middle turned.
func flipByte(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	b[len(b)/2] ^= 1
	return os.WriteFile(to, b, 0o600)
}

// program runs one of the other programs, which lie beside this one.
func (d *demo) program(ctx context.Context, env []string, name string, args ...string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s does not lie beside %s: run `make build`", name, filepath.Base(self))
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = d.io.err
	out, err := cmd.Output()
	return string(out), err
}

// invite says where to go on.
func (d *demo) invite(at served) {
	fmt.Fprintf(d.io.out, "\nKho đang phục vụ tại / Serving at  %s   (Ctrl-C: dừng / stop)\n", at.URL)
	fmt.Fprintf(d.io.out, "Chứng thư gốc / Certificate authority: %s\nQuản trị / Metrics: %s/metrics\n\n", at.CA, at.Admin)
	fmt.Fprintf(d.io.out, "  %-10s %-14s %-28s %s\n", "login", "role", "mật khẩu / password", "")
	for _, p := range demoPeople {
		fmt.Fprintf(d.io.out, "  %-10s %-14s %-28s %s\n", p.login, p.role, d.accounts.people[p.login].Password, p.name)
	}
	fmt.Fprintf(d.io.out, "  %-10s %-14s %-28s\n\n", adminLogin, "system admin", d.accounts.admin)
	fmt.Fprint(d.io.out, "Kho độc lập không bắt buộc xác thực đa yếu tố; kho chạy bằng tệp cấu hình thì bắt buộc với quản trị viên.\n"+
		"A standalone vault forces no second factor; one with a configuration file does, on administrators.\n\n")
	fmt.Fprintf(d.io.out, "Ký / Sign: %s bin/trien-agent sign --server %s --ca %s --login lanhdao --module %s --token %s  (PIN: %s)\n",
		d.accounts.Environment, at.URL, at.CA, d.accounts.Module, demoToken, d.accounts.pinFile())
}
