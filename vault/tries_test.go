package vault_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"trien/vault"
)

// guess signs in as login from an address, by the right password or not.
func (r *rig) guess(login, address string, right bool) error {
	r.t.Helper()
	c := vault.Credentials{Login: login, Password: "đoán mò mật khẩu"}
	if right {
		c.Password = goodPassword
	}
	_, _, err := r.SignIn(r.t.Context(), c, vault.Source{Address: address})
	return err
}

const (
	office  = "192.0.2.7"
	another = "198.51.100.9"
)

func TestGuessingIsSlowedDown(t *testing.T) {
	r := newRig(t)
	for range 5 {
		want(t, r.guess("vanthu", office, false), vault.ErrPassword)
	}
	// The right password is told the same as a wrong one, and makes nobody wait longer.
	for range 3 {
		want(t, r.guess("vanthu", office, true), vault.ErrPassword)
	}
	refused := r.events(vault.SignIn, vault.Refused)
	if len(refused) != 8 || refused[0].Reason != "wait" || refused[0].Account != r.staff.Account || refused[3].Reason != "password" {
		t.Errorf("refusals in the access record: %v", refused)
	}
	if err := r.guess("vanthu", another, true); err != nil {
		t.Errorf("from another network: %v", err)
	}
	r.clock.Advance(time.Second)
	if err := r.guess("vanthu", office, true); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	for range 5 { // it began anew
		want(t, r.guess("vanthu", office, false), vault.ErrPassword)
	}
}

// What a login is told does not depend on whether it exists, also while it waits.
func TestUnknownLoginsWaitToo(t *testing.T) {
	r := newRig(t)
	for range 6 {
		want(t, r.guess("khongco", office, true), vault.ErrPassword)
	}
	if e := r.events(vault.SignIn, vault.Refused); len(e) != 6 || e[0].Reason != "wait" || e[1].Reason != "password" {
		t.Errorf("refusals in the access record: %v", e)
	}
}

// Another node over the same store, or the same one started anew, goes on counting.
func TestTriesAreDurable(t *testing.T) {
	r := newRig(t)
	for range 5 {
		want(t, r.guess("vanthu", office, false), vault.ErrPassword)
	}
	node := vault.New(vault.Config{Store: r.store, Objects: r.objects, Keys: nil, Clock: r.clock})
	_, _, err := node.SignIn(t.Context(), vault.Credentials{Login: "vanthu", Password: goodPassword}, vault.Source{Address: office})
	want(t, err, vault.ErrPassword)
}

// Whoever guesses from everywhere holds up the login everywhere but where its owner signs in.
func TestNobodyLocksOutForGood(t *testing.T) {
	r := newRig(t)
	if err := r.guess("vanthu", office, true); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		want(t, r.guess("vanthu", fmt.Sprintf("203.0.113.%d", i), false), vault.ErrPassword)
	}
	want(t, r.guess("vanthu", another, true), vault.ErrPassword)
	if err := r.guess("vanthu", office, true); err != nil {
		t.Errorf("from where its owner signs in: %v", err)
	}
	// Also somebody in that same network holds it up for a minute at most.
	for range 12 {
		_ = r.guess("vanthu", office, false)
		r.clock.Advance(time.Minute)
	}
	if err := r.guess("vanthu", office, true); err != nil {
		t.Errorf("a minute after the last failure: %v", err)
	}
}

func TestOneNetworkGuessesManyLogins(t *testing.T) {
	r := newRig(t)
	for i := range 30 {
		want(t, r.guess(fmt.Sprintf("nguoi%d", i), "2001:db8::"+fmt.Sprint(i), false), vault.ErrPassword)
	}
	want(t, r.guess("vanthu", "2001:db8::ffff", true), vault.ErrPassword) // of the same /64
	if err := r.guess("vanthu", "2001:db8:0:1::1", true); err != nil {
		t.Errorf("from the network beside it: %v", err)
	}
}

func TestTriesAtOnceAreEachCounted(t *testing.T) {
	r := newRig(t)
	looked := 0
	var work sync.WaitGroup
	for range 12 {
		work.Go(func() { _ = r.guess("vanthu", office, false) })
	}
	work.Wait()
	for _, e := range r.events(vault.SignIn, vault.Refused) {
		if e.Reason == "password" {
			looked++
		}
	}
	if looked != 5 {
		t.Errorf("%d passwords were looked at, want 5", looked)
	}
}

// A second factor's code is not guessed in a session either.
func TestRemovingAFactorIsSlowedDown(t *testing.T) {
	r := newRig(t)
	_, recovery := r.enrolFactor(r.staff)
	for range 5 {
		want(t, r.RemoveFactor(t.Context(), r.staff, "000000x"), vault.ErrCode)
	}
	want(t, r.RemoveFactor(t.Context(), r.staff, recovery[0]), vault.ErrCode)
	r.clock.Advance(time.Second)
	if err := r.RemoveFactor(t.Context(), r.staff, recovery[0]); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}
