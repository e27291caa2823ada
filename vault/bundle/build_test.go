package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"trien/ledger"
	"trien/vault/bundle"
)

func TestBuildIsCleanForOtherTools(t *testing.T) {
	documents := oneOfEach(t)
	d := newDossier(t, newLog(t, "vault.example/records"), documents...)
	file := build(t, d)
	dir := t.TempDir()
	path := filepath.Join(dir, "export.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := tool(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors") {
		t.Errorf("qpdf --check:\n%s", out)
	}
	if out := tool(t, "pdfinfo", path); !strings.Contains(out, "HỒ SƠ ĐẢNG VIÊN – Nguyễn Minh Họa") || !strings.Contains(out, "Page size:       595.28 x 841.89") && !strings.Contains(out, "A4") {
		t.Errorf("pdfinfo:\n%s", out)
	}
	if out := tool(t, "pdfdetach", "-list", path); !strings.Contains(out, "26 embedded files") {
		t.Errorf("pdfdetach -list:\n%s", out)
	}
	tool(t, "pdfdetach", "-saveall", "-o", dir, path)
	for i, name := range []string{
		"001-party.member_slip-v2.pdf", "002-party.admission-v1.jpg", "003-party.transfer-v1.png",
		"004-party.curriculum_vitae-v1.tif", "005-party.supplement_slip-v1.xml", "006-party.supplement_slip-v4.json",
	} {
		saved, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(saved, documents[i].content) {
			t.Errorf("attached %s is not the original (%v)", name, err)
		}
	}
	text := tool(t, "pdftotext", "-layout", path, "-")
	for _, want := range []string{"HỒ SƠ ĐẢNG VIÊN", "NGUYỄN MINH HỌA", "MỤC LỤC TÀI LIỆU", "Bản quét lý lịch", "02/09/1985", "Đặng Thị Ngọc Ẩn", "<họtên>Nguyễn Minh Họa</họtên>", "trien-verify"} {
		if !strings.Contains(text, want) {
			t.Errorf("the pages do not say %q", want)
		}
	}
	tool(t, "mutool", "draw", "-q", "-r", "20", "-o", filepath.Join(dir, "m-%d.png"), path)
	if out := tool(t, "mutool", "show", path, "outline"); !strings.Contains(out, "3. Giấy giới thiệu") {
		t.Errorf("outline:\n%s", out)
	}
}

// BUNDLE.md tells how to check a document by hand; this is that way.
func TestByHand(t *testing.T) {
	d := newDossier(t, newLog(t, "vault.example/records"), oneOfEach(t)[0])
	dir := t.TempDir()
	path := filepath.Join(dir, "export.pdf")
	if err := os.WriteFile(path, build(t, d), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	tool(t, "pdfdetach", "-saveall", path)
	manifest, err := os.ReadFile("001.manifest")
	if err != nil {
		t.Fatal(err)
	}
	sum, _, _ := strings.Cut(tool(t, "sha256sum", "001-party.member_slip-v2.pdf"), " ")
	if !strings.Contains(string(manifest), "\nsha256 "+sum+"\n") {
		t.Errorf("sha256sum says %s, the manifest\n%s", sum, manifest)
	}
	commitment := tool(t, "sh", "-c", "openssl dgst -sha256 -mac HMAC -macopt hexkey:$(cat 001.salt) 001.manifest")
	_, leaf, err := ledger.ParseVersionLeaf(ledger.VersionLeaf("party", d.Records[0].Version.Salt, manifest))
	if err != nil || !strings.HasSuffix(commitment, "= "+leaf.String()+"\n") {
		t.Errorf("openssl says %q, the leaf holds %s (%v)", commitment, leaf, err)
	}
}

// tool runs a program of the machine; a warning on stderr fails the test.
func tool(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	// Debian's mutool is built without colour management and says so.
	if warnings := strings.ReplaceAll(stderr.String(), "warning: ICC support is not available\n", ""); err != nil || warnings != "" {
		t.Errorf("%s %s: %v\n%s%s", name, args[0], err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

func TestBuildIsReproducible(t *testing.T) {
	d := newDossier(t, newLog(t, "vault.example/records"), oneOfEach(t)...)
	if !bytes.Equal(build(t, d), build(t, d)) {
		t.Error("the same dossier gave two files")
	}
}

func TestBuildLongListing(t *testing.T) {
	var documents []document
	for range 24 {
		documents = append(documents, document{strings.Repeat("Quyết định về việc ", 12), "party.admission", "Hồ sơ kết nạp", "application/json", ledger.OriginShared, []byte("{}"), 1, ""})
	}
	documents[23].title = "Tài liệu cuối"
	file := build(t, newDossier(t, newLog(t, "vault.example/records"), documents...))
	path := filepath.Join(t.TempDir(), "export.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	pages := strings.Split(tool(t, "pdftotext", "-layout", path, "-"), "\f")
	// The page that the listing gives for the last document is where it stands.
	last := pages[len(pages)-2]
	if !strings.Contains(last, "Tài liệu cuối") {
		t.Fatalf("last page is %q", last)
	}
	for i, p := range pages {
		if strings.Contains(p, "Tài liệu cuối") && i < len(pages)-2 {
			if i < 3 || !strings.Contains(p, fmt.Sprintf(" %d", len(pages)-1)) {
				t.Errorf("listing on page %d:\n%s", i+1, p)
			}
			return
		}
	}
	t.Error("the listing does not name the last document")
}

func TestBuildRefuses(t *testing.T) {
	log := newLog(t, "vault.example/records")
	other := newLog(t, "vault.example/records")
	fresh := func() bundle.Dossier {
		return newDossier(t, log, oneOfEach(t)[4], oneOfEach(t)[0])
	}
	content := func(d *bundle.Dossier, change func([]byte) []byte) {
		r, err := d.Records[1].Version.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(io.NewSectionReader(r, 0, d.Records[1].Version.Size))
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		b = change(b)
		var closed int
		d.Records[1].Version.Open = func(context.Context) (bundle.ReaderAtCloser, error) {
			return original{bytes.NewReader(b), &closed}, nil
		}
	}
	broken := errors.New("the store is away")
	tests := []struct {
		name   string
		change func(d *bundle.Dossier)
		want   error
	}{
		{"no records", func(d *bundle.Dossier) { d.Records = nil }, bundle.ErrUnfit},
		{"no policy", func(d *bundle.Dossier) { d.Policy = nil }, bundle.ErrUnfit},
		{"no id", func(d *bundle.Dossier) { d.ID = uuid.Nil }, bundle.ErrUnfit},
		{"no subject", func(d *bundle.Dossier) { d.Subject = " \u202e" }, bundle.ErrUnfit},
		{"no receipt", func(d *bundle.Dossier) { d.Records[0].Version.Receipt = nil }, bundle.ErrUnfit},
		{"receipt of another", func(d *bundle.Dossier) { d.Records[0].Version.Receipt = d.Records[1].Version.Receipt }, bundle.ErrTampered},
		{"salt of another", func(d *bundle.Dossier) { d.Records[0].Version.Salt = d.Records[1].Version.Salt }, bundle.ErrTampered},
		{"manifest changed", func(d *bundle.Dossier) {
			d.Records[0].Version.Manifest = bytes.Replace(d.Records[0].Version.Manifest, []byte("shared"), []byte("declared"), 1)
		}, bundle.ErrTampered},
		{"another log's policy", func(d *bundle.Dossier) { d.Policy = other.policy }, bundle.ErrTampered},
		{"size differs", func(d *bundle.Dossier) { d.Records[0].Version.Size++ }, bundle.ErrTampered},
		{"media type differs", func(d *bundle.Dossier) { d.Records[0].Version.MediaType = "application/json" }, bundle.ErrTampered},
		{"a byte changed", func(d *bundle.Dossier) {
			content(d, func(b []byte) []byte { return bytes.Replace(b, []byte("/Producer"), []byte("/Producar"), 1) })
		}, bundle.ErrTampered},
		{"same document twice", func(d *bundle.Dossier) { d.Records = append(d.Records, d.Records[0]) }, bundle.ErrUnfit},
		{"store away", func(d *bundle.Dossier) {
			d.Records[1].Version.Open = func(context.Context) (bundle.ReaderAtCloser, error) { return nil, broken }
		}, broken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := fresh()
			test.change(&d)
			if err := bundle.Build(t.Context(), io.Discard, d); !errors.Is(err, test.want) {
				t.Errorf("Build returned %v, want %v", err, test.want)
			}
		})
	}
	t.Run("truncated", func(t *testing.T) {
		d := newDossier(t, log, oneOfEach(t)[4])
		open := d.Records[0].Version.Open
		d.Records[0].Version.Open = func(ctx context.Context) (bundle.ReaderAtCloser, error) {
			r, err := open(ctx)
			return short{r}, err
		}
		if err := bundle.Build(t.Context(), io.Discard, d); !errors.Is(err, bundle.ErrTampered) {
			t.Errorf("Build returned %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := bundle.Build(ctx, io.Discard, fresh()); !errors.Is(err, context.Canceled) {
			t.Errorf("Build returned %v", err)
		}
	})
}

// short ends after ten bytes.
type short struct{ bundle.ReaderAtCloser }

func (s short) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.ReaderAtCloser.ReadAt(p, off)
	if left := 10 - off; int64(n) > left {
		return int(max(left, 0)), io.EOF
	}
	return n, err
}
