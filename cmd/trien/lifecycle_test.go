package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/vault/vaulttest/samples"
)

// TestStandaloneLifecycle starts, refuses a second start, stops, starts again, is killed, and starts once more.
func TestStandaloneLifecycle(t *testing.T) {
	dir := vaultFolder(t)
	s := startStandalone(t, dir)
	if at := readServed(t, dir); at.URL != s.url || at.PID != s.cmd.Process.Pid {
		t.Errorf("%s says %+v, the server %s", servedFile, at, s.url)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		answer, err := http.Get(s.admin + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
	out, code := runProgram(t, "trien", "serve", "--standalone", dir, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	if code != 1 || !strings.Contains(out, "A vault runs on this folder already") {
		t.Errorf("a second start: exit %d\n%s", code, out)
	}
	admin := s.signIn(adminLogin, secret(t, dir, "admin-password"))
	if _, err := admin.CreateUnit(t.Context(), "Đảng ủy thử"); err != nil {
		t.Fatal(err)
	}
	setsPicture(t, s, dir)
	s.stop()

	s = startStandalone(t, dir)
	if units := unitNames(t, s, dir); !strings.Contains(units, "Đảng ủy thử") {
		t.Errorf("after a stop: %s", units)
	}
	s.kill()

	s = startStandalone(t, dir)
	if units := unitNames(t, s, dir); !strings.Contains(units, "Đảng ủy thử") {
		t.Errorf("after kill -9: %s", units)
	}
	strangers(t, s, accessLog)
	s.stop()
}

// setsPicture sets and removes the picture of the administrator's signatures as operators do.
func setsPicture(t *testing.T, s *server, dir string) {
	t.Helper()
	picture := filepath.Join(t.TempDir(), "chu-ky.png")
	if err := os.WriteFile(picture, samples.SignaturePicture(1), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, int) {
		return runProgram(t, "trien", append([]string{"signature-picture", "--server", s.url, "--ca", filepath.Join(dir, "ca.pem"), "--login", adminLogin,
			"--password-file", filepath.Join(dir, "secrets", "admin-password")}, args...)...)
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--account", adminLogin, "--picture", picture}, 0, "set"},
		{[]string{"--account", adminLogin, "--remove"}, 0, "removed"},
		{[]string{"--account", adminLogin, "--picture", filepath.Join(dir, "ca.pem")}, 1, "PNG"},
		{[]string{"--account", "khong-co", "--remove"}, 1, "no account"},
		{[]string{"--account", adminLogin}, 2, "--picture FILE or --remove"},
	} {
		if out, code := run(tt.args...); code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("%q: exit %d\n%s", tt.args, code, out)
		}
	}
}

func unitNames(t *testing.T, s *server, dir string) string {
	t.Helper()
	units, err := s.signIn(adminLogin, secret(t, dir, "admin-password")).Units(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, u := range units {
		names = append(names, u.Name)
	}
	return strings.Join(names, ", ")
}

func TestServeSaysWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	foreign := t.TempDir()
	if err := os.WriteFile(foreign+"/thesis.txt", []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"neither":        {[]string{"serve"}, 2, "either --standalone DIR or --config FILE"},
		"both":           {[]string{"serve", "--standalone", "x", "--config", example}, 2, "never runs with a configuration meant for production"},
		"no command":     {nil, 2, "Usage: trien COMMAND"},
		"wrong command":  {[]string{"server"}, 2, `no command "server"`},
		"wrong flag":     {[]string{"serve", "--standalon", "x"}, 2, "standalon"},
		"too much":       {[]string{"serve", "--standalone", "x", "y"}, 2, `"y" is not understood`},
		"missing config": {[]string{"serve", "--config", "/nowhere.yaml"}, 1, "/nowhere.yaml"},
		"missing secret": {[]string{"serve", "--config", example}, 1, "database.url_file"},
		"foreign folder": {[]string{"serve", "--standalone", foreign}, 1, "holds other files (thesis.txt)"},
		"no login":       {[]string{"deposit", "--dossier", "x", "f"}, 2, "--login is missing"},
		"no file":        {[]string{"deposit", "--login", "x", "--dossier", "x"}, 2, "--dossier ID and FILES"},
		"export nothing": {[]string{"export", "--login", "x"}, 2, "--collect ID --out FILE"},
		"no envelope":    {[]string{"export", "--login", "x", "--dossier", "x", "--enclosed"}, 2, "--enclosed goes with --out"},
		"taken port":     {[]string{"serve", "--standalone", vaultFolder(t), "--listen", taken.Addr().String()}, 1, "Another program has this port"},
	} {
		t.Run(name, func(t *testing.T) {
			out, code := runProgram(t, "trien", tt.args...)
			if code != tt.code || !strings.Contains(out, tt.want) {
				t.Errorf("exit %d, want %d with %q:\n%s", code, tt.code, tt.want, out)
			}
		})
	}
}
