package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"trien/api/client"
	"trien/api/wire"
)

const (
	killRounds   = 20
	killDeposits = 200
	killClients  = 6
)

// TestKillWhileDepositing kills the server at random moments while many deposit. Every acknowledged version must be there,
// readable and logged; and once the sweeper has run nothing else may be in the object store.
func TestKillWhileDepositing(t *testing.T) {
	dir := vaultFolder(t)
	serve := func() *server { return startStandalone(t, dir, "--upload-grace", "2s") }
	s := serve()
	k := &killed{t: t, dir: dir, acknowledged: map[string]string{}}
	k.prepare(s)
	var left sync.WaitGroup
	next := make(chan struct{}, killDeposits)
	for range killClients {
		left.Go(func() {
			for range next {
				k.deposit()
			}
		})
	}
	for range killRounds {
		// Every kill meets fresh deposits, and whatever the last one interrupted.
		for range killDeposits / killRounds {
			next <- struct{}{}
		}
		time.Sleep(randomUpTo(1500 * time.Millisecond))
		s.kill()
		s = serve()
		k.at(s)
	}
	close(next)
	left.Wait()
	t.Logf("%d kills, %d acknowledged, %d attempts failed", killRounds, len(k.acknowledged), k.failed)
	if len(k.acknowledged) != killDeposits {
		t.Errorf("%d deposits were acknowledged in the end, want %d", len(k.acknowledged), killDeposits)
	}
	k.check(s)
	objectsLeft(t, dir, len(k.acknowledged))
	s.stop()
}

func randomUpTo(d time.Duration) time.Duration {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(d)))
	if err != nil {
		panic(err)
	}
	return time.Duration(n.Int64())
}

// killed is a vault that is killed while clients deposit.
type killed struct {
	t        *testing.T
	dir      string
	password string
	token    string
	dossier  string

	mu           sync.Mutex
	url          string
	acknowledged map[string]string // version → SHA-256
	failed       int
}

func (k *killed) prepare(s *server) {
	k.t.Helper()
	admin := s.signIn(adminLogin, secret(k.t, k.dir, "admin-password"))
	me, err := admin.Me(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	k.password = rand.Text()
	_, err = admin.CreateAccount(k.t.Context(), wire.NewAccount{
		Login: "vanthu", Name: "Văn Thư Mẫu", Password: k.password, Unit: me.Unit, Role: "staff",
	})
	if err != nil {
		k.t.Fatal(err)
	}
	staff := s.signIn("vanthu", k.password)
	k.token = staff.Token()
	d, err := staff.OpenDossier(k.t.Context(), wire.NewDossier{
		Register: "cadre", Subject: wire.Subject{Name: "Nguyễn Minh Họa"},
	})
	if err != nil {
		k.t.Fatal(err)
	}
	k.dossier = d.ID
	k.at(s)
}

func (k *killed) at(s *server) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.url = s.url
}

// deposit puts one random document in, trying until it is acknowledged; a retry comes under the same idempotency key.
func (k *killed) deposit() {
	size, err := rand.Int(rand.Reader, big.NewInt(3<<20))
	if err != nil {
		k.t.Error(err)
		return
	}
	content := make([]byte, size.Int64()+100)
	rand.Read(content)
	copy(content, `{"noise":"`) // JSON is the kind of file that noise can be dressed as
	for i := 10; i < len(content)-2; i++ {
		content[i] = 'a' + content[i]%26
	}
	copy(content[len(content)-2:], `"}`)
	sum := sha256.Sum256(content)
	want := hex.EncodeToString(sum[:])
	key := rand.Text()
	for range 200 {
		version, err := k.try(content, want, key)
		if err == nil {
			k.mu.Lock()
			k.acknowledged[version] = want
			k.mu.Unlock()
			return
		}
		k.mu.Lock()
		k.failed++
		k.mu.Unlock()
		time.Sleep(200 * time.Millisecond)
	}
	k.t.Error("a deposit was never acknowledged")
}

func (k *killed) try(content []byte, sum, key string) (string, error) {
	k.mu.Lock()
	url := k.url
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := client.New(client.Config{Server: url, CAFile: filepath.Join(k.dir, "ca.pem"), Language: "en"})
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetToken(k.token) // sessions outlive the server
	done, err := c.Deposit(ctx, client.Deposit{
		Dossier: k.dossier, Kind: "cadre.decision", Title: "Nhiễu", Origin: "declared", Content: bytes.NewReader(content),
		Size: int64(len(content)), SHA256: sum, IdempotencyKey: key,
	})
	if err != nil {
		return "", err
	}
	if done.Version.SHA256 != sum {
		k.t.Errorf("version %s was acknowledged with another hash", done.Version.ID)
	}
	return done.Version.ID, nil
}

// check reads every acknowledged version back, and its receipt.
func (k *killed) check(s *server) {
	k.t.Helper()
	c := s.signIn("vanthu", k.password)
	for version, want := range k.acknowledged {
		sum := sha256.New()
		if _, err := c.Content(k.t.Context(), version, "", sum); err != nil {
			k.t.Errorf("version %s is lost: %v", version, err)
			continue
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != want {
			k.t.Errorf("version %s has hash %s, want %s", version, got, want)
		}
		if _, err := c.Receipt(k.t.Context(), version, true); err != nil {
			k.t.Errorf("version %s has no receipt: %v", version, err)
		}
	}
	view, err := c.Dossier(k.t.Context(), k.dossier)
	if err != nil {
		k.t.Fatal(err)
	}
	if len(view.Records) != len(k.acknowledged) {
		k.t.Errorf("the dossier holds %d records, %d were acknowledged", len(view.Records), len(k.acknowledged))
	}
}

// objectsLeft waits for the sweeper and holds that so many objects are left in a standalone vault's store, beside the public copy of its logs.
func objectsLeft(t *testing.T, dir string, want int) {
	t.Helper()
	count := func() (n int, err error) {
		err = filepath.WalkDir(filepath.Join(dir, "objects", "data"), func(path string, e os.DirEntry, err error) error {
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			// Empty files that the S3 server locks keys by; and tiles, of which there are as many as the time between checkpoints made.
			if err == nil && (e.Name() == ".vgwlocks" || e.Name() == "public") {
				return filepath.SkipDir
			}
			if err == nil && e.Type().IsRegular() {
				n++
			}
			return err
		})
		return n, err
	}
	var n int
	for range 100 {
		var err error
		if n, err = count(); err != nil {
			t.Fatal(err)
		}
		if n == want {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Errorf("%d files are in the object store for %d versions", n, want)
}
