package vault_test

import (
	"crypto/sha1"
	"fmt"
	"slices"
	"strings"
	"testing"

	"trien/vault"
)

// breached is a list as it is published, of these passwords and of many others.
func breached(lineEnd string, passwords ...string) string {
	for i := range 2000 {
		passwords = append(passwords, fmt.Sprint("mật khẩu bị lộ ", i))
	}
	var lines []string
	for i, p := range passwords {
		line := fmt.Sprintf("%X", sha1.Sum([]byte(p)))
		if i%3 != 0 {
			line += ":" + strings.Repeat("9", i%9+1)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, lineEnd)
}

func openBreached(text string) (*vault.BreachedPasswords, error) {
	return vault.OpenBreached(strings.NewReader(text), int64(len(text)))
}

func TestBreachedPasswords(t *testing.T) {
	for name, text := range map[string]string{
		"as it is published": breached("\r\n", "một"), "ended": breached("\n", "một") + "\n", "not ended": breached("\n", "một"),
	} {
		list, err := openBreached(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range 2000 {
			if in, err := list.Contains(fmt.Sprint("mật khẩu bị lộ ", i)); err != nil || !in {
				t.Fatalf("%s: password %d: %v, %v", name, i, in, err)
			}
			if in, err := list.Contains(fmt.Sprint("mật khẩu lạ ", i)); err != nil || in {
				t.Fatalf("%s: another password %d: %v, %v", name, i, in, err)
			}
		}
	}
	one := fmt.Sprintf("%X:1", sha1.Sum([]byte("một")))
	list, err := openBreached(one)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]bool{"một": true, "hai": false, "ba": false} {
		if in, err := list.Contains(p); err != nil || in != want {
			t.Errorf("of one line: %s: %v, %v", p, in, err)
		}
	}
}

func TestBreachedListsAreChecked(t *testing.T) {
	good := strings.Repeat("A", 40)
	for name, text := range map[string]string{
		"empty": "", "short": "ABC:1\n", "lower case": strings.ToLower(good) + ":1\n", "no hex": strings.Repeat("G", 40), "binary": strings.Repeat("\x00", 500),
		"long": good + ":" + strings.Repeat("1", 100) + "\n", "long, at the end": good + ":1\n" + good + ":" + strings.Repeat("1", 100), "wrong order": good + ":1\n" + strings.Repeat("0", 40) + ":1\n",
		"blank line at the end": good + ":1\n\n",
	} {
		_, err := openBreached(text)
		if err == nil {
			t.Errorf("%s: was taken", name)
			continue
		}
		want(t, err, vault.ErrInvalid)
	}
}

func FuzzBreachedPasswords(f *testing.F) {
	f.Add(breached("\r\n", "một")[:500], "một")
	f.Add("", "")
	f.Add(strings.Repeat("A", 40)+":1\n"+strings.Repeat("B", 40), "hai")
	f.Fuzz(func(_ *testing.T, text, password string) {
		if list, err := openBreached(text); err == nil {
			_, _ = list.Contains(password) // whatever it holds, the search ends
		}
	})
}

func TestPasswordsAreChecked(t *testing.T) {
	list, err := openBreached(breached("\r\n", "password123456"))
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *vault.Config) { c.Breached = list })
	for password, wanted := range map[string]error{
		"password123456": vault.ErrPasswordBreached, "mười một ký": vault.ErrPasswordWeak, "lan.huong-2026!": vault.ErrPasswordOwn,
		"NguyenThiLanHuong1": vault.ErrPasswordOwn, "2026 nguyễn thị lan hương": vault.ErrPasswordOwn, goodPassword: nil,
	} {
		n := vault.NewAccount{Login: "lan.huong", Name: "Nguyễn Thị Lan Hương", Password: password, Unit: r.unit.ID, Role: vault.Staff}
		if _, err := r.CreateAccount(t.Context(), r.admin, n); wanted == nil && err != nil {
			t.Errorf("%s: %v", password, err)
		} else if wanted != nil {
			want(t, err, wanted)
		}
	}
}
