package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"trien/api/client"
)

// remote are the flags of commands that speak to a running vault.
type remote struct{ server, ca, login, passwordFile, code, language string }

func (r *remote) flags(f *flag.FlagSet) {
	f.StringVar(&r.server, "server", "https://127.0.0.1:8443", "`address` of the vault")
	f.StringVar(&r.ca, "ca", "", "PEM `file` of the authority that the server's certificate is under; empty: the system's")
	f.StringVar(&r.login, "login", "", "`name` to sign in with")
	f.StringVar(&r.passwordFile, "password-file", "", "`file` with the password; empty: asked on the terminal")
	f.StringVar(&r.code, "factor", "", "`code` of the second factor, or a recovery code, if the account has one")
	f.StringVar(&r.language, "lang", "vi", "language of the server's messages: vi or en")
}

// signIn opens a session; call the function it returns to end it.
func (r *remote) signIn(ctx context.Context, s stdio) (*client.Client, func(), error) {
	c, err := client.New(client.Config{Server: r.server, CAFile: r.ca, Language: r.language})
	if err != nil {
		return nil, nil, err
	}
	password, err := r.password(s)
	if err != nil {
		return nil, nil, err
	}
	if _, err := c.SignInWithCode(ctx, r.login, password, r.code); err != nil {
		return nil, nil, err
	}
	return c, func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = c.SignOut(bye) // the session ends by itself otherwise
		c.Close()
	}, nil
}

func (r *remote) password(s stdio) (string, error) {
	if r.passwordFile != "" {
		text, err := os.ReadFile(r.passwordFile)
		return strings.TrimRight(string(text), "\r\n"), err
	}
	in, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", errors.New("there is no terminal to ask the password on: use --password-file")
	}
	fmt.Fprint(s.err, "Mật khẩu / Password: ")
	text, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(s.err)
	return string(text), err
}

func depositCommand(ctx context.Context, args []string, s stdio) error {
	f := flags("deposit", s)
	var r remote
	r.flags(f)
	var d client.Deposit
	f.StringVar(&d.Dossier, "dossier", "", "`id` of the dossier that gets a new record for every file")
	f.StringVar(&d.Record, "record", "", "`id` of the record that gets a new version (one file)")
	f.StringVar(&d.Kind, "kind", "", "`kind` of the new records, for example party.member_slip")
	f.StringVar(&d.Title, "title", "", "title of the new record; empty: the file's name")
	f.StringVar(&d.Secrecy, "secrecy", "", "`level` of the new records: unclassified, confidential, secret or top_secret; empty: the least that kind and dossier say")
	f.StringVar(&d.Origin, "origin", "digitised", "declared, digitised, produced or shared")
	f.StringVar(&d.Basis, "basis", "", "reference of the paper or decision it rests on")
	f.DurationVar(&d.Wait, "wait", 0, "wait so long for the ledger's receipt")
	if err := parse(f, args, true); err != nil {
		return err
	}
	if err := need(f, "login"); err != nil {
		return err
	}
	if f.NArg() == 0 || (d.Dossier == "") == (d.Record == "") || d.Record != "" && f.NArg() > 1 {
		fmt.Fprintln(s.err, "trien deposit: give --dossier ID and FILES, or --record ID and one FILE")
		return errUsage
	}
	c, bye, err := r.signIn(ctx, s)
	if err != nil {
		return err
	}
	defer bye()
	var failed error
	for _, path := range f.Args() {
		// One refused file does not keep the others out.
		if err := depositFile(ctx, c, d, path, s); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", path, err))
		}
	}
	return failed
}

func depositFile(ctx context.Context, c *client.Client, d client.Deposit, path string, s stdio) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	d.Content, d.Size = file, info.Size()
	if d.Title == "" && d.Record == "" {
		d.Title = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	done, err := c.Deposit(ctx, d)
	if err != nil {
		return err
	}
	state := "pending"
	if done.Proof != nil {
		state = "logged"
	}
	_, err = fmt.Fprintln(s.out, done.Version.ID, done.Version.SHA256, state, path)
	return err
}

func exportCommand(ctx context.Context, args []string, s stdio) error {
	f := flags("export", s)
	var r remote
	r.flags(f)
	dossier := f.String("dossier", "", "`id` of the dossier to export")
	signer := f.String("signer", "", "account `id` of the official who signs; empty: who asks")
	recipient := f.String("recipient", "", "account `id` of who else may collect it")
	purpose := f.String("purpose", "", "what the export is for")
	collect := f.String("collect", "", "`id` of a signed export to download")
	out := f.String("out", "", "`file` to write the export to; with --dossier: wait until it is signed and sealed")
	enclosed := f.Bool("enclosed", false, "write it encrypted to your account's delivery certificate (CMS); trien-agent open opens it")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if err := need(f, "login"); err != nil {
		return err
	}
	if *enclosed && *out == "" {
		fmt.Fprintln(s.err, "trien export: --enclosed goes with --out FILE")
		return errUsage
	}
	if (*dossier == "") == (*collect == "") || *collect != "" && *out == "" {
		fmt.Fprintln(s.err, "trien export: give --dossier ID --purpose TEXT, or --collect ID --out FILE")
		return errUsage
	}
	c, bye, err := r.signIn(ctx, s)
	if err != nil {
		return err
	}
	defer bye()
	id := *collect
	if id == "" {
		made, err := c.ExportDossier(ctx, *dossier, newExport(*signer, *recipient, *purpose))
		if err != nil {
			return err
		}
		id = made.Export.ID
		fmt.Fprintln(s.out, "export", id, "job", made.Job.ID)
		if *out == "" {
			return nil
		}
	}
	save := c.SaveExport
	if *enclosed {
		save = c.SaveDelivery
	}
	return collectExport(ctx, c, id, *out, save, s)
}

// saver is how an export is written to a file: open, or enclosed.
type saver func(ctx context.Context, export, path string) (client.Content, error)

// collectExport waits until an export is signed, and saves it. The SHA-256 printed is the export's, also where it is enclosed.
func collectExport(ctx context.Context, c *client.Client, id, path string, save saver, s stdio) error {
	for {
		x, err := c.Export(ctx, id)
		if err != nil {
			return err
		}
		switch x.State {
		case "signed":
			if _, err := save(ctx, id, path); err != nil {
				return err
			}
			_, err = fmt.Fprintln(s.out, "saved", path, x.SHA256)
			return err
		case "waiting":
		default:
			return fmt.Errorf("the export is %s", x.State)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}
