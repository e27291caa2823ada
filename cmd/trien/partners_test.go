package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"trien/api/client"
	"trien/api/wire"
	"trien/ledger"
	"trien/ledger/tiles"
	"trien/ledger/witness/witnesstest"
	"trien/signing/token"
)

// partners witness the two logs of a vault: two run `trien witness`, one of them over TLS by an authority of their own, and one runs
// other people's software. Two of the three must co-sign.
type partners struct {
	c      *outside
	args   [][]string // of ours
	ours   []*exec.Cmd
	theirs *witnesstest.Litewitness
}

// witnessed starts partners who know the logs' keys, also the one that the log of records is to go on under, and writes the files that
// the configuration names.
func (c *outside) witnessed() *partners {
	c.t.Helper()
	var keys []string
	for _, name := range []string{"ledger.key", "ledger-2.key"} {
		key, err := ledger.ReadSigningKey(c.path(name))
		if err != nil {
			c.t.Fatal(err)
		}
		keys = append(keys, key.VerifierKey())
	}
	keys = append(keys, c.accessKey())
	records := c.write("witness-records", fmt.Sprintf("log %s\nlog %s\nquorum none\n", keys[0], keys[1]))
	reads := c.write("witness-access", fmt.Sprintf("log %s\nquorum none\n", keys[2]))
	serverCertificate(c.t, c.path("witness-ca.pem"), c.path("witness-tls.key"))

	p := &partners{c: c}
	for _, name := range []string{"w1", "w2"} {
		if out, code := runProgram(c.t, "trien", "witness", "init", "--name", "witness.example/"+name, "--out", c.path(name+".key")); code != 0 {
			c.t.Fatal(out)
		}
		p.args = append(p.args, []string{
			"--key", c.path(name + ".key"), "--state", c.path(name), "--policy", records, "--policy", reads, "--listen", freeAddress(c.t),
		})
	}
	p.args[1] = append(p.args[1], "--tls-cert", c.path("witness-ca.pem"), "--tls-key", c.path("witness-tls.key"))
	var lines strings.Builder
	for i, args := range p.args {
		cmd, url, vkey := runWitness(c.t, args...)
		p.ours = append(p.ours, cmd)
		fmt.Fprintf(&lines, "witness w%d %s %s\n", i+1, vkey, url)
	}
	p.theirs = witnesstest.StartLitewitness(c.t, "witness.example/w3", keys...)
	fmt.Fprintf(&lines, "witness w3 %s %s\ngroup partners 2 w1 w2 w3\nquorum partners\n", p.theirs.VerifierKey, p.theirs.URL)
	c.write("witnesses", lines.String())
	return p
}

// accessKey is the vkey of the key on the token.
func (c *outside) accessKey() string {
	c.t.Helper()
	tok, err := token.Open(token.Config{Module: c.module, Label: "seal", PIN: "123456"})
	if err != nil {
		c.t.Fatal(err)
	}
	defer tok.Close()
	key, err := tok.Ed25519("log")
	if err != nil {
		c.t.Fatal(err)
	}
	signer, err := ledger.NewSigner("cluster.example/access", key)
	if err != nil {
		c.t.Fatal(err)
	}
	return signer.VerifierKey()
}

func (p *partners) stop() {
	p.c.t.Helper()
	for _, cmd := range p.ours {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			p.c.t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			p.c.t.Errorf("a witness ended with %v", err)
		}
	}
	p.theirs.Kill(p.c.t)
}

func (p *partners) start() {
	p.c.t.Helper()
	for i, args := range p.args {
		p.ours[i], _, _ = runWitness(p.c.t, args...)
	}
	p.theirs.Start(p.c.t)
}

// shown is what strangers get of a log: its policy, which must name the partners, and its newest checkpoint, which must meet it.
func (c *outside) shown(s *server, name string) (policy *ledger.Policy, signed []byte) {
	c.t.Helper()
	pem, err := os.ReadFile(s.ca)
	if err != nil {
		c.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	get := func(path string) []byte {
		resp, err := (&http.Client{Transport: transport}).Get(s.url + "/ledger/" + name + path)
		if err != nil {
			c.t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			c.t.Fatalf("%s%s: %d %v", name, path, resp.StatusCode, err)
		}
		return text
	}
	if policy, err = ledger.ParsePolicy(get("/policy")); err != nil {
		c.t.Fatal(err)
	}
	var names []string
	for _, w := range policy.Witnesses() {
		names = append(names, w.Name)
	}
	if got := strings.Join(names, " "); got != "w1 w2 w3" {
		c.t.Errorf("%s: the policy names the witnesses %q", name, got)
	}
	signed = get("/" + tiles.CheckpointPath)
	if seen, err := policy.OpenCheckpoint(signed); err != nil || len(seen.Witnessed) < 2 {
		c.t.Errorf("%s: %v, witnesses %v", name, err, seen.Witnessed)
	}
	return policy, signed
}

// alone runs the vault while no witness can be asked: deposits and reads go on, nothing leaves, and strangers see what was co-signed
// last. When they are back all goes on.
func (c *outside) alone(s *server, p *partners, job *exported) {
	c.t.Helper()
	p.stop()
	time.Sleep(time.Second) // what was co-signed already is published
	_, before := c.shown(s, recordsLog)
	ctx := c.t.Context()
	text := []byte(`{"lan": 2}`)
	done, err := job.staff.Deposit(ctx, client.Deposit{
		Dossier: job.dossier, Kind: job.kind, Title: "Khi vắng bên chứng kiến", Origin: job.origin, Content: bytes.NewReader(text), Size: int64(len(text)),
		Wait: 20 * time.Second,
	})
	if err != nil || done.Proof == nil {
		c.t.Fatalf("a deposit without witnesses: proof %v, %v", done.Proof != nil, err)
	}
	for language, says := range map[string]string{"vi": "Hãy thử lại sau vài phút; nếu vẫn vậy, đề nghị đầu mối kỹ thuật", "en": "Try again in a few minutes; if that does not help, ask"} {
		speaker, err := client.New(client.Config{Server: s.url, CAFile: s.ca, Language: language})
		if err != nil {
			c.t.Fatal(err)
		}
		_, err = speaker.SignIn(ctx, "vanthu", "mật khẩu dài để thử")
		if err == nil {
			_, err = speaker.ExportDossier(ctx, job.dossier, wire.NewExport{Signer: job.signer, Purpose: "Thẩm định"})
		}
		speaker.Close()
		if !client.HasCode(err, "not_witnessed") || !strings.Contains(err.Error(), says) {
			c.t.Errorf("an export without witnesses: %v", err)
		}
	}
	if _, after := c.shown(s, recordsLog); !bytes.Equal(after, before) {
		c.t.Errorf("without witnesses another checkpoint was published:\n%s", after)
	}
	p.start()
	file := c.export(s, job, "later.pdf")
	if verdict, code := runProgram(c.t, "trien-verify", file, "--anchors", c.path("anchors.pem"), "--policy", c.path("policy.txt")); code != 0 {
		c.t.Errorf("with the witnesses back: exit %d\n%s", code, verdict)
	}
	_, after := c.shown(s, recordsLog)
	if bytes.Equal(after, before) {
		c.t.Error("with the witnesses back nothing is published")
	}
}

// rotated writes the policy that is served after the log of records went on under another key.
func (c *outside) rotated(s *server, name string) string {
	c.t.Helper()
	policy, _ := c.shown(s, recordsLog)
	if got := len(policy.LogKeys()); got != 2 {
		c.t.Errorf("the policy names %d keys of the log", got)
	}
	return c.write(name, string(policy.Text()))
}
