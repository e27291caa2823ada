package token_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"trien/certs/devpki"
	"trien/signing/token"
	"trien/signing/token/softhsm"
)

const pin = "482913"

var module string

// TestMain makes two tokens before the module first starts, which is when SoftHSM2 looks for them.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "token-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() {
			if err := os.RemoveAll(dir); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}()
		for _, label := range []string{"official", "seal"} {
			var env string
			if module, env, err = softhsm.InitToken(ctx(), dir, label, pin); err == nil {
				err = softhsm.Use(env)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		return m.Run()
	}())
}

func open(t *testing.T, label string) *token.Token {
	t.Helper()
	tok, err := token.Open(token.Config{Module: module, Label: label, PIN: pin})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tok.Close(); err != nil {
			t.Error(err)
		}
	})
	return tok
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name string
		cfg  token.Config
		want error
	}{
		{"wrong PIN", token.Config{Module: module, Label: "official", PIN: "000000"}, token.ErrPIN},
		{"no PIN", token.Config{Module: module, Label: "official"}, token.ErrPIN},
		{"absent", token.Config{Module: module, Label: "nobody", PIN: pin}, token.ErrNoToken},
		{"wrong serial", token.Config{Module: module, Label: "official", Serial: "1", PIN: pin}, token.ErrNoToken},
		{"in doubt", token.Config{Module: module, PIN: pin}, token.ErrNoToken},
		{"no module", token.Config{Module: "/nowhere.so", Label: "official", PIN: pin}, token.ErrFailed},
	}
	check := func(t *testing.T) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				tok, err := token.Open(tt.cfg)
				if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if tok != nil {
					t.Error("opened")
				}
				if err != nil && strings.Contains(err.Error(), pin) {
					t.Error("the message holds the PIN")
				}
			})
		}
	}
	t.Run("closed", check)
	// PKCS#11 lets everyone in once one session is logged in: wrong PINs must be refused all the same.
	open(t, "official")
	t.Run("while open", check)
	if s := fmt.Sprintf("%v %+v %#v", tests[2].cfg, tests[2].cfg, tests[2].cfg); strings.Contains(s, pin) {
		t.Error("printing the configuration shows the PIN")
	}
}

func TestSign(t *testing.T) {
	a, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	tok, other := open(t, "official"), open(t, "seal")
	for _, alg := range []string{"rsa2048", "p256", "p384"} {
		t.Run(alg, func(t *testing.T) {
			key, err := tok.Generate("sign-"+alg, alg)
			if err != nil {
				t.Fatal(err)
			}
			cert, err := a.IssuePerson(devpki.Subject{CommonName: "Ngô Văn Giáp"}, key.Public())
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time changes nothing
				if err := tok.Import("sign-"+alg, cert); err != nil {
					t.Fatal(err)
				}
				if err := tok.ImportIssuer("issuer", a.Intermediates()[0]); err != nil {
					t.Fatal(err)
				}
			}
			id, err := tok.Find(cert)
			if err != nil {
				t.Fatal(err)
			}
			if len(id.Chain) != 1 || !id.Chain[0].Equal(a.Intermediates()[0]) || id.Label != "sign-"+alg {
				t.Errorf("identity %q with %d issuers", id.Label, len(id.Chain))
			}
			checkSign(t, id.Signer)
			again, err := tok.Key("sign-" + alg)
			if err != nil {
				t.Fatal(err)
			}
			checkSign(t, again)
			if _, err := other.Find(cert); !errors.Is(err, token.ErrNoKey) {
				t.Errorf("found on the other token: %v", err)
			}
			if _, err := tok.Generate("sign-"+alg, alg); !errors.Is(err, token.ErrKeyExists) {
				t.Errorf("generated over a key: %v", err)
			}
		})
	}
	all, err := tok.Identities()
	if err != nil || len(all) != 3 {
		t.Errorf("%d identities, %v", len(all), err)
	}
}

// TestDecrypt: a key for envelopes opens them and signs nothing, a key for signatures the other way round.
func TestDecrypt(t *testing.T) {
	a, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	tok := open(t, "seal")
	find := func(label, algorithm string) token.Identity {
		key, err := tok.Generate(label, algorithm)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := a.IssueServer(devpki.Subject{CommonName: "x", Loopback: true}, key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if err := tok.Import(label, cert); err != nil {
			t.Fatal(err)
		}
		id, err := tok.Find(cert)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	for _, label := range []string{"rsa2048", "p256"} {
		if id := find("signs-"+label, label); id.Decrypter != nil {
			t.Errorf("a key for signatures decrypts: %s", label)
		}
	}
	id := find("opens", "rsa2048-encrypt")
	digest := sha256.Sum256([]byte("x"))
	if _, err := id.Signer.Sign(rand.Reader, digest[:], crypto.SHA256); err == nil {
		t.Error("a key for envelopes signs")
	}
	pub, ok := id.Decrypter.Public().(*rsa.PublicKey)
	if !ok {
		t.Fatalf("public key %T", id.Decrypter.Public())
	}
	seal := func(key []byte) []byte {
		sealed, err := rsa.EncryptPKCS1v15(rand.Reader, pub, key) //nolint:staticcheck // what tokens do
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	opts := &rsa.PKCS1v15DecryptOptions{SessionKeyLen: 32} //nolint:staticcheck // what tokens do
	if got, err := id.Decrypter.Decrypt(nil, seal(digest[:]), opts); err != nil || !bytes.Equal(got, digest[:]) {
		t.Errorf("%x, %v", got, err)
	}
	// Everything else is answered alike: by 32 bytes that mean nothing.
	for name, sealed := range map[string][]byte{"shorter": seal(digest[:31]), "longer": seal(append(digest[:], 0)), "empty": seal(nil),
		"no padding": bytes.Repeat([]byte{1}, 256), "zeros": make([]byte, 256)} {
		if got, err := id.Decrypter.Decrypt(nil, sealed, opts); err != nil || len(got) != 32 || bytes.HasPrefix(got, digest[:16]) || bytes.Equal(got, make([]byte, 32)) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	if _, err := id.Decrypter.Decrypt(nil, seal(digest[:]), nil); !errors.Is(err, token.ErrFailed) {
		t.Errorf("without a length: %v", err)
	}
}

func checkSign(t *testing.T, s crypto.Signer) {
	t.Helper()
	digest := sha256.Sum256([]byte("hồ sơ"))
	sig, err := s.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	switch pub := s.Public().(type) {
	case *rsa.PublicKey:
		err = rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], sig)
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(pub, digest[:], sig) {
			err = errors.New("does not verify")
		}
		if long := sha512.Sum384([]byte("x")); pub.Curve.Params().BitSize == 384 {
			if sig, err = s.Sign(rand.Reader, long[:], crypto.SHA384); err == nil && !ecdsa.VerifyASN1(pub, long[:], sig) {
				err = errors.New("SHA-384 does not verify")
			}
		}
	default:
		t.Fatalf("public key %T", pub)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestImportRefuses(t *testing.T) {
	a, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	tok := open(t, "seal")
	if _, err := tok.Generate("one", "p256"); err != nil {
		t.Fatal(err)
	}
	if err := tok.Import("one", a.TSACertificate()); !errors.Is(err, token.ErrNoKey) {
		t.Errorf("certificate of another key: %v", err)
	}
	if err := tok.Import("none", a.TSACertificate()); !errors.Is(err, token.ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
	if _, err := tok.Key("none"); !errors.Is(err, token.ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
	if _, err := tok.Generate("odd", "rsa1024"); !errors.Is(err, token.ErrFailed) {
		t.Errorf("weak key: %v", err)
	}
}

// TestMany signs with two tokens from many goroutines, while others open and close them.
func TestMany(t *testing.T) {
	var wg sync.WaitGroup
	for _, label := range []string{"official", "seal"} {
		key, err := open(t, label).Generate("many-"+label, "p256")
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			wg.Go(func() {
				for range 5 {
					checkSign(t, key)
					tok, err := token.Open(token.Config{Module: module, Label: label, PIN: pin})
					if err != nil {
						t.Error(err)
						return
					}
					if k, err := tok.Key("many-" + label); err != nil {
						t.Error(err)
					} else {
						checkSign(t, k)
					}
					if err := tok.Close(); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
}

func TestClosed(t *testing.T) {
	tok, err := token.Open(token.Config{Module: module, Label: "seal", PIN: pin})
	if err != nil {
		t.Fatal(err)
	}
	key, err := tok.Generate("closed", "p256")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := tok.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := key.Sign(rand.Reader, make([]byte, 32), crypto.SHA256); !errors.Is(err, token.ErrFailed) {
		t.Errorf("signed with a closed token: %v", err)
	}
	if _, err := tok.Identities(); !errors.Is(err, token.ErrFailed) {
		t.Errorf("listed a closed token: %v", err)
	}
	// All sessions are gone, so the module may start anew.
	again := open(t, "seal")
	if _, err := again.Key("closed"); err != nil {
		t.Error(err)
	}
}

func TestList(t *testing.T) {
	infos, err := token.List(module)
	if err != nil || len(infos) != 2 {
		t.Fatalf("%d tokens, %v", len(infos), err)
	}
	for _, i := range infos {
		if i.Serial == "" || i.PINLocked || (i.Label != "official" && i.Label != "seal") {
			t.Errorf("%+v", i)
		}
		tok, err := token.Open(token.Config{Module: module, Serial: i.Serial, PIN: pin})
		if err != nil {
			t.Fatal(err)
		}
		if got := tok.Info().Label; got != i.Label {
			t.Errorf("serial of %q opened %q", i.Label, got)
		}
		if err := tok.Close(); err != nil {
			t.Error(err)
		}
	}
}

func ctx() context.Context { return context.Background() }

// TestCertificates finds a certificate without a PIN, whether or not the token is open.
func TestCertificates(t *testing.T) {
	a, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	tok := open(t, "seal")
	key, err := tok.Generate("holding", "p256")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := a.IssueSeal(devpki.Subject{CommonName: "Ban Thử nghiệm"}, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.Import("holding", cert); err != nil {
		t.Fatal(err)
	}
	for _, opened := range []bool{true, false} {
		list, err := token.Certificates(module, tok.Info())
		if err != nil || !slices.ContainsFunc(list, cert.Equal) {
			t.Errorf("open %v: %d certificates, %v", opened, len(list), err)
		}
		if err := tok.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := token.Certificates(module, token.Info{Label: "nobody"}); !errors.Is(err, token.ErrNoToken) {
		t.Error(err)
	}
}
