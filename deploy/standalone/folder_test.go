package standalone

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolders(t *testing.T) {
	cases := map[string]struct {
		files map[string]string
		want  error
		says  string
	}{
		"empty":              {},
		"ours":               {files: map[string]string{markerFile: "trien-standalone 1\n", "other": "x"}},
		"a start cut short":  {files: map[string]string{lockFile: "", markerFile + ".new": "tri"}},
		"a file system root": {files: map[string]string{"lost+found": ""}},
		"somebody else's":    {files: map[string]string{"thesis.odt": "x"}, want: ErrFolder, says: "thesis.odt"},
		"production":         {files: map[string]string{markerFile: "trien-production 1\n"}, want: ErrFolder, says: "production"},
		"newer":              {files: map[string]string{markerFile: "trien-standalone 2\n"}, want: ErrFolder, says: "format"},
		"odd format":         {files: map[string]string{markerFile: "trien-standalone one\n"}, want: ErrFolder},
		"odd marker":         {files: map[string]string{markerFile: "hello\n"}, want: ErrFolder},
		"empty marker":       {files: map[string]string{markerFile: ""}, want: ErrFolder},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for f, content := range c.files {
				if err := os.WriteFile(filepath.Join(dir, f), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			f, err := openFolder(dir)
			if c.want != nil {
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
					t.Fatal(err)
				}
				if entries, err := os.ReadDir(dir); err != nil || len(entries) != len(c.files) {
					t.Fatalf("something was written there: %v, %v", entries, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := openFolder(dir); !errors.Is(err, ErrInUse) {
				t.Error("opened twice:", err)
			}
			if err := f.release(); err != nil {
				t.Fatal(err)
			}
			again, err := openFolder(dir)
			if err != nil || again.made {
				t.Fatal(again, err)
			}
			_ = again.release()
		})
	}
	if _, err := Start(t.Context(), filepath.Join(t.TempDir(), markerFile, "\x00"), slog.New(slog.DiscardHandler)); !errors.Is(err, ErrFolder) {
		t.Error("an impossible name:", err)
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	made, err := openSecrets(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for name, v := range made.files() {
		if len(*v) < 20 || seen[*v] {
			t.Errorf("%s is %d characters long, or like another", name, len(*v))
		}
		seen[*v] = true
	}
	kept, err := openSecrets(dir, false)
	if err != nil || kept != made {
		t.Fatal("they change:", err)
	}
	if err := os.Remove(filepath.Join(dir, "keyring-passphrase")); err != nil {
		t.Fatal(err)
	}
	if _, err := openSecrets(dir, false); !errors.Is(err, ErrFolder) {
		t.Fatal("a lost passphrase was made anew:", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keyring-passphrase"), []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openSecrets(dir, true); !errors.Is(err, ErrFolder) {
		t.Fatal("an empty passphrase:", err)
	}
}

// TestUnreachable: as root, a folder that PostgreSQL's user cannot reach is named.
func TestUnreachable(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("only root drops to another user: nothing can be unreachable here")
		return
	}
	closed := filepath.Join(tempDir(t), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), filepath.Join(closed, "vault"), slog.New(slog.DiscardHandler))
	if !errors.Is(err, ErrFolder) || !strings.Contains(err.Error(), closed+":") {
		t.Fatal(err)
	}
}
