package api_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"trien/api"
	"trien/api/wire"
)

// builtVerifier is cmd/verify-wasm as make build leaves it in api/generated.
var builtVerifier = sync.OnceValues(func() (fs.FS, error) { return compileVerifier("trien/cmd/verify-wasm") })

func compileVerifier(program string) (fs.FS, error) {
	dir, err := os.MkdirTemp("", "trien-wasm-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", filepath.Join(dir, "v.wasm"), program)
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building %s: %w\n%s", program, err, out)
	}
	wasm, err := os.ReadFile(filepath.Join(dir, "v.wasm"))
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err = z.Write(wasm)
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	glue, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	return fstest.MapFS{"verifier.wasm.gz": {Data: packed.Bytes()}, "wasm_exec.js": {Data: glue}}, err
}

func withVerifier(t *testing.T, folder fs.FS, err error) change {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return change{api: func(c *api.Config) { c.Verifier = folder }}
}

// stranger judges files with trien-verify and in a browser, and wants the same from both.
type stranger struct {
	t               *testing.T
	p               *person
	cli             string // the program
	anchors, policy string // files
}

func newStranger(t *testing.T, p *person, r *rig) *stranger {
	t.Helper()
	s := &stranger{t: t, p: p, cli: filepath.Join(t.TempDir(), "trien-verify")}
	if out, err := exec.Command("go", "build", "-o", s.cli, "trien/cmd/trien-verify").CombinedOutput(); err != nil {
		t.Fatalf("building trien-verify: %v\n%s", err, out)
	}
	s.anchors = p.file("anchors.pem", r.vault.Anchors().PEM())
	s.policy = p.file("policy.txt", r.vault.Policy().Text())
	return s
}

// offline is what trien-verify says.
func (s *stranger) offline(file string) map[string]any {
	s.t.Helper()
	out, err := exec.Command(s.cli, file, "--json", "--anchors", s.anchors, "--policy", s.policy).Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() > 2) {
		s.t.Fatal(err)
	}
	return timeless(s.t, out)
}

// timeless is a verdict without the time of judging.
func timeless(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if _, there := v["judged_at"]; !there {
		t.Error("a verdict without its time")
	}
	delete(v, "judged_at")
	return v
}

const judged = "document.querySelector('#judge').getAttribute('aria-busy') !== 'true'"

func (p *person) waitFor(script string) {
	p.t.Helper()
	if _, err := chromedp.Run(p.ctx, chromedp.Poll[bool]("Boolean("+script+")", chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(90*time.Second))); err != nil {
		p.shoot("failed")
		p.t.Fatalf("waiting for %s: %v\n%s", script, err, ask[string](p, "document.body.innerText"))
	}
}

// openVerify opens the page and waits until it needs no network any more.
func (p *person) openVerify() {
	p.t.Helper()
	p.open("/verify")
	p.waitFor("document.querySelector('#judge').dataset.ready !== undefined")
}

// judge has the browser judge a file and returns what it shows as JSON; empty if there is no verdict.
func (p *person) judge(path string) []byte {
	p.t.Helper()
	p.choose("#judge input[name=file]", path)
	// A click could miss the button while the page is laid out anew after a look.
	ask[bool](p, "(() => { const f = document.querySelector('#judge'); f.requestSubmit(f.querySelector('button[type=submit]')); return true; })()")
	p.waitFor(judged)
	return []byte(ask[string](p, "document.querySelector('#verdict [data-json]')?.textContent ?? ''"))
}

// agree judges a file in both ways.
func (s *stranger) agree(name, path string) map[string]any {
	s.t.Helper()
	want, got := s.offline(path), timeless(s.t, s.p.judge(path))
	if !reflect.DeepEqual(got, want) {
		s.t.Errorf("%s: the browser says\n%v\ntrien-verify\n%v", name, got, want)
	}
	outcome, _ := want["outcome"].(string)
	worst := ask[string](s.p, `(() => { const o = [...document.querySelectorAll('#verdict [data-step]')].map((e) => e.dataset.outcome);
		return o.length !== 5 ? 'steps missing' : ['failed', 'cannot_say', 'passed'].find((x) => o.includes(x)); })()`)
	if shown := ask[string](s.p, "document.querySelector('#verdict section').className"); shown != "card verdict "+outcome || worst != outcome {
		s.t.Errorf("%s: outcome %s, shown as %q, the worst step is %s", name, outcome, shown, worst)
	}
	return want
}

// exported takes a dossier out and returns its file.
func (r *rig) exported() []byte {
	r.t.Helper()
	ctx := r.t.Context()
	staff, official := r.signIn("vanthu"), r.signIn("lanhdao")
	d := r.dossier(staff)
	for _, content := range [][]byte{samplePDF(), []byte(`{"a":1}`)} {
		v := r.deposit(staff, d.ID, content)
		if _, err := staff.Receipt(ctx, v.ID, true); err != nil {
			r.t.Fatal(err)
		}
	}
	officials, err := staff.Officials(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	x, err := staff.ExportDossier(ctx, d.ID, wire.NewExport{Signer: officials[0].ID, Purpose: "Bổ nhiệm"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.sign(official, x.Job)
	var file bytes.Buffer
	if _, err := staff.ExportContent(ctx, x.Export.ID, &file); err != nil {
		r.t.Fatal(err)
	}
	return file.Bytes()
}

// TestVerifyInABrowser: Chromium and trien-verify say the same of the same files, and the browser sends none of them.
func TestVerifyInABrowser(t *testing.T) {
	folder, err := builtVerifier()
	r := newRig(t, withVerifier(t, folder, err))
	p := newPerson(t)
	p.visit(t, r)
	s := newStranger(t, p, r)
	export := r.exported()
	whole := p.file("dossier.pdf", export)

	p.openVerify()
	p.wants("main", "Tệp KHÔNG rời khỏi trình duyệt")
	p.wants("#h-trust + h3 + ul", "Dấu vân tay SHA-256")
	p.wants("#policy", r.vault.Policy().Origin())
	p.look("verify-browser")
	served := func() int { return strings.Count(r.logged.String(), "request served") }
	before := served()
	p.quiet(func() {
		if v := s.agree("the export", whole); v["outcome"] != "passed" {
			t.Errorf("the export: %v", v)
		}
		t.Logf("%d KB judged in %d ms with %d MB", len(export)>>10, ask[int](p, "Number(document.querySelector('[data-took]').dataset.took)"), p.memory()>>20)
		p.look("verify-browser-passed")
		if focused := ask[string](p, "document.activeElement.className"); focused != "card verdict passed" {
			t.Errorf("after the verdict %q has the focus", focused)
		}
		if v := s.agree("no PDF", p.file("x.pdf", []byte("MZ no document"))); v["outcome"] != "cannot_say" {
			t.Errorf("no PDF: %v", v)
		}
		s.agree("a document that is no export", p.file("cv.pdf", samplePDF()))
		random := mathrand.New(mathrand.NewPCG(20, 26))
		for i := range 20 {
			changed := bytes.Clone(export)
			at := random.IntN(len(changed))
			changed[at] ^= byte(1 + random.IntN(255))
			if v := s.agree(fmt.Sprintf("byte %d changed", at), p.file("changed.pdf", changed)); v["outcome"] == "passed" {
				t.Errorf("copy %d passes with byte %d changed", i, at)
			}
		}
		p.look("verify-browser-failed")
		s.anchors = p.file("foreign.pem", foreignAnchors(t))
		p.click("#judge input[value=own]")
		p.choose("#judge input[name=anchors]", s.anchors)
		p.choose("#judge input[name=policy]", s.policy)
		if v := s.agree("foreign anchors", whole); v["outcome"] != "cannot_say" {
			t.Errorf("foreign anchors: %v", v)
		}
		p.wants("#verdict", "Foreign Root")
		p.look("verify-browser-foreign")
		golden, err := filepath.Abs(filepath.Join("..", "vault", "bundle", "testdata"))
		if err != nil {
			t.Fatal(err)
		}
		s.anchors, s.policy = filepath.Join(golden, "anchors.pem"), filepath.Join(golden, "policy.txt")
		p.choose("#judge input[name=anchors]", s.anchors)
		p.choose("#judge input[name=policy]", s.policy)
		if v := s.agree("the golden export", filepath.Join(golden, "export.pdf")); v["outcome"] != "passed" {
			t.Errorf("the golden export: %v", v)
		}
	})
	if after := served(); after != before {
		t.Errorf("%d requests came while files were judged", after-before)
	}

	// Neither does it need the server any more.
	p.click("#judge input[value=server]")
	r.http.Close()
	s.anchors, s.policy = p.file("anchors.pem", r.vault.Anchors().PEM()), p.file("policy.txt", r.vault.Policy().Text())
	for _, name := range []string{"offline", "offline again"} {
		if v := s.agree(name, whole); v["outcome"] != "passed" {
			t.Errorf("%s: %v", name, v)
		}
	}
}

// TestVerifyLargeInABrowser: memory does not grow with the file.
func TestVerifyLargeInABrowser(t *testing.T) {
	const size, limit = 200 << 20, 64 << 20
	folder, err := builtVerifier()
	r := newRig(t, withVerifier(t, folder, err))
	p := newPerson(t)
	p.visit(t, r)
	s := newStranger(t, p, r)
	path := p.file("large.pdf", nil)
	grow(t, path, r.exported(), size)
	p.openVerify()
	p.choose("#judge input[name=file]", path)
	p.click("#judge button[type=submit]")
	p.waitFor("document.querySelector('#judge progress').value > 0")
	p.click("#judge [data-cancel]")
	p.waitFor(judged)
	p.wants("#judge .live", "Đã dừng")
	v := s.agree("a large file", path)
	if v["outcome"] != "failed" || v["export"] == nil {
		t.Errorf("an export with something added: %v", v)
	}
	t.Logf("%d MB judged in %d ms with %d MB", size>>20, ask[int](p, "Number(document.querySelector('[data-took]').dataset.took)"), p.memory()>>20)
	if m := p.memory(); m > limit || m == 0 {
		t.Errorf("the verifier took %d MB", m>>20)
	}
}

// grow writes an export to which a revision was added, with one more attachment-like stream of so many bytes, mostly a hole in the file.
func grow(t *testing.T, path string, export []byte, size int64) {
	t.Helper()
	m := startOfXref.FindAllSubmatch(export, -1)
	sizes, roots := trailerSize.FindAllSubmatch(export, -1), trailerRoot.FindAllSubmatch(export, -1)
	if m == nil || sizes == nil || roots == nil {
		t.Fatal("the export has no trailer of the kind expected")
	}
	number, err := strconv.Atoi(string(sizes[len(sizes)-1][1]))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	head := fmt.Sprintf("%s\n%d 0 obj\n<< /Length %d >>\nstream\n", export, number, size)
	at := int64(len(head)) + size
	tail := fmt.Sprintf("\nendstream\nendobj\nxref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root %s /Prev %s >>\nstartxref\n%d\n%%%%EOF\n",
		number, len(export)+1, number+1, roots[len(roots)-1][1], m[len(m)-1][1], at+int64(len("\nendstream\nendobj\n")))
	if _, err := f.WriteAt([]byte(head), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(tail), at); err != nil {
		t.Fatal(err)
	}
}

var (
	startOfXref = regexp.MustCompile(`startxref\s+(\d+)`)
	trailerSize = regexp.MustCompile(`/Size (\d+)`)
	trailerRoot = regexp.MustCompile(`/Root (\d+ 0 R)`)
)

// memory that the verifier took at most, in bytes.
func (p *person) memory() int64 {
	p.t.Helper()
	return ask[int64](p, "Number(document.querySelector('[data-memory]').dataset.memory)")
}

func foreignAnchors(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Foreign Root"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestVerifyRefusals: what is no verdict is said in words, and the page goes on working.
func TestVerifyRefusals(t *testing.T) {
	folder, err := builtVerifier()
	r := newRig(t, withVerifier(t, folder, err))
	p := newPerson(t)
	p.visit(t, r)
	p.openVerify()
	refused := func(want string) {
		t.Helper()
		if shown := ask[int](p, "document.querySelector('#verdict').children.length"); shown != 0 {
			t.Error("a verdict is shown")
		}
		p.wants("#judge .live.wrong", want)
	}
	p.click("#judge button[type=submit]")
	p.see("#judge .live.wrong")
	refused("Chưa chọn tệp")
	p.judge(p.file("empty.pdf", nil))
	refused("Tệp rỗng")
	// A file of the browser's own file system, which was taken away after it was chosen.
	ask[any](p, `void (async () => {
		const folder = await navigator.storage.getDirectory();
		const handle = await folder.getFileHandle('gone.pdf', { create: true });
		const w = await handle.createWritable();
		await w.write('%PDF-1.7 '.repeat(1000));
		await w.close();
		const d = new DataTransfer();
		d.items.add(await handle.getFile());
		document.querySelector('#judge input[name=file]').files = d.files;
		await folder.removeEntry('gone.pdf');
		window.takenAway = true;
	})()`)
	p.waitFor("window.takenAway")
	// A click could miss the button while the page is laid out anew after a look.
	ask[bool](p, "(() => { const f = document.querySelector('#judge'); f.requestSubmit(f.querySelector('button[type=submit]')); return true; })()")
	p.waitFor(judged)
	refused("Hãy chọn lại tệp")
	p.click("#judge input[value=own]")
	p.choose("#judge input[name=anchors]", p.file("anchors.pem", []byte("no certificate")))
	p.judge(p.file("cv.pdf", samplePDF()))
	refused("Tệp chứng thư gốc không dùng được")
	p.choose("#judge input[name=anchors]", p.file("anchors.pem", r.vault.Anchors().PEM()))
	p.choose("#judge input[name=policy]", p.file("policy.txt", []byte("log\n")))
	p.judge(p.file("cv.pdf", samplePDF()))
	refused("Tệp chính sách sổ cái không dùng được")

	// What is not given is not believed, as with trien-verify.
	p.click("a[hreflang=en]")
	p.see("a[hreflang=vi]")
	p.waitFor("document.querySelector('#judge').dataset.ready !== undefined")
	p.click("#judge input[value=own]")
	p.choose("#judge input[name=file]", p.file("cv.pdf", samplePDF()))
	p.do(chromedp.Focus(chromedp.CSS("#judge button[type=submit]")), chromedp.KeyEvent(kb.Enter))
	p.waitFor(judged)
	p.wants("#verdict", "policy_missing")
	p.wants("#verdict", "anchors_missing")
	p.wants("#verdict .banner", "CANNOT SAY")
	p.look("verify-browser-en")

	p.click("#judge input[value=server]")
	ask[bool](p, `(() => { const d = new DataTransfer(); d.items.add(new File(['dropped'], 'a.pdf'));
		return document.querySelector('#judge [data-drop]').dispatchEvent(new DragEvent('drop', { dataTransfer: d, bubbles: true, cancelable: true })); })()`)
	p.waitFor("document.querySelector('#verdict [data-json]')?.textContent.includes('not_a_pdf')")
	if open := ask[bool](p, "document.getElementById('send').open"); open {
		t.Error("the form that sends a file is open beside the one that does not")
	}
}

// TestVerifierDies: a program that ends without an answer is no verdict, and the page says why.
func TestVerifierDies(t *testing.T) {
	p := newPerson(t)
	for program, want := range map[string]string{"exhausted": "không đủ bộ nhớ", "panicking": "gặp lỗi và đã dừng"} {
		t.Run(program, func(t *testing.T) {
			folder, err := compileVerifier("./testdata/verifiers/" + program)
			r := newRig(t, withVerifier(t, folder, err))
			p.visit(t, r)
			p.openVerify()
			for range 2 {
				if got := p.judge(p.file("cv.pdf", samplePDF())); len(got) > 0 {
					t.Errorf("a verdict: %s", got)
				}
				p.wants("#judge .live.wrong", want)
			}
		})
	}
}
