package main

import (
	"fmt"
	"strings"
	"testing"

	"trien/certs"
	"trien/certs/devpki"
	"trien/deploy/standalone/standalonetest"
	"trien/ledger"
	"trien/ledger/tiles"
	"trien/signing/token/softhsm"
	"trien/vault/objects"
)

// logKeys are the keys of the two logs of a configuration, in files and on a token, as its operator has them before the first start.
type logKeys struct {
	*outside
	template string
	bucket   objects.Config
}

func newLogKeys(t *testing.T) *logKeys {
	t.Helper()
	c := &outside{t: t, dir: t.TempDir()}
	var err error
	if c.module, c.tokenEnv, err = softhsm.InitToken(t.Context(), c.path("tokens"), "logs", "123456"); err != nil {
		t.Fatal(err)
	}
	name, value, _ := strings.Cut(c.tokenEnv, "=")
	t.Setenv(name, value) // the programs read it; this process opens no token
	owner, app, role := standalonetest.Postgres(t)
	s3 := standalonetest.Objects(t)
	c.write("app-url", app)
	c.write("owner-url", owner)
	c.write("s3-access", s3.AccessKey)
	c.write("s3-secret", s3.SecretKey)
	c.write("passphrase", "of a keyring that nobody opens")
	c.write("pin", "123456")
	authority, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	c.write("any.pem", string(certs.EncodePEM(authority.Root())))
	authority.Close()
	k := &logKeys{outside: c}
	k.bucket = objects.Config{Endpoint: c.forward(s3), Bucket: s3.Bucket, AccessKey: s3.AccessKey, SecretKey: objects.Secret(s3.SecretKey)}
	k.template = fmt.Sprintf(`
listen: 127.0.0.1:0
tls: {certificate: %[1]s/any.pem, key: %[1]s/any.pem}
admin: {listen: "127.0.0.1:0"}
database: {url_file: %[1]s/app-url, owner_url_file: %[1]s/owner-url, app_role: %[2]s}
objects: {endpoint: %[3]q, secure: false, bucket: %[4]s, access_key_file: %[1]s/s3-access, secret_key_file: %[1]s/s3-secret}
keys: {keyring: %[1]s/keyring, passphrase_file: %[1]s/passphrase}
ledger:
  KEY
  access_pkcs11: {module: %[5]s, token: logs, pin_file: %[1]s/pin, key: access, origin: keys.example/access}
  database_url_file: %[1]s/owner-url
seal: {module: %[5]s, token: logs, pin_file: %[1]s/pin, certificate: %[1]s/any.pem}
trust: {anchors: %[1]s/any.pem}
timestamps: {urls: ["http://127.0.0.1:9"]}
`, c.dir, role, k.bucket.Endpoint, k.bucket.Bucket, c.module)
	k.use("key_file: " + c.path("ledger.key"))
	return k
}

// use names the key of the log of records.
func (k *logKeys) use(key string) {
	k.t.Helper()
	k.config = k.write("trien.yaml", strings.Replace(k.template, "KEY", key, 1))
}

// run runs trien, which must end with the code given, and returns what it said.
func (k *logKeys) run(code int, args ...string) string {
	k.t.Helper()
	out, got := runProgram(k.t, "trien", args...)
	if got != code {
		k.t.Fatalf("trien %s: exit %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	return out
}

// held are the flags of a key on the token.
func (k *logKeys) held(prefix, label string) []string {
	return []string{prefix + "module", k.module, prefix + "token", "logs", prefix + "pin-file", k.path("pin"), prefix + "key", label}
}

func (k *logKeys) generate(label, origin string) (vkey string) {
	k.t.Helper()
	return strings.TrimSpace(k.run(0, append([]string{"ledger-key", "--origin", origin}, k.held("--pkcs11-", label)...)...))
}

// TestLedgerKey: whoever sets a vault up learns the keys of its logs, and makes them, before anything has been started.
func TestLedgerKey(t *testing.T) {
	k := newLogKeys(t)
	records := strings.TrimSpace(k.run(0, "ledger-key", "--out", k.path("ledger.key"), "--origin", "keys.example/records"))
	access := k.generate("access", "keys.example/access")
	if _, err := ledger.NewPolicy(access); err != nil || !strings.HasPrefix(access, "keys.example/access+") {
		t.Errorf("%q: %v", access, err)
	}
	out := k.run(1, append([]string{"ledger-key", "--origin", "keys.example/access"}, k.held("--pkcs11-", "access")...)...)
	if !strings.Contains(out, "exists") {
		t.Errorf("a second key of that label: %s", out)
	}
	for want, args := range map[string][]string{
		fmt.Sprintf("records keys.example/records %s\naccess keys.example/access %s\n", records, access): {"--config", k.config},
		records + "\n": {"--config", k.config, "--log", "records"},
		access + "\n":  {"--config", k.config, "--log", "access"},
	} {
		if got := k.run(0, append([]string{"ledger", "key"}, args...)...); got != want {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
	if got := k.run(0, "ledger", "key", "--key-file", k.path("ledger.key")); got != records+"\n" {
		t.Errorf("of a file: %q", got)
	}
	alone := append([]string{"ledger", "key", "--origin", "keys.example/access"}, k.held("--pkcs11-", "access")...)
	if got := k.run(0, alone...); got != access+"\n" {
		t.Errorf("of a token: %q", got)
	}
	if out := k.run(1, append(alone[:len(alone)-1:len(alone)-1], "none")...); !strings.Contains(out, "no such key") {
		t.Errorf("no key of that label: %s", out)
	}
	for _, args := range [][]string{
		{"ledger"},
		{"ledger", "keys"},
		{"ledger", "key"},
		{"ledger", "key", "--config", k.config, "--key-file", k.path("ledger.key")},
		{"ledger", "key", "--config", k.config, "--log", "reads"},
		{"ledger", "key", "--log", "records", "--key-file", k.path("ledger.key")},
		{"ledger", "key", "--pkcs11-module", k.module, "--origin", "x"},
		append([]string{"ledger", "key"}, k.held("--pkcs11-", "access")...),
		{"ledger-key", "--origin", "x"},
		append([]string{"ledger-key", "--origin", "x", "--out", k.path("x")}, k.held("--pkcs11-", "x")...),
		{"ledger", "rotate-key", "--config", k.config, "--log", "records"},
		{"ledger", "rotate-key", "--config", k.config, "--log", "records", "--new-pkcs11-module", k.module},
		{"ledger", "rotate-key", "--config", k.config, "--log", "reads", "--new-key", k.path("x")},
		append([]string{"ledger", "rotate-key", "--config", k.config, "--log", "records", "--new-key", k.path("x")}, k.held("--new-pkcs11-", "x")...),
	} {
		k.run(2, args...)
	}
}

// TestRotateOnTokens: a log goes on under a key on a token, under another one there, and under one in a file again; each rotation is
// run twice, as if the first had been cut short.
func TestRotateOnTokens(t *testing.T) {
	k := newLogKeys(t)
	const origin = "keys.example/records"
	keys := []string{strings.TrimSpace(k.run(0, "ledger-key", "--out", k.path("ledger.key"), "--origin", origin))}
	k.generate("access", "keys.example/access")
	first, second := k.generate("first", origin), k.generate("second", origin)
	last := strings.TrimSpace(k.run(0, "ledger-key", "--out", k.path("ledger-2.key"), "--origin", origin))
	onToken := func(label string) string {
		return fmt.Sprintf("pkcs11: {module: %q, token: \"logs\", pin_file: %q, key: %q, origin: %q}", k.module, k.path("pin"), label, origin)
	}
	for _, to := range []struct {
		vkey, setting string
		flags         []string
	}{
		{first, onToken("first"), k.held("--new-pkcs11-", "first")},
		{second, onToken("second"), k.held("--new-pkcs11-", "second")},
		{last, "key_file: " + k.path("ledger-2.key"), []string{"--new-key", k.path("ledger-2.key")}},
	} {
		before := k.config
		keys = append([]string{to.vkey}, keys...)
		for range 2 {
			out := k.run(0, append([]string{"ledger", "rotate-key", "--config", before, "--log", "records"}, to.flags...)...)
			want := strings.Replace(to.setting, ": ", " to ", 1)
			if !strings.Contains(out, "set ledger."+want) || !strings.HasSuffix(out, "log "+strings.Join(keys, "\nlog ")+"\nquorum none\n") {
				t.Fatalf("want %q and the keys %q\n%s", want, keys, out)
			}
			if strings.Contains(out, "123456") {
				t.Error("the PIN is shown")
			}
		}
		k.use(to.setting)
		if got := k.run(0, "ledger", "key", "--config", k.config, "--log", "records"); got != to.vkey+"\n" {
			t.Errorf("the configuration has the key %q", got)
		}
		k.published(keys)
	}
	k.use(onToken("first"))
	back := append([]string{"ledger", "rotate-key", "--config", k.config, "--log", "records"}, k.held("--new-pkcs11-", "second")...)
	if out := k.run(1, back...); !strings.Contains(out, last) {
		t.Errorf("from a key that has had its time: %s", out)
	}
}

// published demands that what strangers read is a checkpoint that the newest key has signed, with a leaf for each change.
func (k *logKeys) published(keys []string) {
	k.t.Helper()
	policy, err := ledger.ParsePolicy([]byte("log " + strings.Join(keys, "\nlog ") + "\nquorum none\n"))
	if err != nil {
		k.t.Fatal(err)
	}
	public, err := objects.OpenPublic(k.t.Context(), k.bucket, defaultPublicPrefix+"/"+recordsLog)
	if err != nil {
		k.t.Fatal(err)
	}
	signed, err := tiles.NewClient(public).Checkpoint(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	c, err := policy.OpenCheckpoint(signed)
	if err != nil || c.Size != uint64(len(keys)-1) || c.Key != keys[0] {
		k.t.Errorf("published: %+v, %v", c, err)
	}
}
