package vault_test

import (
	"log/slog"
	"strings"
	"testing"

	"trien/vault"
)

func TestSignIn(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	from := vault.Source{Address: "192.0.2.7", Agent: strings.Repeat("x", 500) + "\n"}
	_, _, err := r.SignIn(ctx, vault.Credentials{Login: "vanthu", Password: "sai mật khẩu rồi"}, from)
	want(t, err, vault.ErrPassword)
	_, _, err = r.SignIn(ctx, vault.Credentials{Login: "khongco", Password: goodPassword}, from)
	want(t, err, vault.ErrPassword)
	if refused := r.events(vault.SignIn, vault.Refused); len(refused) != 2 || refused[1].Account != r.staff.Account || len(refused[1].Source.Agent) > 200 {
		t.Errorf("refusals in the access record: %v", refused)
	}
	session, token, err := r.SignIn(ctx, vault.Credentials{Login: "vanthu", Password: goodPassword}, from)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := r.Authenticate(ctx, token, from); err != nil || a.Account != r.staff.Account || a.Role != vault.Staff {
		t.Errorf("got %v, %v", a, err)
	}
	_, err = r.Authenticate(ctx, token+"x", from)
	want(t, err, vault.ErrSessionExpired)
	r.clock.Set(session.Expires)
	_, err = r.Authenticate(ctx, token, from)
	want(t, err, vault.ErrSessionExpired)
}

func TestSignOutEndsTheSession(t *testing.T) {
	r := newRig(t)
	_, token, err := r.SignIn(t.Context(), vault.Credentials{Login: "vanthu", Password: goodPassword}, vault.Source{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.Authenticate(t.Context(), token, vault.Source{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.SignOut(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	_, err = r.Authenticate(t.Context(), token, vault.Source{})
	want(t, err, vault.ErrSessionExpired)
}

func TestSecretsDoNotShow(t *testing.T) {
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", slog.Any("token", vault.Token("tok3n")), slog.Any("hash", vault.PasswordHash("h4sh")))
	if s := out.String(); strings.Contains(s, "tok3n") || strings.Contains(s, "h4sh") {
		t.Errorf("logged %s", s)
	}
}

func TestAccountsAreChecked(t *testing.T) {
	r := newRig(t)
	good := vault.NewAccount{Login: "moi", Name: "Người Mới", Password: goodPassword, Unit: r.unit.ID, Role: vault.Staff}
	for name, tt := range map[string]struct {
		change func(*vault.NewAccount)
		want   error
	}{
		"short password":   {func(n *vault.NewAccount) { n.Password = "ngắn quá" }, vault.ErrPasswordWeak},
		"login with space": {func(n *vault.NewAccount) { n.Login = "a b" }, vault.ErrInvalid},
		"login taken":      {func(n *vault.NewAccount) { n.Login = "vanthu" }, vault.ErrNameTaken},
		"no name":          {func(n *vault.NewAccount) { n.Name = " " }, vault.ErrInvalid},
		"control in name":  {func(n *vault.NewAccount) { n.Name = "a\x00b" }, vault.ErrInvalid},
		"unknown role":     {func(n *vault.NewAccount) { n.Role = "root" }, vault.ErrInvalid},
		"unknown unit":     {func(n *vault.NewAccount) { n.Unit = vault.UnitID{} }, vault.ErrNotFound},
		"no certificate":   {func(n *vault.NewAccount) { n.Certificate = []byte("x") }, vault.ErrCertificate},
		"server's certificate": {func(n *vault.NewAccount) {
			n.Certificate = r.authority.TSACertificate().Raw
		}, vault.ErrCertificate},
	} {
		t.Run(name, func(t *testing.T) {
			n := good
			tt.change(&n)
			_, err := r.CreateAccount(t.Context(), r.admin, n)
			want(t, err, tt.want)
		})
	}
	if _, _, err := r.Bootstrap(t.Context(), "X", good); err == nil {
		t.Error("a vault with accounts was bootstrapped again")
	}
}

func TestSubjectsAreChecked(t *testing.T) {
	r := newRig(t)
	for _, s := range []vault.Subject{
		{}, {Name: "A", BirthDate: "29/02/1980"}, {Name: "A", BirthDate: "1981-02-29"}, {Name: "A", PersonalNumber: "1 2"},
		{Name: strings.Repeat("ă", 101)},
	} {
		_, err := r.OpenDossier(t.Context(), r.staff, vault.NewDossier{Register: vault.Cadre, Subject: s})
		if err == nil {
			t.Errorf("%+v was taken", s)
		}
		want(t, err, vault.ErrInvalid)
	}
	_, err := r.OpenDossier(t.Context(), r.staff, vault.NewDossier{Register: "tax", Subject: vault.Subject{Name: "A"}})
	want(t, err, vault.ErrInvalid)
	// A name comes in as NFD and is kept as NFC.
	d, err := r.OpenDossier(t.Context(), r.staff, vault.NewDossier{Register: vault.Cadre, Subject: vault.Subject{Name: " Nguye\u0302\u0303n ", BirthDate: "1980"}})
	if err != nil || d.Subject.Name != "Nguyễn" {
		t.Errorf("got %q, %v", d.Subject.Name, err)
	}
}
