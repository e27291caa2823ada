package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/transparency-dev/merkle/rfc6962"

	"trien/ledger"
	"trien/ledger/witness"
)

func TestWitnessScript(t *testing.T) {
	dir := filepath.Dir(program(t, "trien"))
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", dir+string(os.PathListSeparator)+e.Getenv("PATH"))
			return nil
		},
	})
}

// pair is a log of one or two leaves, in one of two histories.
type pair struct {
	key   *ledger.SigningKey
	first [32]byte
	other [32]byte
}

func newPair(key *ledger.SigningKey, second string) pair {
	return pair{key, [32]byte(rfc6962.DefaultHasher.HashLeaf([]byte("first"))), [32]byte(rfc6962.DefaultHasher.HashLeaf([]byte(second)))}
}

func (p pair) checkpoint(t *testing.T, size uint64) []byte {
	t.Helper()
	root := ledger.Hash(p.first)
	if size == 2 {
		root = ledger.Hash(rfc6962.DefaultHasher.HashChildren(p.first[:], p.other[:]))
	}
	signed, err := ledger.SignCheckpoint(p.key.Signer(), size, root)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (p pair) prove(context.Context, uint64) ([]ledger.Hash, error) {
	return []ledger.Hash{p.other}, nil
}

// runWitness starts `trien witness` and waits until it serves.
func runWitness(t *testing.T, args ...string) (cmd *exec.Cmd, url, vkey string) {
	t.Helper()
	cmd = exec.Command(program(t, "trien"), append([]string{"witness", "--listen", "127.0.0.1:0"}, args...)...)
	stderr := &tail{}
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	fields := strings.Fields(line)
	if err != nil || len(fields) != 4 || fields[0] != "ready" || fields[2] != "witness" {
		t.Fatalf("the witness did not start: %q %v\n%s", line, err, stderr)
	}
	return cmd, fields[1], fields[3]
}

// Two units witness a third one's log: over plain HTTP on this machine and over TLS. One is killed and comes back; a second
// history of the log is refused by both and proven to who asked for it.
func TestWitnessProcess(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	key, err := ledger.GenerateSigningKey("vault.example/records")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("policy"), []byte("log "+key.VerifierKey()+"\nquorum none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"w1", "w2"} {
		if out, code := runProgram(t, "trien", "witness", "init", "--name", "witness.example/"+name, "--out", at(name+".key")); code != 0 {
			t.Fatal(out)
		}
	}
	roots := serverCertificate(t, at("tls.pem"), at("tls-key.pem"))
	plain := []string{"--key", at("w1.key"), "--state", at("w1"), "--policy", at("policy")}
	first, url1, vkey1 := runWitness(t, plain...)
	second, url2, vkey2 := runWitness(t, "--key", at("w2.key"), "--state", at("w2"), "--policy", at("policy"), "--tls-cert", at("tls.pem"), "--tls-key", at("tls-key.pem"))
	if !strings.HasPrefix(url1, "http://127.0.0.1:") || !strings.HasPrefix(url2, "https://127.0.0.1:") {
		t.Errorf("they listen on %s and %s", url1, url2)
	}
	if out, code := runProgram(t, "trien", append([]string{"witness", "--listen", "127.0.0.1:0"}, plain...)...); code != 1 || !strings.Contains(out, "Another witness runs on this folder") {
		t.Errorf("a second one over the same state: %d\n%s", code, out)
	}

	policy := func() *ledger.Policy {
		p, err := ledger.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness w1 %s %s\nwitness w2 %s %s\ngroup both all w1 w2\nquorum both\n", key.VerifierKey(), vkey1, url1, vkey2, url2))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	client := func() *witness.Client {
		c, err := witness.New(witness.Config{Policy: policy(), Roots: roots})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	true1, forged := newPair(key, "second"), newPair(key, "another")
	if _, err := client().Cosign(t.Context(), true1.checkpoint(t, 1), true1.prove); err != nil {
		t.Fatal(err)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	if _, err := client().Cosign(t.Context(), true1.checkpoint(t, 2), true1.prove); !errors.Is(err, witness.ErrQuorum) {
		t.Errorf("one of two: %v", err)
	}
	first, url1, vkey1 = runWitness(t, plain...)
	cosigned, err := client().Cosign(t.Context(), true1.checkpoint(t, 2), true1.prove)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := policy().OpenCheckpoint(cosigned); err != nil || len(c.Witnessed) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	var fork *witness.ForkError
	if _, err := client().Cosign(t.Context(), forged.checkpoint(t, 2), forged.prove); !errors.Is(err, ledger.ErrForked) || !errors.As(err, &fork) {
		t.Errorf("a second history: %v", err)
	} else if c, err := policy().OpenUnwitnessed(fork.Theirs); err != nil || c.Size != 2 {
		t.Errorf("evidence %+v, %v", c, err)
	}
	for _, cmd := range []*exec.Cmd{first, second} {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("it ended with %v", err)
		}
	}
}

// serverCertificate makes a certificate for this machine that nobody else believes.
func serverCertificate(t *testing.T, certificate, private string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, block := range map[string][]byte{certificate: text, private: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(name, block, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}
