package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"

	"trien/ledger"
	"trien/ledger/audit"
	"trien/ledger/tiles"
)

// publisher writes the logs of a script, all with one key: "vault.example/records". What it is told to sign it signs.
type publisher struct {
	key  *ledger.SigningKey
	logs map[string]*publishedLog // by folder
}

type publishedLog struct {
	dir    string
	edge   tiles.Edge
	leaves []ledger.Leaf
}

type publisherKey struct{}

func newPublisher(e *testscript.Env) error {
	key, err := ledger.GenerateSigningKey("vault.example/records")
	if err != nil {
		return err
	}
	policy, err := ledger.NewPolicy(key.VerifierKey())
	if err != nil {
		return err
	}
	e.Values[publisherKey{}] = &publisher{key: key, logs: map[string]*publishedLog{}}
	return os.WriteFile(filepath.Join(e.WorkDir, "log-policy.txt"), policy.Text(), 0o600)
}

func (l *publishedLog) write(path string, data []byte) error {
	path = filepath.Join(l.dir, filepath.FromSlash(path))
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600))
}

func (l *publishedLog) append(leaf ledger.Leaf) (err error) {
	l.leaves = append(l.leaves, leaf)
	return errors.Join(l.edge.Append(leaf, func(b tiles.Blob) { err = errors.Join(err, l.write(b.Tile.Path(), b.Data)) }), err)
}

// publish signs the log as it is, the given time ago.
func (p *publisher) publish(l *publishedLog, ago time.Duration) error {
	for _, b := range l.edge.Partials() {
		if err := l.write(b.Tile.Path(), b.Data); err != nil {
			return err
		}
	}
	signed, err := ledger.SignCheckpoint(p.key.Signer(), l.edge.Size(), l.edge.Root())
	if err == nil {
		signed, err = ledger.SignTime(p.key.Signer(), signed, time.Now().Add(-ago))
	}
	return errors.Join(err, l.write("checkpoint", signed))
}

// receipt proves a leaf in the log as it is published.
func (l *publishedLog) receipt(ts *testscript.TestScript, index uint64) ledger.Receipt {
	client, err := tiles.OpenClient(l.dir, tiles.HTTPConfig{})
	ts.Check(err)
	n := l.edge.Size()
	path, err := tiles.NewReader(client, 0).At(n).Inclusion(context.Background(), index, n)
	ts.Check(err)
	signed, err := client.Checkpoint(context.Background())
	ts.Check(err)
	return ledger.Receipt{Index: index, Proof: path, Checkpoint: signed}
}

func publisherOf(ts *testscript.TestScript, dir string) (*publisher, *publishedLog) {
	p, ok := ts.Value(publisherKey{}).(*publisher)
	if !ok {
		ts.Fatalf("no publisher")
	}
	if p.logs[dir] == nil {
		p.logs[dir] = &publishedLog{dir: ts.MkAbs(dir)}
	}
	return p, p.logs[dir]
}

// logCommands of scripts.
var logCommands = map[string]func(*testscript.TestScript, bool, []string){
	"grow": grow, "serve": serve, "logged": logged, "inventory": inventory,
}

// grow runs "grow DIR N WORD [AGO]": N leaves more, made of WORD, and a checkpoint.
func grow(ts *testscript.TestScript, _ bool, args []string) {
	p, l := publisherOf(ts, args[0])
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	for range n {
		ts.Check(l.append(ledger.VersionLeaf("party", ledger.Salt{}, fmt.Append(nil, args[2], l.edge.Size()))))
	}
	var ago time.Duration
	if len(args) > 3 {
		ago, err = time.ParseDuration(args[3])
		ts.Check(err)
	}
	ts.Check(p.publish(l, ago))
}

// serve runs "serve DIR NAME": the folder at $NAME, over HTTP on loopback.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	server := httptest.NewServer(http.StripPrefix("/ledger/records/", http.FileServer(http.Dir(ts.MkAbs(args[0])))))
	ts.Defer(server.Close)
	ts.Setenv(args[1], server.URL+"/ledger/records")
}

// logged runs "logged DIR": a version and a batch of events more, and the files that prove them.
func logged(ts *testscript.TestScript, _ bool, args []string) {
	p, l := publisherOf(ts, args[0])
	content := []byte("the original\n")
	manifest, err := ledger.Manifest{
		Version: uuid.New(), Record: uuid.New(), Kind: "party.member_slip", Register: "party", MediaType: "text/plain", Size: int64(len(content)),
		SHA256: sha256.Sum256(content), ObjectSHA256: ledger.Hash{1}, Origin: ledger.OriginDigitised, Actor: uuid.New(), Unit: uuid.New(),
		Time: time.Now().UTC().Truncate(time.Microsecond),
	}.MarshalText()
	ts.Check(err)
	salt := ledger.NewSalt()
	ts.Check(l.append(ledger.VersionLeaf("party", salt, manifest)))
	event, err := ledger.Event{Event: uuid.New(), Time: time.Now().UTC().Truncate(time.Microsecond), Action: "disclose", Outcome: "done"}.MarshalText()
	ts.Check(err)
	batch := ledger.Batch{{7}, ledger.EventCommitment(salt, event), {9}}
	leaf, err := batch.Leaf()
	ts.Check(err)
	ts.Check(l.append(leaf))
	ts.Check(p.publish(l, 0))
	n := l.edge.Size()
	receipt, err := l.receipt(ts, n-2).MarshalText()
	ts.Check(err)
	path, err := batch.Path(1)
	ts.Check(err)
	proof, err := ledger.EventProof{Index: 1, Count: 3, Path: path, Receipt: l.receipt(ts, n-1)}.MarshalText()
	ts.Check(err)
	for name, data := range map[string][]byte{
		"original": content, "manifest": manifest, "salt": []byte(hex.EncodeToString(salt[:]) + "\n"), "salt.bin": salt[:], "receipt": receipt,
		"event": event, "event-proof": proof,
	} {
		ts.Check(os.WriteFile(ts.MkAbs(name), data, 0o600))
	}
}

// inventory runs "inventory DIR FILE": every version of the log, as its vault would list them.
func inventory(ts *testscript.TestScript, _ bool, args []string) {
	_, l := publisherOf(ts, args[0])
	var rows iter.Seq2[audit.Row, error] = func(yield func(audit.Row, error) bool) {
		for i, leaf := range l.leaves {
			if !yield(audit.Row{Kind: audit.Kept, Version: uuid.New(), Leaf: leaf.Hash(), Index: uint64(i)}, nil) {
				return
			}
		}
	}
	var text bytes.Buffer
	ts.Check(audit.WriteInventory(&text, audit.Inventory{Origin: "vault.example/records", Made: time.Now(), Size: l.edge.Size(), Rows: rows}))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), text.Bytes(), 0o600))
}
