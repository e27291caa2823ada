package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"trien/api/wire"
	"trien/vault"
)

// signaturePictureCommand sets or removes the picture that the signatures of an account show, by whoever manages accounts.
func signaturePictureCommand(ctx context.Context, args []string, s stdio) error {
	f := flags("signature-picture", s)
	var r remote
	r.flags(f)
	whose := f.String("account", "", "`login` or id of whose signatures show it")
	path := f.String("picture", "", "`file`: a PNG, transparent around blue ink, of at most 512 KiB and 2048 pixels each way")
	remove := f.Bool("remove", false, "take the picture away")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if err := need(f, "login", "account"); err != nil {
		return err
	}
	if (*path == "") != *remove {
		fmt.Fprintln(s.err, "trien signature-picture: give --picture FILE or --remove")
		return errUsage
	}
	var picture []byte
	if *path != "" {
		var err error
		if picture, err = readPicture(*path); err != nil {
			return err
		}
	}
	c, bye, err := r.signIn(ctx, s)
	if err != nil {
		return err
	}
	defer bye()
	all, err := c.Accounts(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(a wire.Account) bool { return a.Login == *whose || a.ID == *whose })
	if i < 0 {
		return fmt.Errorf("there is no account %q", *whose)
	}
	what := "removed"
	if *remove {
		err = c.RemoveSignaturePicture(ctx, all[i].ID)
	} else {
		what, err = "set", c.SetSignaturePicture(ctx, all[i].ID, picture)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, what, all[i].ID)
	return err
}

// readPicture reads no more of a file than shows that it is too large.
func readPicture(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, vault.MaxPicture+1))
}
