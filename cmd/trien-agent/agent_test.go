package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/api/client"
	"trien/signing/token"
)

// document is a prepared one: two parts around an empty signature.
func document(before, room, after int) ([]byte, [4]int64) {
	d := bytes.Repeat([]byte("a"), before)
	d = append(d, '<')
	d = append(d, bytes.Repeat([]byte("0"), room)...)
	d = append(d, '>')
	d = append(d, bytes.Repeat([]byte("b"), after)...)
	return d, [4]int64{0, int64(before), int64(before + room + 2), int64(after)}
}

func TestRangeHash(t *testing.T) {
	d, parts := document(1000, 64, 500)
	want := sha256.Sum256(append(bytes.Repeat([]byte("a"), 1000), bytes.Repeat([]byte("b"), 500)...))
	for _, step := range []int{1, 7, 999, 1000, 1001, 1066, 5000} { // however the bytes arrive
		h, err := newRangeHash(parts, int64(len(d)), crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		for rest := d; len(rest) > 0; {
			n := min(step, len(rest))
			if written, err := h.Write(rest[:n]); written != n || err != nil {
				t.Fatalf("wrote %d, %v", written, err)
			}
			rest = rest[n:]
		}
		if got, err := h.digest(); err != nil || !bytes.Equal(got, want[:]) {
			t.Errorf("in steps of %d: %x, %v", step, got, err)
		}
	}
}

func TestRangeHashRefuses(t *testing.T) {
	d, good := document(1000, 64, 500)
	size := int64(len(d))
	for name, parts := range map[string][4]int64{
		"first part begins later":  {1, 999, 1066, 500},
		"last part ends too early": {0, 1000, 1066, 499},
		"last part ends too late":  {0, 1000, 1066, 501},
		"no gap":                   {0, 1066, 1066, 500},
		"gap backwards":            {0, 1066, 1000, 566},
		"empty first part":         {0, 0, 1066, 500},
		"empty last part":          {0, 1000, 1566, 0},
		"negative":                 {0, -1, 1066, 500},
		"overflow":                 {0, 1000, -1 << 62, size + 1<<62},
		"huge gap":                 {0, 10, 10 + largestGap + 1, size - 10 - largestGap - 1},
	} {
		if _, err := newRangeHash(parts, size, crypto.SHA256); err == nil {
			t.Errorf("%s: %v was taken", name, parts)
		}
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"bytes in the gap":         func(d []byte) []byte { d[1010] = 'f'; return d },
		"no opening bracket":       func(d []byte) []byte { d[1000] = '0'; return d },
		"no closing bracket":       func(d []byte) []byte { d[1065] = '0'; return d },
		"too short":                func(d []byte) []byte { return d[:len(d)-1] },
		"too long":                 func(d []byte) []byte { return append(d, 'c') },
		"gap a byte further along": func(d []byte) []byte { return append([]byte("x"), d[:len(d)-1]...) },
	} {
		h, err := newRangeHash(good, size, crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = h.Write(spoil(bytes.Clone(d)))
		if _, err := h.digest(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// Whatever range a server sends: it is refused, or every byte outside an empty container is hashed.
func FuzzRangeHash(f *testing.F) {
	f.Add(int64(0), int64(20), int64(30), int64(10), []byte("01234567890123456789<00000000>0123456789"))
	f.Add(int64(0), int64(1), int64(5), int64(1), []byte("a<00>b"))
	f.Add(int64(0), int64(1), int64(5), int64(1), []byte("a<0x>b"))
	f.Fuzz(func(t *testing.T, a, b, c, d int64, content []byte) {
		h, err := newRangeHash([4]int64{a, b, c, d}, int64(len(content)), crypto.SHA256)
		if err != nil {
			return
		}
		for rest := content; len(rest) > 0; {
			n := 1 + rand.IntN(len(rest))
			_, _ = h.Write(rest[:n])
			rest = rest[n:]
		}
		got, err := h.digest()
		gap := string(content[b:c])
		empty := strings.HasPrefix(gap, "<") && strings.HasSuffix(gap, ">") && strings.Trim(gap[1:len(gap)-1], "0") == ""
		if (err == nil) != empty {
			t.Fatalf("gap %q: %v", gap, err)
		}
		if want := sha256.Sum256(append(bytes.Clone(content[:b]), content[c:]...)); err == nil && !bytes.Equal(got, want[:]) {
			t.Fatalf("digest %x, want %x", got, want)
		}
	})
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"Quyết định bổ nhiệm": "Quyết định bổ nhiệm",
		"a\x1b[2Jb":           "a�[2Jb",
		"a\nb\tc":             "a�b�c",
		"hai \u202e chiều":    "hai � chiều",
		"\xff":                "�",
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
}

// Every kind of failure has words in both languages that say what to do, and none shows the program's own error alone.
func TestExplain(t *testing.T) {
	for _, k := range kinds {
		for _, l := range []language{vietnamese, english} {
			a := &agent{say: l}
			got := a.explain(fmt.Errorf("doing something: %w", k.kind))
			if !strings.HasPrefix(got, l.words(k.text)) {
				t.Errorf("%v in %s: %q", k.kind, l, got)
			}
		}
	}
	a := &agent{say: vietnamese}
	if got := a.explain(fmt.Errorf("%w: %w", token.ErrPINLocked, token.ErrPIN)); got != textPINLocked.vi {
		t.Errorf("a locked PIN is called %q", got)
	}
	if got := a.explain(&client.Problem{}); got == "" {
		t.Error("no words for a problem")
	}
}

// SoftHSM2 does not lock PINs; real tokens do. The last try is never spent unasked.
func TestPINsOfLockingTokens(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pin")
	if err := os.WriteFile(path, []byte("123456\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		info token.Info
		want error
		pin  string
		says string
	}{
		{"locked", token.Info{PINLocked: true}, token.ErrPINLocked, "", ""},
		{"last try", token.Info{LastTry: true, FewTries: true}, token.ErrPIN, "", ""},
		{"few tries", token.Info{FewTries: true}, nil, "123456", "only few"},
		{"reader with a pad", token.Info{PINPad: true}, nil, "", ""},
		{"as usual", token.Info{}, nil, "123456", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var told bytes.Buffer
			a := &agent{say: english, tty: newTerminal(strings.NewReader(""), &told), err: &told, options: options{pinFile: path}}
			pin, err := a.pin(t.Context(), test.info)
			if !errors.Is(err, test.want) || pin != test.pin {
				t.Errorf("%q, %v", pin, err)
			}
			if (told.Len() > 0) != (test.says != "") {
				t.Errorf("told %q", told.String())
			}
		})
	}
	// A person at the terminal who declines spends no try either.
	var told bytes.Buffer
	tty := newTerminal(strings.NewReader("n\n"), &told)
	tty.attended = true
	a := &agent{say: english, tty: tty, err: &told}
	if _, err := a.pin(t.Context(), token.Info{LastTry: true}); !errors.Is(err, context.Canceled) || !strings.Contains(told.String(), "WARNING") {
		t.Errorf("%v, told %q", err, told.String())
	}
}

// Ctrl-C at a question ends it.
func TestQuestionsCanBeLeft(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	yes, err := newTerminal(r, &bytes.Buffer{}).confirm(ctx, "", "?")
	if yes || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", yes, err)
	}
}

func TestFirstLine(t *testing.T) {
	in := strings.NewReader("one\r\ntwo\nthree")
	for _, want := range []string{"one", "two", "three"} {
		if got, err := firstLine(in); got != want || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	if _, err := firstLine(in); err == nil {
		t.Error("a line after the end")
	}
	if got, err := firstLine(strings.NewReader(strings.Repeat("x", 3*longest))); len(got) != longest || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
