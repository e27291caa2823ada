package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"trien/api/client"
	"trien/api/wire"
	"trien/ledger"
)

const (
	accessKills   = 6
	accessReaders = 4
)

// TestKillWhileReading kills the server at random moments while many read. Every read that was answered must be in the access
// record, and every line of that in exactly one place of one leaf of the access log.
func TestKillWhileReading(t *testing.T) {
	dir := vaultFolder(t)
	s := startStandalone(t, dir)
	k := &killed{t: t, dir: dir, acknowledged: map[string]string{}}
	k.prepare(s)
	version, err := k.try([]byte(`{"a":"b"}`), "db4a7ecb114bc66c623a06c4ff6fe8daa2f49cc270ebbf7a1f81e22ab061c837", rand.Text())
	if err != nil {
		t.Fatal(err)
	}
	auditor := addAuditor(t, s, dir)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for reader := range accessReaders {
		readers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				case <-time.After(20 * time.Millisecond):
					k.read(version, fmt.Sprintf("lần đọc %d-%d", reader, i))
				}
			}
		})
	}
	for range accessKills {
		time.Sleep(500*time.Millisecond + randomUpTo(1500*time.Millisecond))
		s.kill()
		s = startStandalone(t, dir)
		k.at(s)
	}
	close(done)
	readers.Wait()
	c := s.signIn("kiemtoan", auditor)
	events := allEvents(t, c)
	recorded := map[string]bool{}
	for _, e := range events {
		recorded[e.Purpose] = true
	}
	for purpose := range k.acknowledged {
		if !recorded[purpose] {
			t.Errorf("read %q was answered and is not in the record", purpose)
		}
	}
	leaves := placesOf(t, c, events, accessPolicy(t, dir))
	t.Logf("%d kills, %d reads answered, %d failed, %d events in %d leaves", accessKills, len(k.acknowledged), k.failed, len(events), len(leaves))
	s.stop()
}

// read reads a version once for a purpose of its own, and notes it if it was answered.
func (k *killed) read(version, purpose string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	k.mu.Lock()
	url := k.url
	k.mu.Unlock()
	c, err := client.New(client.Config{Server: url, CAFile: filepath.Join(k.dir, "ca.pem"), Language: "en"})
	if err != nil {
		k.t.Error(err)
		return
	}
	defer c.Close()
	c.SetToken(k.token)
	_, err = c.Content(ctx, version, purpose, io.Discard)
	k.mu.Lock()
	if err == nil {
		k.acknowledged[purpose] = version
	} else {
		k.failed++
	}
	k.mu.Unlock()
	if err != nil {
		time.Sleep(100 * time.Millisecond) // while the server is down
	}
}

func addAuditor(t *testing.T, s *server, dir string) (password string) {
	t.Helper()
	admin := s.signIn(adminLogin, secret(t, dir, "admin-password"))
	me, err := admin.Me(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	password = rand.Text()
	_, err = admin.CreateAccount(t.Context(), wire.NewAccount{
		Login: "kiemtoan", Name: "Kiểm Toán Mẫu", Password: password, Unit: me.Unit, Role: "auditor",
	})
	if err != nil {
		t.Fatal(err)
	}
	return password
}

// allEvents reads the access record to its beginning.
func allEvents(t *testing.T, c *client.Client) []wire.Event {
	t.Helper()
	var all []wire.Event
	q := client.EventQuery{Limit: 500}
	for {
		page, err := c.AccessRecord(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Items...)
		if q.After = page.Next; q.After == "" {
			return all
		}
	}
}

// accessPolicy names the key of the access log.
func accessPolicy(t *testing.T, dir string) *ledger.Policy {
	t.Helper()
	key, err := ledger.ReadSigningKey(filepath.Join(dir, "secrets", "ledger-access.key"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := ledger.NewPolicy(key.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// placesOf asks for the proof of every event as an auditor does, judges it, and holds that no two events have one place and, but for
// the newest leaf, that no place is without its event. It returns the events found in each leaf.
func placesOf(t *testing.T, c *client.Client, events []wire.Event, policy *ledger.Policy) map[uint64]map[int]string {
	t.Helper()
	leaves, counts, newest := map[uint64]map[int]string{}, map[uint64]int{}, uint64(0)
	for _, e := range events {
		p := proofOf(t, c, e.ID)
		proof, err := ledger.ParseEventProof([]byte(p.Proof))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.VerifyEvent(policy, []byte(p.Text), ledger.Salt(p.Salt), proof); err != nil {
			t.Fatalf("event %s: %v", e.ID, err)
		}
		leaf := proof.Receipt.Index
		if leaves[leaf] == nil {
			leaves[leaf] = map[int]string{}
		}
		if other, taken := leaves[leaf][proof.Index]; taken {
			t.Errorf("events %s and %s are both event %d of leaf %d", other, e.ID, proof.Index, leaf)
		}
		leaves[leaf][proof.Index], counts[leaf], newest = e.ID, proof.Count, max(newest, leaf)
	}
	for leaf := range newest {
		if len(leaves[leaf]) == 0 || len(leaves[leaf]) != counts[leaf] {
			t.Errorf("leaf %d stands for %d events, of which %d are in the record", leaf, counts[leaf], len(leaves[leaf]))
		}
	}
	return leaves
}

func proofOf(t *testing.T, c *client.Client, event string) wire.EventProof {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		p, err := c.EventProof(t.Context(), event)
		switch {
		case err == nil:
			return p
		case !client.HasCode(err, "not_logged") || time.Now().After(deadline):
			t.Fatalf("the proof of event %s: %v", event, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
