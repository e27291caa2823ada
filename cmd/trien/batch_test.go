package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"trien/api/client"
	"trien/api/wire"
	"trien/certs"
	"trien/signing"
)

// TestBatch is TestSoakBatch in short.
func TestBatch(t *testing.T) { signBatch(t, 30, 5, 60) }

// batch is a vault in which one official signs many documents by the agent, while server and agent are killed.
type batch struct {
	t        *testing.T
	dir      string
	s        *server
	staff    *client.Client
	official *client.Client
	account  string   // the official's
	agent    []string // arguments of `trien-agent sign`
	env      string
	dossier  string
	jobs     map[string]bool // submitted

	agentKills, serverKills, runs int
}

// signBatch deposits and submits n documents and has them signed in a batch that is cut short so many times: after a random number
// of lines that the agent writes (up to lines), and a random moment more, the agent, the server or both are killed, and start
// again. In the end every document must be signed once, and nothing else be there.
func signBatch(t *testing.T, n, kills, lines int) {
	b := &batch{t: t, dir: vaultFolder(t), jobs: map[string]bool{}}
	b.serve("127.0.0.1:0")
	b.people()
	began := time.Now()
	b.submit(n)
	t.Logf("%d documents deposited and submitted in %.1f s", n, time.Since(began).Seconds())
	began = time.Now()
	for b.waiting() > 0 {
		b.round(kills, lines)
	}
	t.Logf("signed in %.1f s: %d runs of the agent, %d times it was killed, %d times the server", time.Since(began).Seconds(),
		b.runs, b.agentKills, b.serverKills)
	began = time.Now()
	b.check(n)
	t.Logf("checked in %.1f s", time.Since(began).Seconds())
	objectsLeft(t, b.dir, 2*n)
	b.s.stop()
}

// people makes the accounts, and the official's token.
func (b *batch) people() {
	b.t.Helper()
	pin, password := filepath.Join(b.t.TempDir(), "pin"), filepath.Join(b.t.TempDir(), "password")
	word := rand.Text()
	for _, path := range []string{pin, password} {
		if err := os.WriteFile(path, []byte(word+"\n"), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	certificate := filepath.Join(b.t.TempDir(), "official.pem")
	out, code := runProgram(b.t, "trien", "test-token", "--standalone", b.dir, "--token-dir", filepath.Join(b.dir, "official-token"),
		"--label", "lanhdao", "--pin-file", pin, "--name", "Lãnh Đạo Mẫu", "--post", "Trưởng ban", "--out", certificate)
	if code != 0 {
		b.t.Fatalf("making a token: %s", out)
	}
	values := map[string]string{}
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		values[key] = value
	}
	b.env = values["environment"]
	b.agent = []string{"sign", "--ca", b.s.ca, "--login", "lanhdao", "--password-file", password, "--module", values["module"],
		"--token", "lanhdao", "--pin-file", pin, "--all", "--yes"}
	text, err := os.ReadFile(certificate)
	if err != nil {
		b.t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	admin := b.s.signIn(adminLogin, secret(b.t, b.dir, "admin-password"))
	me, err := admin.Me(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, a := range []wire.NewAccount{
		{Login: "vanthu", Name: "Văn Thư Mẫu", Role: "staff"},
		{Login: "lanhdao", Name: "Lãnh Đạo Mẫu", Post: "Trưởng ban", Role: "official", Certificate: block.Bytes},
	} {
		a.Unit, a.Password = me.Unit, word
		made, err := admin.CreateAccount(b.t.Context(), a)
		if err != nil {
			b.t.Fatal(err)
		}
		b.account = made.ID
	}
	b.staff, b.official = b.s.signIn("vanthu", word), b.s.signIn("lanhdao", word)
}

// submit deposits n documents and asks the official to sign all of them.
func (b *batch) submit(n int) {
	b.t.Helper()
	ctx := b.t.Context()
	d, err := b.staff.OpenDossier(ctx, wire.NewDossier{Register: "cadre", Subject: wire.Subject{Name: "Nguyễn Minh Họa"}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.dossier = d.ID
	var work sync.WaitGroup
	var mu sync.Mutex
	var versions []string
	next := make(chan int)
	for range 4 {
		work.Go(func() {
			for i := range next {
				content := smallPDF(i)
				done, err := b.staff.Deposit(ctx, client.Deposit{
					Dossier: d.ID, Kind: "cadre.decision", Title: fmt.Sprintf("Quyết định số %d", i), Origin: "declared",
					Content: bytes.NewReader(content), Size: int64(len(content)),
				})
				if err != nil {
					b.t.Error(err)
					continue
				}
				mu.Lock()
				versions = append(versions, done.Version.ID)
				mu.Unlock()
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	work.Wait()
	done, err := b.staff.SubmitAll(ctx, versions, b.account, "Phê duyệt")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, d := range done {
		if d.Job == nil {
			b.t.Fatalf("version %s was not submitted: %+v", d.Version, d.Problem)
		}
		b.jobs[d.Job.ID] = true
	}
	if len(b.jobs) != n {
		b.t.Fatalf("%d of %d documents were submitted", len(b.jobs), n)
	}
}

// smallPDF is a document of one page with its number on it.
func smallPDF(number int) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	text := fmt.Sprintf("BT /F1 24 Tf 72 720 Td (Quyet dinh so %d) Tj ET", number)
	var at []int
	for i, object := range []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(text), text), "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	return b.Bytes()
}

// at is a client of the server as it runs now, in a session that outlives it.
func (b *batch) at(session *client.Client) *client.Client {
	b.t.Helper()
	c, err := client.New(client.Config{Server: b.s.url, CAFile: b.s.ca, Language: "en"})
	if err != nil {
		b.t.Fatal(err)
	}
	c.SetToken(session.Token())
	b.t.Cleanup(c.Close)
	return c
}

func (b *batch) waiting() int {
	b.t.Helper()
	jobs, err := b.at(b.official).Jobs(b.t.Context())
	if err != nil {
		b.t.Fatalf("listing what waits: %v\n%s", err, b.s.stderr)
	}
	return len(jobs)
}

// round runs the agent. Each time it has written a random number of lines (up to lines; 0: never) it kills the agent, the server or
// both. A server comes back at its address, and an agent that lives goes on.
func (b *batch) round(kills, lines int) {
	b.t.Helper()
	b.runs++
	said, line := &tail{}, make(chan struct{}, 100_000)
	agent := exec.Command(program(b.t, "trien-agent"), append(b.agent, "--server", b.s.url)...)
	agent.Env = append(os.Environ(), b.env)
	agent.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	agent.Stderr = said
	out, err := agent.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := agent.Start(); err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		for from := bufio.NewScanner(io.TeeReader(out, said)); from.Scan(); {
			line <- struct{}{}
		}
		ended <- agent.Wait()
	}()
	hangs := time.AfterFunc(5*time.Minute, func() { _ = agent.Process.Kill() })
	defer hangs.Stop()
	disturbed := false
	for left := 1 + below(b.t, lines); ; {
		select {
		case <-line:
			if left--; left > 0 || b.agentKills+b.serverKills >= kills {
				continue
			}
		case err := <-ended:
			if err != nil && !disturbed {
				b.t.Fatalf("the agent failed with nobody killed: %v\n%s", err, said)
			}
			return
		}
		left, disturbed = 1+below(b.t, lines), true
		time.Sleep(randomUpTo(300 * time.Millisecond))
		victims := 1 + below(b.t, 3)
		if victims&1 != 0 {
			b.agentKills++
			_ = agent.Process.Kill()
		}
		if victims&2 != 0 {
			b.serverKills++
			b.s.kill()
			b.serve(strings.TrimPrefix(b.s.url, "https://"))
		}
	}
}

// serve starts the server, again at the same address.
func (b *batch) serve(address string) {
	b.t.Helper()
	b.s = start(b.t, "--standalone", b.dir, "--listen", address, "--admin-listen", "127.0.0.1:0", "--upload-grace", "2s")
	b.s.ca = filepath.Join(b.dir, "ca.pem")
}

// check holds that every record has been signed by its job, once, so that a stranger finds it good.
func (b *batch) check(n int) {
	b.t.Helper()
	ctx := b.t.Context()
	staff, official := b.at(b.staff), b.at(b.official)
	view, err := staff.Dossier(ctx, b.dossier)
	if err != nil {
		b.t.Fatal(err)
	}
	if len(view.Records) != n {
		b.t.Errorf("the dossier holds %d records, want %d", len(view.Records), n)
	}
	anchors := b.anchors()
	passed := 0
	for _, r := range view.Records {
		if len(r.Versions) != 2 || r.Versions[0].Approval != "" || !b.jobs[r.Versions[1].Approval] {
			b.t.Errorf("record %s has %d versions, or one that no job of its own made", r.ID, len(r.Versions))
			continue
		}
		signed := r.Versions[1]
		delete(b.jobs, signed.Approval) // no other record may name it
		if j, err := official.Job(ctx, signed.Approval); err != nil || j.State != "signed" || j.Version != r.Versions[0].ID {
			b.t.Errorf("job %s is %s, for version %s, %v", signed.Approval, j.State, j.Version, err)
		}
		var content bytes.Buffer
		if _, err := staff.Content(ctx, signed.ID, "", &content); err != nil {
			b.t.Errorf("version %s: %v", signed.ID, err)
			continue
		}
		report, err := signing.Inspect(ctx, bytes.NewReader(content.Bytes()), int64(content.Len()), signing.InspectOptions{
			Anchors: anchors, At: time.Now(), Strict: true,
		})
		switch {
		case err != nil:
			b.t.Errorf("version %s: %v", signed.ID, err)
		case persons(report) != 1 || report.Indication() != signing.Passed:
			b.t.Errorf("version %s has %d signatures and is judged %s", signed.ID, persons(report), report.Indication())
		default:
			passed++
		}
		if _, err := staff.Receipt(ctx, signed.ID, true); err != nil {
			b.t.Errorf("version %s has no receipt: %v", signed.ID, err)
		}
	}
	if len(b.jobs) > 0 {
		b.t.Errorf("%d jobs made nothing", len(b.jobs))
	}
	b.t.Logf("%d of %d records have one approved version with one signature, %s", passed, n, signing.Passed)
}

// persons counts the signatures that are no document time-stamps.
func persons(report *signing.Report) (n int) {
	for _, s := range report.Signatures {
		if s.Kind == signing.KindSignature {
			n++
		}
	}
	return n
}

func (b *batch) anchors() *certs.Anchors {
	b.t.Helper()
	text, err := os.ReadFile(b.s.ca)
	if err != nil {
		b.t.Fatal(err)
	}
	roots, err := certs.ParseCertificates(text)
	if err != nil {
		b.t.Fatal(err)
	}
	return certs.NewAnchors(roots...)
}
