package vault_test

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"trien/vault"
)

// enrolFactor gives an account a second factor, confirmed by the code of the step before this one, so that this step's code is still good.
func (r *rig) enrolFactor(a vault.Actor) (secret string, recovery []string) {
	r.t.Helper()
	made, err := r.BeginFactor(r.t.Context(), a)
	if err != nil {
		r.t.Fatal(err)
	}
	recovery, err = r.ConfirmFactor(r.t.Context(), a, r.code(made.Text, -30*time.Second))
	if err != nil {
		r.t.Fatal(err)
	}
	return made.Text, recovery
}

// code is what a phone shows whose clock is off by so much.
func (r *rig) code(secret string, off time.Duration) string {
	r.t.Helper()
	code, err := totp.GenerateCode(secret, r.clock.Now().Add(off))
	if err != nil {
		r.t.Fatal(err)
	}
	return code
}

func (r *rig) signInWith(login, code string) (vault.Actor, error) {
	r.t.Helper()
	_, token, err := r.SignIn(r.t.Context(), vault.Credentials{Login: login, Password: goodPassword, Code: code}, vault.Source{Address: "192.0.2.7"})
	if err != nil {
		return vault.Actor{}, err
	}
	return r.Authenticate(r.t.Context(), token, vault.Source{Address: "192.0.2.7"})
}

func TestSecondFactor(t *testing.T) {
	r := newRig(t)
	secret, recovery := r.enrolFactor(r.staff)
	reasons := func(want ...string) {
		t.Helper()
		var got []string
		for _, e := range r.events(vault.SignIn, vault.Refused) {
			got = append(got, e.Reason)
		}
		slices.Reverse(got)
		if !slices.Equal(got, want) {
			t.Errorf("refusals in the access record: %q, want %q", got, want)
		}
	}
	_, err := r.signInWith("vanthu", "")
	want(t, err, vault.ErrPassword)
	_, err = r.signInWith("vanthu", r.code(secret, time.Hour))
	want(t, err, vault.ErrPassword)
	reasons("code", "code")
	now := r.code(secret, 0)
	if a, err := r.signInWith("vanthu", now[:3]+" "+now[3:]); err != nil || !a.MFA || a.MustEnrol {
		t.Fatalf("got %v, %v", a, err)
	}
	_, err = r.signInWith("vanthu", now)
	want(t, err, vault.ErrPassword)
	_, err = r.signInWith("vanthu", r.code(secret, -30*time.Second))
	want(t, err, vault.ErrPassword)
	reasons("code", "code", "code_used", "code_used")
	if a, err := r.signInWith("vanthu", strings.ToLower(recovery[3])); err != nil || !a.MFA {
		t.Errorf("by a recovery code: %v, %v", a, err)
	}
	_, err = r.signInWith("vanthu", recovery[3])
	want(t, err, vault.ErrPassword)
	if s, err := r.FactorState(t.Context(), r.staff); err != nil || s.Confirmed.IsZero() || s.Recovery != 9 {
		t.Errorf("got %+v, %v", s, err)
	}
	// A code does not stand in for a password, and who has no factor needs none.
	_, _, err = r.SignIn(t.Context(), vault.Credentials{Login: "vanthu", Password: "không phải nó đâu", Code: r.code(secret, 30*time.Second)}, vault.Source{})
	want(t, err, vault.ErrPassword)
	if a, err := r.signInWith("lanhdao", "123456"); err != nil || a.MFA {
		t.Errorf("without a factor: %v, %v", a, err)
	}
}

func TestClocksMayDifferByAStep(t *testing.T) {
	for off, good := range map[time.Duration]bool{-time.Minute: false, 0: true, 30 * time.Second: true, time.Minute: false} {
		r := newRig(t)
		secret, _ := r.enrolFactor(r.staff)
		if _, err := r.signInWith("vanthu", r.code(secret, off)); (err == nil) != good {
			t.Errorf("%v off: %v", off, err)
		}
	}
	r := newRig(t)
	secret, _ := r.enrolFactor(r.staff)
	r.clock.Advance(time.Minute)
	if _, err := r.signInWith("vanthu", r.code(secret, -30*time.Second)); err != nil {
		t.Errorf("a step behind: %v", err)
	}
}

func TestOneCodeByTwoAtOnce(t *testing.T) {
	r := newRig(t)
	secret, _ := r.enrolFactor(r.staff)
	code := r.code(secret, 0)
	var in atomic.Int32
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			_, _, err := r.SignIn(t.Context(), vault.Credentials{Login: "vanthu", Password: goodPassword, Code: code}, vault.Source{})
			if err == nil {
				in.Add(1)
			}
		})
	}
	work.Wait()
	if in.Load() != 1 {
		t.Errorf("%d signed in with one code", in.Load())
	}
}

func TestFactorIsEnrolledOnce(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	_, err := r.ConfirmFactor(ctx, r.staff, "123456")
	want(t, err, vault.ErrNoFactor)
	old, err := r.BeginFactor(ctx, r.staff)
	if err != nil || !strings.HasPrefix(old.URI, "otpauth://totp/") || !strings.Contains(old.URI, "secret="+old.Text) {
		t.Fatalf("got %q, %v", old.URI, err)
	}
	if a, err := r.signInWith("vanthu", ""); err != nil || a.MFA {
		t.Errorf("before it is confirmed: %v, %v", a, err)
	}
	secret, recovery := r.enrolFactor(r.staff)
	if secret == old.Text || len(recovery) != 10 || len(recovery[0]) != len("ABCD-EFGH-IJKL-MNOP") {
		t.Errorf("got %d codes such as %q", len(recovery), recovery[0])
	}
	_, err = r.BeginFactor(ctx, r.staff)
	want(t, err, vault.ErrFactorStands)
	_, err = r.ConfirmFactor(ctx, r.staff, r.code(secret, 0))
	want(t, err, vault.ErrNoFactor)

	want(t, r.RemoveFactor(ctx, r.staff, r.code(secret, time.Hour)), vault.ErrCode)
	a, err := r.signInWith("vanthu", r.code(secret, 0))
	if err != nil {
		t.Fatal(err)
	}
	want(t, r.RemoveFactor(ctx, a, r.code(secret, 0)), vault.ErrCode) // it opened the session
	if err := r.RemoveFactor(ctx, a, r.code(secret, 30*time.Second)); err != nil {
		t.Fatal(err)
	}
	want(t, r.RemoveFactor(ctx, a, recovery[0]), vault.ErrNoFactor)
	if a, err := r.signInWith("vanthu", ""); err != nil || a.MFA {
		t.Errorf("after it is removed: %v, %v", a, err)
	}
}

func TestFactorIsResetByTheOperator(t *testing.T) {
	r := newRig(t)
	secret, _ := r.enrolFactor(r.staff)
	_, token, err := r.SignIn(t.Context(), vault.Credentials{Login: "vanthu", Password: goodPassword, Code: r.code(secret, 0)}, vault.Source{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.ResetFactor(t.Context(), "vanthu"); err != nil {
		t.Fatal(err)
	}
	_, err = r.Authenticate(t.Context(), token, vault.Source{})
	want(t, err, vault.ErrSessionExpired)
	want(t, r.ResetFactor(t.Context(), "vanthu"), vault.ErrNotFound)
	want(t, r.ResetFactor(t.Context(), "khongco"), vault.ErrNotFound)
	if e := r.events(vault.ResetFactor, vault.Done); len(e) != 1 || e[0].Target.Subject != r.staff.Account {
		t.Errorf("in the access record: %v", e)
	}
}

// A role on which a second factor is forced does nothing but enrol one until it has signed in with it.
func TestForcedSecondFactor(t *testing.T) {
	r := newRig(t, func(c *vault.Config) {
		c.SecondFactor = []vault.Role{vault.SystemAdministrator, vault.DataAdministrator}
	})
	ctx := t.Context()
	for login, act := range map[string]func(a vault.Actor) error{
		"quantri":       func(a vault.Actor) error { _, err := r.Accounts(ctx, a); return err },
		"quantridulieu": func(a vault.Actor) error { _, err := r.Decisions(ctx, a, r.unit.ID); return err },
	} {
		a, err := r.signInWith(login, "")
		if err != nil || !a.MustEnrol {
			t.Fatalf("%s: %v, %v", login, a, err)
		}
		want(t, act(a), vault.ErrMustEnrol)
		secret, _ := r.enrolFactor(a)
		want(t, act(a), vault.ErrMustEnrol) // the session was opened without it
		if err := r.SignOut(ctx, a); err != nil {
			t.Errorf("%s signs out: %v", login, err)
		}
		if a, err = r.signInWith(login, r.code(secret, 0)); err != nil || a.MustEnrol {
			t.Fatalf("%s: %v, %v", login, a, err)
		}
		if err := act(a); err != nil {
			t.Errorf("%s with a second factor: %v", login, err)
		}
	}
	if a, err := r.signInWith("vanthu", ""); err != nil || a.MustEnrol {
		t.Errorf("staff: %v, %v", a, err)
	}
	if e := r.events(vault.ManageAccess, vault.Refused); len(e) != 2 || e[0].Reason != "mfa_role" {
		t.Errorf("refusals in the access record: %v", e)
	}
}
