package api

import (
	"bytes"
	"encoding/hex"
	"strconv"

	"trien/api/wire"
	"trien/ledger"
	"trien/vault"
)

func toList[A, B any](items []A, to func(A) B) wire.List[B] {
	l := wire.List[B]{Items: make([]B, 0, len(items))}
	for _, i := range items {
		l.Items = append(l.Items, to(i))
	}
	return l
}

func toMe(a vault.Actor) wire.Me {
	return wire.Me{Account: a.Account.String(), Login: a.Login, Name: a.Name, Unit: a.Unit.String(), Role: string(a.Role), MFA: a.MFA, MustEnrol: a.MustEnrol}
}

func toAccount(a vault.Account) wire.Account {
	return wire.Account{
		ID: a.ID.String(), Login: a.Login, Name: a.Name, Post: a.Post, Unit: a.Unit.String(), Role: string(a.Role),
		Certificate: a.Certificate, DeliveryCertificate: a.DeliveryCertificate, Created: a.Created,
		Clearance: string(a.Clearance), ClearedUntil: a.ClearedUntil,
	}
}

func toOfficial(a vault.Account) wire.Official {
	return wire.Official{ID: a.ID.String(), Name: a.Name, Post: a.Post}
}

func toLabel(l vault.Label) wire.Label { return wire.Label{Vi: l.Vi, En: l.En} }

func toRegister(r vault.RegisterInfo) wire.Register {
	return wire.Register{
		Register: string(r.Register), Version: r.Version, Label: toLabel(r.Label),
		DataOwner: toLabel(r.DataOwner), BusinessUnit: toLabel(r.BusinessUnit), Steward: toLabel(r.Steward),
		TechnicalContact: toLabel(r.TechnicalContact), Kinds: toList(r.Kinds, toKind).Items,
	}
}

func toKind(k vault.KindInfo) wire.Kind {
	return wire.Kind{
		Kind: string(k.Kind), Label: toLabel(k.Label), Secrecy: string(k.Secrecy), ClosedToSubject: k.ClosedToSubject, Retired: k.Retired,
	}
}

func toDossier(d vault.Dossier) wire.Dossier {
	return wire.Dossier{
		ID: d.ID.String(), Register: string(d.Register), Unit: d.Unit.String(), Created: d.Created, Secrecy: string(d.Secrecy), Records: d.Records,
		Subject: wire.Subject{Name: d.Subject.Name, BirthDate: d.Subject.BirthDate, PersonalNumber: d.Subject.PersonalNumber},
	}
}

func toDossierView(d vault.DossierView) wire.DossierView {
	return wire.DossierView{
		Dossier: toDossier(d.Dossier), UnitName: d.UnitName,
		Records: toList(d.Records, toRecord).Items, Exports: toList(d.Exports, toExport).Items,
	}
}

func toRecord(r vault.RecordView) wire.Record {
	return wire.Record{
		ID: r.ID.String(), Kind: string(r.Kind), Title: r.Title, Created: r.Created, Secrecy: string(r.Secrecy), Versions: toList(r.Versions, toVersion).Items,
	}
}

func toVersion(v vault.Version) wire.Version {
	w := wire.Version{
		ID: v.ID.String(), Record: v.Record.String(), Dossier: v.Dossier.String(), Register: string(v.Register),
		Kind: string(v.Kind), Number: v.Number, Previous: idText(v.Previous.UUID), MediaType: v.MediaType, Size: v.Size,
		SHA256: v.SHA256.String(), ObjectSHA256: v.ObjectSHA256.String(), Origin: string(v.Origin), Actor: v.Actor.String(),
		Unit: v.Unit.String(), Basis: v.Basis, Time: v.Time, Approval: idText(v.Approval.UUID), Logged: v.Logged(),
	}
	if i, ok := receiptIndex(v.Receipt); ok {
		w.Index = &i
	}
	return w
}

// receiptIndex reads the index out of the first two lines of a receipt, of which lists may carry no more.
func receiptIndex(receipt []byte) (uint64, bool) {
	rest, ok := bytes.CutPrefix(receipt, []byte(ledger.ReceiptFormat+"\nindex "))
	if !ok {
		return 0, false
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	i, err := strconv.ParseUint(string(line), 10, 64)
	return i, err == nil
}

func toProof(id vault.VersionID, p vault.Proof) wire.Proof {
	return wire.Proof{Version: id.String(), Manifest: string(p.Manifest), Salt: p.Salt[:], Receipt: string(p.Receipt)}
}

func toExport(x vault.Export) wire.Export {
	return wire.Export{
		ID: x.ID.String(), Dossier: x.Dossier.String(), Requester: x.Requester.String(), Signer: x.Signer.String(),
		Recipient: idText(x.Recipient.UUID), Purpose: x.Purpose, State: string(x.State), Job: x.Job.String(),
		Created: x.Created, Size: x.Size, SHA256: x.SHA256.String(),
	}
}

func toJob(j vault.Job) wire.Job {
	return wire.Job{
		ID: j.ID.String(), Purpose: string(j.Purpose), Signer: j.Signer.String(), Dossier: j.Dossier.String(),
		Version: idText(j.Version.UUID), Export: idText(j.Export.UUID), Register: string(j.Register), Title: j.Title,
		Reason: j.Reason, Pages: j.Pages, State: string(j.State), Created: j.Created, Expires: j.Expires,
		Algorithm: string(j.Algorithm), Commitment: string(j.Statement.Commitment), Roles: j.Statement.Roles,
		Digest: hex.EncodeToString(j.Digest), ByteRange: j.ByteRange, Size: j.Size, Certificate: j.Certificate,
	}
}

func toEvent(e vault.Event) wire.Event {
	t := e.Target
	return wire.Event{
		ID: e.ID.String(), Time: e.Time, Account: idText(e.Account.UUID), Session: idText(e.Session.UUID),
		Unit: idText(e.Unit.UUID), Role: string(e.Role), Action: string(e.Action), Outcome: string(e.Outcome),
		Device: idText(e.Device.UUID), Reason: e.Reason, Purpose: e.Purpose, Address: e.Source.Address, Agent: e.Source.Agent,
		Target: wire.Target{
			Dossier: idText(t.Dossier.UUID), Record: idText(t.Record.UUID), Version: idText(t.Version.UUID),
			Job: idText(t.Job.UUID), Export: idText(t.Export.UUID), Subject: idText(t.Subject.UUID),
		},
	}
}
