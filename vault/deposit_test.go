package vault_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"trien/ledger"
	"trien/vault"
)

func TestDepositDiscloseReceipt(t *testing.T) {
	r := newRig(t)
	r.work()
	d := r.dossier()
	content := samplePDF()
	sum := ledger.Hash(sha256.Sum256(content))
	n := cv(d)
	n.SHA256, n.Size, n.Basis = &sum, int64(len(content)), "QĐ 12-QĐ/TW"
	v := r.deposit(n, content)
	if v.Number != 1 || v.MediaType != "application/pdf" || v.SHA256 != sum || v.Size != int64(len(content)) {
		t.Errorf("got %+v", v)
	}
	if got := r.read(r.signer, v.ID); !bytes.Equal(got, content) {
		t.Error("what was disclosed is not what was deposited")
	}
	proof, err := r.Receipt(t.Context(), r.auditor, v.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	m, err := ledger.ParseManifest(proof.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	if m.Version != v.ID.UUID || m.SHA256 != sum || m.Basis != n.Basis || m.Actor != r.staff.Account.UUID || m.Unit != r.unit.ID.UUID || !m.Previous.IsZero() {
		t.Errorf("manifest %+v", m)
	}
	receipt, err := ledger.ParseReceipt(proof.Receipt)
	if err != nil {
		t.Fatal(err)
	}
	leaf := ledger.VersionLeaf("cadre", proof.Salt, proof.Manifest)
	if _, err := ledger.Verify(r.Policy(), leaf, receipt); err != nil {
		t.Error(err)
	}
	view, err := r.Dossier(t.Context(), r.staff, d.ID)
	if err != nil || len(view.Records) != 1 || len(view.Records[0].Versions) != 1 || view.UnitName != r.unit.Name {
		t.Errorf("got %+v, %v", view, err)
	}
}

func TestEveryReadIsRecorded(t *testing.T) {
	r := newRig(t)
	v := r.deposit(cv(r.dossier()), samplePDF())
	r.read(r.staff, v.ID)
	got := r.events(vault.Disclose, vault.Done)
	if len(got) != 1 || got[0].Account != r.staff.Account || got[0].Target.Version != v.ID || got[0].Purpose != "kiểm thử" {
		t.Errorf("got %+v", got)
	}
}

func TestVersionsFollowEachOther(t *testing.T) {
	r := newRig(t)
	first := r.deposit(cv(r.dossier()), samplePDF())
	second := r.deposit(vault.NewDeposit{Record: first.Record, Origin: vault.Declared}, sampleFile("research", "research.proposal"))
	if second.Number != 2 || second.Previous != first.ID {
		t.Errorf("got number %d after %v", second.Number, second.Previous)
	}
	m, err := ledger.ParseManifest(second.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	if m.Previous != ledger.Hash(sha256.Sum256(first.Manifest)) {
		t.Error("the manifest does not name the one before")
	}
	if !bytes.Equal(r.read(r.staff, first.ID), samplePDF()) {
		t.Error("the first version has changed")
	}
}

func TestMediaTypes(t *testing.T) {
	r := newRig(t)
	for media, content := range map[string][]byte{
		"application/pdf":  sampleFile("cadre", "cadre.decision"),
		"image/jpeg":       sampleFile("party", "party.transfer"),
		"image/png":        sampleFile("health", "health.class"),
		"image/tiff":       sampleFile("training", "training.certificate"),
		"application/xml":  sampleFile("cadre", "cadre.supplement_slip"),
		"application/json": sampleFile("health", "health.summary"),
	} {
		v := r.deposit(cv(r.dossier()), content)
		if v.MediaType != media {
			t.Errorf("got %s, want %s", v.MediaType, media)
		}
	}
}

func TestRefusedDepositsLeaveNothingBehind(t *testing.T) {
	r := newRig(t, func(c *vault.Config) { c.Limits.MaxSize = 1 << 20 })
	d := r.dossier()
	pdf := samplePDF()
	wrong := ledger.Hash{1}
	broken := errors.New("the line is dead")
	jpeg, png := sampleFile("party", "party.transfer"), sampleFile("health", "health.class")
	for name, tt := range map[string]struct {
		content io.Reader
		change  func(*vault.NewDeposit)
		want    error
	}{
		"empty":             {content: strings.NewReader(""), want: vault.ErrEmpty},
		"not taken":         {content: strings.NewReader("MZ a program"), want: vault.ErrMediaType},
		"HTML":              {content: strings.NewReader("<html><script>"), want: vault.ErrMediaType},
		"too large":         {content: io.MultiReader(bytes.NewReader(pdf), bytes.NewReader(random(2<<20))), want: vault.ErrTooLarge},
		"truncated PDF":     {content: bytes.NewReader(pdf[:len(pdf)/2]), want: vault.ErrDamaged},
		"PDF header alone":  {content: strings.NewReader("%PDF-1.7\n"), want: vault.ErrDamaged},
		"encrypted PDF":     {content: bytes.NewReader(encryptedPDF), want: vault.ErrEncryptedPDF},
		"truncated JPEG":    {content: bytes.NewReader(jpeg[:len(jpeg)/2]), want: vault.ErrDamaged},
		"truncated PNG":     {content: bytes.NewReader(png[:len(png)-20]), want: vault.ErrDamaged},
		"half a TIFF":       {content: strings.NewReader("II*\x00\x08\x00\x00\x00"), want: vault.ErrDamaged},
		"broken JSON":       {content: strings.NewReader(`{"a": [1, 2}`), want: vault.ErrDamaged},
		"cut JSON":          {content: strings.NewReader(`{"a": [1, 2`), want: vault.ErrDamaged},
		"broken XML":        {content: strings.NewReader(`<?xml version="1.0"?><a><b></a>`), want: vault.ErrDamaged},
		"cut XML":           {content: strings.NewReader(`<?xml version="1.0"?><a><b></b>`), want: vault.ErrDamaged},
		"empty XML":         {content: strings.NewReader(`<?xml version="1.0"?>`), want: vault.ErrDamaged},
		"other hash":        {content: bytes.NewReader(pdf), change: func(n *vault.NewDeposit) { n.SHA256 = &wrong }, want: vault.ErrDigestMismatch},
		"smaller than said": {content: bytes.NewReader(pdf), change: func(n *vault.NewDeposit) { n.Size = int64(len(pdf)) + 1 }, want: vault.ErrSizeMismatch},
		"larger than said":  {content: bytes.NewReader(pdf), change: func(n *vault.NewDeposit) { n.Size = int64(len(pdf)) - 1 }, want: vault.ErrSizeMismatch},
		"said too large":    {content: bytes.NewReader(pdf), change: func(n *vault.NewDeposit) { n.Size = 2 << 20 }, want: vault.ErrTooLarge},
		"line dies":         {content: io.MultiReader(bytes.NewReader(pdf[:3000]), iotest.ErrReader(broken)), want: broken},
		"client goes away":  {content: io.MultiReader(bytes.NewReader(pdf[:3000]), iotest.ErrReader(io.ErrUnexpectedEOF)), want: vault.ErrInterrupted},
		"gone at once":      {content: iotest.ErrReader(io.ErrUnexpectedEOF), want: vault.ErrInterrupted},
		"unknown kind":      {content: bytes.NewReader(pdf), change: func(n *vault.NewDeposit) { n.Kind = "party.member_slip" }, want: vault.ErrInvalid},
		"unknown origin":    {content: bytes.NewReader(pdf), change: func(n *vault.NewDeposit) { n.Origin = "found" }, want: vault.ErrInvalid},
		"no title":          {content: bytes.NewReader(pdf), change: func(n *vault.NewDeposit) { n.Title = "" }, want: vault.ErrInvalid},
		"basis of lines":    {content: bytes.NewReader(pdf), change: func(n *vault.NewDeposit) { n.Basis = "a\nb" }, want: vault.ErrInvalid},
		"unknown dossier":   {content: bytes.NewReader(pdf), change: func(n *vault.NewDeposit) { n.Dossier = vault.DossierID{} }, want: vault.ErrNotFound},
		"unknown record":    {content: bytes.NewReader(pdf), change: func(n *vault.NewDeposit) { n.Record.UUID[0] = 1 }, want: vault.ErrNotFound},
		"key with newlines": {content: bytes.NewReader(pdf), change: func(n *vault.NewDeposit) { n.IdempotencyKey = "a\nb" }, want: vault.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			n := cv(d)
			if tt.change != nil {
				tt.change(&n)
			}
			_, err := r.Deposit(t.Context(), r.staff, n, tt.content)
			want(t, err, tt.want)
			if keys := r.stored(); len(keys) > 0 {
				t.Errorf("left %v", keys)
			}
		})
	}
	view, err := r.Dossier(t.Context(), r.staff, d.ID)
	if err != nil || len(view.Records) > 0 {
		t.Errorf("left records %v, %v", view.Records, err)
	}
	if n, _, err := r.store.PendingEntries(t.Context()); err != nil || n > 0 {
		t.Errorf("left %d pending entries, %v", n, err)
	}
	if _, err := r.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestIdempotencyKeyMakesOneVersion(t *testing.T) {
	r := newRig(t)
	n := cv(r.dossier())
	n.IdempotencyKey = "k-1"
	first := r.deposit(n, samplePDF())
	again, err := r.Deposit(t.Context(), r.staff, n, bytes.NewReader(samplePDF()))
	if err != nil || again.ID != first.ID {
		t.Errorf("got %v, %v; want %v", again.ID, err, first.ID)
	}
	other := n
	other.Title = "Khác"
	_, err = r.Deposit(t.Context(), r.staff, other, bytes.NewReader(samplePDF()))
	want(t, err, vault.ErrKeyReused)
	if len(r.stored()) != 1 {
		t.Errorf("stored %v", r.stored())
	}
	// Another account's key is another key.
	v, err := r.Deposit(t.Context(), r.signer, n, bytes.NewReader(samplePDF()))
	if err != nil || v.ID == first.ID {
		t.Errorf("got %v, %v", v.ID, err)
	}
}

func TestTheSameKeyAtOnceMakesOneVersion(t *testing.T) {
	r := newRig(t)
	n := cv(r.dossier())
	n.IdempotencyKey = "k-2"
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := map[vault.VersionID]bool{}
	for range 8 {
		wg.Go(func() {
			v, err := r.Deposit(t.Context(), r.staff, n, bytes.NewReader(samplePDF()))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made[v.ID] = true
			} else if !errors.Is(err, vault.ErrInProgress) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(made) != 1 || len(r.stored()) != 1 {
		t.Errorf("made %v, stored %v", made, r.stored())
	}
}

func TestDepositsIntoOneRecordAtOnce(t *testing.T) {
	r := newRig(t)
	first := r.deposit(cv(r.dossier()), samplePDF())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			n := vault.NewDeposit{Record: first.Record, Origin: vault.Declared}
			if _, err := r.Deposit(t.Context(), r.staff, n, bytes.NewReader(samplePDF())); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	latest, err := r.store.LatestVersion(t.Context(), first.Record)
	if err != nil || latest.Number != 5 {
		t.Errorf("got number %d, %v", latest.Number, err)
	}
}

func TestSweepRemovesWhatADeadProcessLeft(t *testing.T) {
	r := newRig(t)
	kept := r.deposit(cv(r.dossier()), samplePDF())
	// What a process leaves that dies between put and commit.
	u := vault.Upload{Account: r.staff.Account, ObjectKey: "o/dead", Started: r.clock.Now()}
	copy(u.ID.UUID[:], random(16))
	if _, err := r.store.BeginUpload(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	if _, err := r.objects.Put(t.Context(), u.ObjectKey, strings.NewReader("ciphertext"), -1); err != nil {
		t.Fatal(err)
	}
	if swept, err := r.Sweep(t.Context()); err != nil || swept.Objects != 0 {
		t.Errorf("within the grace period: %+v, %v", swept, err)
	}
	r.clock.Advance(time.Hour)
	swept, err := r.Sweep(t.Context())
	if err != nil || swept.Uploads != 1 || swept.Objects != 1 {
		t.Errorf("got %+v, %v", swept, err)
	}
	if keys := r.stored(); len(keys) != 1 || keys[0] != kept.Object.Key {
		t.Errorf("stored %v", keys)
	}
}

func TestReceiptIsNotThereBeforeTheLedgerHasIt(t *testing.T) {
	r := newRig(t, func(c *vault.Config) { c.Limits.ReceiptWait = 50 * time.Millisecond })
	v := r.deposit(cv(r.dossier()), samplePDF())
	for _, wait := range []bool{false, true} {
		_, err := r.Receipt(t.Context(), r.staff, v.ID, wait)
		want(t, err, vault.ErrNotLogged)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { time.Sleep(10 * time.Millisecond); cancel() }()
	_, err := r.Receipt(ctx, r.staff, v.ID, true)
	want(t, err, context.Canceled)
	r.work()
	r.eventually(func() bool {
		x, err := r.store.Version(t.Context(), v.ID)
		return err == nil && x.Logged()
	})
}

func (r *rig) eventually(ok func() bool) {
	r.t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Error("it did not happen within five seconds")
}

func TestTamperedCiphertextIsNotDisclosed(t *testing.T) {
	r := newRig(t)
	d := r.dossier()
	a, b := r.deposit(cv(d), samplePDF()), r.deposit(cv(d), samplePDF())
	// Somebody with the bucket's keys puts one object in the place of another.
	other, err := r.objects.Open(t.Context(), b.Object.Key, b.Object.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := r.objects.Delete(t.Context(), a.Object.Key); err != nil {
		t.Fatal(err)
	}
	if _, err := r.objects.Put(t.Context(), a.Object.Key, io.NewSectionReader(other, 0, b.Object.Size), -1); err != nil {
		t.Fatal(err)
	}
	c, err := r.Disclose(t.Context(), r.staff, a.ID, "")
	if err == nil {
		_, err = io.ReadAll(io.NewSectionReader(c, 0, c.Size))
	}
	want(t, err, vault.ErrTampered)
}
