package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"trien/api/client"
	"trien/api/wire"
	"trien/vault/vaulttest/samples"
)

// demoToken is the label of the official's token.
const demoToken = "lanhdao"

// demoPeople are invented.
var demoPeople = []struct{ login, role, name, post string }{
	{"vanthu", "staff", "Văn Thư Mẫu", "Chuyên viên"},
	{"lanhdao", "official", "Lãnh Đạo Mẫu", "Trưởng ban"},
	{"thamdinh", "appraiser", "Thẩm Định Mẫu", "Chuyên viên thẩm định"},
	{"kiemtoan", "auditor", "Kiểm Toán Mẫu", "Kiểm toán viên"},
}

// demoAccounts are the accounts of the demo. Their secrets lie in files of the folder that only its owner may read, so
// that the demo can run again.
type demoAccounts struct {
	dir         string
	admin       string // password
	people      map[string]demoPerson
	Module      string // PKCS#11 module of the official's token
	Environment string // what a process needs to see the token
}

type demoPerson struct{ ID, Password string }

func (a demoAccounts) passwordFile(login string) string {
	return filepath.Join(a.dir, "secrets", "demo-"+login)
}
func (a demoAccounts) pinFile() string { return filepath.Join(a.dir, "secrets", "demo-pin") }

// people makes what is missing of the accounts and of the official's token.
func (d *demo) people(ctx context.Context) (demoAccounts, error) {
	a := demoAccounts{dir: d.dir, people: map[string]demoPerson{}}
	var err error
	if a.admin, err = ensureSecret(filepath.Join(d.dir, "secrets", "admin-password")); err != nil {
		return a, err
	}
	admin, err := client.New(client.Config{Server: d.at.URL, CAFile: d.at.CA})
	if err != nil {
		return a, err
	}
	defer admin.Close()
	session, err := admin.SignIn(ctx, adminLogin, a.admin)
	if err != nil {
		return a, err
	}
	certificate, err := d.token(ctx, &a)
	if err != nil {
		return a, err
	}
	there, err := admin.Accounts(ctx)
	if err != nil {
		return a, err
	}
	for _, p := range demoPeople {
		password, err := ensureSecret(a.passwordFile(p.login))
		if err != nil {
			return a, err
		}
		n := wire.NewAccount{
			Login: p.login, Name: p.name, Post: p.post, Role: p.role, Unit: session.Me.Unit, Password: password,
		}
		if p.login == demoToken {
			n.Certificate = certificate
		}
		id, err := ensureAccount(ctx, admin, there, n)
		if err != nil {
			return a, fmt.Errorf("%s: %w", p.login, err)
		}
		if p.login == demoToken {
			if err := admin.SetSignaturePicture(ctx, id, samples.SignaturePicture(1)); err != nil {
				return a, fmt.Errorf("%s: %w", p.login, err)
			}
		}
		a.people[p.login] = demoPerson{id, password}
	}
	return a, admin.SignOut(ctx)
}

func ensureAccount(ctx context.Context, admin *client.Client, there []wire.Account, n wire.NewAccount) (string, error) {
	for _, a := range there {
		if a.Login == n.Login {
			return a.ID, nil
		}
	}
	made, err := admin.CreateAccount(ctx, n)
	return made.ID, err
}

// token gives the official a token, by a process of its own as SoftHSM demands, and returns the certificate's DER.
func (d *demo) token(ctx context.Context, a *demoAccounts) ([]byte, error) {
	if _, err := ensureSecret(a.pinFile()); err != nil {
		return nil, err
	}
	path := filepath.Join(d.dir, "official.pem")
	official := demoPeople[1]
	out, err := d.program(ctx, nil, "trien", "test-token", "--standalone", d.dir, "--token-dir", filepath.Join(d.dir, "official-token"),
		"--label", demoToken, "--pin-file", a.pinFile(), "--name", official.name, "--post", official.post, "--out", path)
	if err != nil {
		return nil, fmt.Errorf("making the official's token: %w", err)
	}
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "module":
			a.Module = value
		case "environment":
			a.Environment = value
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the official's certificate cannot be read")
	}
	return block.Bytes, nil
}
