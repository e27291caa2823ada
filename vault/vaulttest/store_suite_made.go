package vaulttest

import (
	"crypto/rand"
	"time"

	"trien/ledger"
	"trien/signing"
	"trien/vault"
)

func (w *world) account(login string, role vault.Role) vault.Account {
	return vault.Account{
		ID: vault.AccountID{UUID: id()}, Login: login, Name: "Trần Thị " + login, Post: "Chuyên viên", Unit: w.unit.ID, Role: role,
		Password: "$argon2id$" + vault.PasswordHash(login), Created: w.now, Clearance: vault.Unclassified,
	}
}

func (w *world) newDossier(name, number string) vault.Dossier {
	d := vault.Dossier{
		ID: vault.DossierID{UUID: id()}, Register: vault.Party, Unit: w.unit.ID, Created: w.now, Secrecy: vault.Unclassified, Highest: vault.Unclassified,
		Subject: vault.Subject{Name: name, BirthDate: "1980-02-29", PersonalNumber: number},
	}
	w.dossiers = append(w.dossiers, d.ID)
	return d
}

// stage begins an upload.
func (w *world) stage() vault.Upload {
	w.Helper()
	u := w.newUpload("")
	done, err := w.BeginUpload(w.Context(), u)
	if err != nil || !done.IsZero() {
		w.Fatalf("BeginUpload: %v, %v", done, err)
	}
	return u
}

func (w *world) newUpload(key string) vault.Upload {
	u := vault.Upload{
		ID: vault.UploadID{UUID: id()}, Account: w.staff.ID, IdempotencyKey: key, Fingerprint: digest("request " + key),
		ObjectKey: "o/" + rand.Text(), Started: w.now,
	}
	w.objects = append(w.objects, u.ObjectKey)
	return u
}

// newVersion fills in a commit of u. A zero record: a new one.
func (w *world) newVersion(u vault.Upload, record vault.RecordID, previous vault.Version) vault.NewVersion {
	n := vault.NewVersion{Upload: u.ID, Event: w.event(vault.Deposit)}
	if record.IsZero() {
		record = vault.RecordID{UUID: id()}
		n.Record = &vault.Record{ID: record, Dossier: w.dossier.ID, Kind: "party.member_slip", Title: "Phiếu đảng viên", Created: w.now, Secrecy: vault.Unclassified}
	}
	v := vault.VersionID{UUID: id()}
	n.Version = vault.Version{
		ID: v, Record: record, Dossier: w.dossier.ID, Register: w.dossier.Register, Number: previous.Number + 1, Previous: previous.ID,
		Kind: "party.member_slip", Manifest: []byte("manifest of " + v.String()), MediaType: "application/pdf", Size: 12345,
		SHA256: digest("plain" + v.String()), ObjectSHA256: digest("object" + v.String()), Origin: vault.Declared, Actor: w.staff.ID,
		Unit: w.unit.ID, Basis: "QĐ 1/2026", Time: w.now, SealedSalt: []byte("sealed salt"),
		Object:   vault.SealedObject{Key: u.ObjectKey, Size: 12400, WrappedKey: []byte("wrapped key")},
		Identity: ledger.VersionIdentity(v.UUID), Leaf: ledger.VersionLeaf("party", ledger.NewSalt(), []byte("manifest of "+v.String())),
	}
	return n
}

// deposit commits a version; a zero record: of a new one.
func (w *world) deposit(record vault.RecordID, previous vault.Version) vault.Version {
	w.Helper()
	n := w.newVersion(w.stage(), record, previous)
	w.must("CommitVersion", w.CommitVersion(w.Context(), n))
	return n.Version
}

func (w *world) newJob(v vault.Version) vault.Job {
	j := vault.Job{
		ID: vault.JobID{UUID: id()}, Purpose: vault.Approval, Signer: w.official.ID, Dossier: w.dossier.ID, Version: v.ID,
		Register: w.dossier.Register, Title: "Phiếu đảng viên", Reason: "Phê duyệt", Pages: 2, State: vault.Waiting, Created: w.now,
		Expires: w.now.Add(time.Hour), Algorithm: signing.RSASHA256, Digest: rangeDigest(), ByteRange: [4]int64{0, 10, 20, 30}, Size: 50,
		Certificate: []byte("certificate"), Prepared: []byte("prepared"),
	}
	w.jobs = append(w.jobs, j.ID)
	return j
}

func (w *world) newExport(u vault.Upload) (vault.Export, vault.Job) {
	j := w.newJob(vault.Version{})
	x := vault.Export{
		ID: vault.ExportID{UUID: id()}, Dossier: w.dossier.ID, Requester: w.staff.ID, Signer: w.official.ID, Recipient: w.staff.ID,
		Purpose: "Bổ nhiệm", State: vault.Waiting, Job: j.ID, Created: w.now, Size: 700, SHA256: digest("export"),
		Object: vault.SealedObject{Key: u.ObjectKey, Size: 800, WrappedKey: []byte("wrapped key")},
	}
	j.Purpose, j.Export = vault.ExportApproval, x.ID
	return x, j
}

// export commits a waiting export with its job.
func (w *world) export() (vault.Export, vault.Job) {
	w.Helper()
	u := w.stage()
	x, j := w.newExport(u)
	w.must("CommitExport", w.CommitExport(w.Context(), u.ID, x, j, w.event(vault.ExportDossier)))
	return x, j
}

// sealed is x as its sealing in upload u makes it.
func sealed(x vault.Export, u vault.Upload) vault.Export {
	x.State, x.Size, x.SHA256 = vault.Signed, 900, digest("sealed export")
	x.Object = vault.SealedObject{Key: u.ObjectKey, Size: 950, WrappedKey: []byte("other wrapped key")}
	return x
}
