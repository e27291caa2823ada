package vaulttest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"trien/vault"
)

func storeDossiers(w *world) {
	ctx := w.Context()
	d := w.newDossier("Lê Thị Hồng Gấm", "079080000001")
	w.act("AddDossier", vault.OpenDossier, func(ctx context.Context, e vault.Event) error { return w.AddDossier(ctx, d, e) })
	got, err := w.Dossier(ctx, d.ID)
	w.must("Dossier", err)
	w.same("Dossier", got, d)
	_, err = w.Dossier(ctx, vault.DossierID{UUID: id()})
	w.want("Dossier that is missing", err, vault.ErrNotFound)
	records, err := w.Records(ctx, d.ID)
	w.must("Records of an empty dossier", err)
	w.same("how many", len(records), 0)
	_, err = w.Records(ctx, vault.DossierID{UUID: id()})
	w.want("Records of a dossier that is missing", err, vault.ErrNotFound)
	_, err = w.Record(ctx, vault.RecordID{UUID: id()})
	w.want("Record that is missing", err, vault.ErrNotFound)

	refuse := func(what string, want error, change func(*vault.Dossier)) {
		w.Helper()
		b := w.newDossier("Khác", "079080000002")
		change(&b)
		w.refused("AddDossier "+what, want, func(ctx context.Context) error { return w.AddDossier(ctx, b, w.event(vault.OpenDossier)) })
	}
	refuse("of the same person", vault.ErrDossierExists, func(b *vault.Dossier) { b.Subject.PersonalNumber = d.Subject.PersonalNumber })
	refuse("with an id that stands", vault.ErrConflict, func(b *vault.Dossier) { b.ID = d.ID })
	refuse("in a unit that is missing", vault.ErrNotFound, func(b *vault.Dossier) { b.Unit = vault.UnitID{UUID: id()} })
	refuse("in what is no register", vault.ErrInvalid, func(b *vault.Dossier) { b.Register = "Party 2" })
	refuse("without a name", vault.ErrInvalid, func(b *vault.Dossier) { b.Subject.Name = "" })

	other := vault.Unit{ID: vault.UnitID{UUID: id()}, Name: "Đơn vị khác"}
	w.must("AddUnit", w.AddUnit(ctx, other, w.event(vault.ManageAccess)))
	allow := func(what string, change func(*vault.Dossier)) {
		w.Helper()
		b := w.newDossier(d.Subject.Name, d.Subject.PersonalNumber)
		change(&b)
		w.must("AddDossier "+what, w.AddDossier(ctx, b, w.event(vault.OpenDossier)))
	}
	allow("in another register", func(b *vault.Dossier) { b.Register = vault.Cadre })
	allow("in another unit", func(b *vault.Dossier) { b.Unit = other.ID })
	allow("without a number", func(b *vault.Dossier) { b.Subject.PersonalNumber = "" })
	allow("without a number, again", func(b *vault.Dossier) { b.Subject.PersonalNumber = "" })
}

func (w *world) list(q vault.DossierQuery) []vault.Dossier {
	w.Helper()
	page, err := w.Dossiers(w.Context(), q)
	w.must("Dossiers", err)
	return page
}

func storeDossierPages(w *world) {
	ctx := w.Context()
	other := vault.Unit{ID: vault.UnitID{UUID: id()}, Name: "Đơn vị khác"}
	w.must("AddUnit", w.AddUnit(ctx, other, w.event(vault.ManageAccess)))
	want := []vault.Dossier{w.dossier}
	for i := range 10 {
		d := w.newDossier(fmt.Sprintf("Người %d", i), fmt.Sprint(i))
		want = append(want, d)
		w.must("AddDossier", w.AddDossier(ctx, d, w.event(vault.OpenDossier)))
		d.ID, d.Unit = vault.DossierID{UUID: id()}, other.ID
		w.must("AddDossier", w.AddDossier(ctx, d, w.event(vault.OpenDossier)))
	}
	for range 3 {
		w.deposit(vault.RecordID{}, vault.Version{})
	}
	want[0].Records = 3
	slices.Reverse(want)
	w.same("all dossiers", w.list(vault.DossierQuery{Unit: w.unit.ID, Limit: 100}), want)
	for _, limit := range []int{1, 4, 11, 12} {
		for _, name := range []string{"", "ng"} {
			var paged []vault.Dossier
			q := vault.DossierQuery{Unit: w.unit.ID, Name: name, Limit: limit}
			for {
				page := w.list(q)
				if paged = append(paged, page...); len(page) < limit {
					break
				}
				q.After = page[len(page)-1].ID
			}
			w.same(fmt.Sprintf("pages of %d of %q", limit, name), paged, want)
		}
	}
	w.same("of no unit", len(w.list(vault.DossierQuery{Unit: vault.UnitID{UUID: id()}, Limit: 10})), 0)
	w.same("no more than none", len(w.list(vault.DossierQuery{Unit: w.unit.ID})), 0)
}

func storeDossierSearch(w *world) {
	ctx := w.Context()
	names := []string{"Nguyễn Văn Đức", "Nguyễn Thị Đào", "Trần Văn Đức", "Lê Quyết", "H'Hen Niê", "Đặng Văn Đặng"}
	for i, name := range names {
		w.must("AddDossier", w.AddDossier(ctx, w.newDossier(name, fmt.Sprint("s", i)), w.event(vault.OpenDossier)))
	}
	first := w.dossier.Subject.Name // Nguyễn Văn Thử
	for part, want := range map[string][]string{
		"nguyen":             {first, names[0], names[1]},
		"NGUYỄN":             {first, names[0], names[1]},
		"Nguye\u0302\u0303n": {first, names[0], names[1]},
		"ngu":                {first, names[0], names[1]},
		"n":                  {first, names[0], names[1], names[4]},
		"guyen":              nil, // not the beginning of a word
		"duc":                {names[0], names[2]},
		"đức":                {names[0], names[2]},
		"van duc":            {names[0], names[2]},
		"duc van":            {names[0], names[2]},
		"nguyen duc":         {names[0]},
		"nguyen  v d":        {names[0]},
		"dang":               {names[5]},
		"dang dang":          {names[5]}, // each word of it begins some word
		"hen":                {names[4]},
		"h'hen":              {names[4]},
		"quyet nguyen":       nil,
		"100%":               nil,
		"_":                  append([]string{first}, names...), // nothing is left of it: all
		"  ":                 append([]string{first}, names...),
		"nguyen van duc a":   nil,
	} {
		var got []string
		for _, d := range w.list(vault.DossierQuery{Unit: w.unit.ID, Name: part, Limit: 100}) {
			got = append(got, d.Subject.Name)
		}
		slices.Reverse(got)
		w.same(fmt.Sprintf("search for %q", part), got, want)
	}
	w.same("in another unit", len(w.list(vault.DossierQuery{Unit: vault.UnitID{UUID: id()}, Name: "nguyen", Limit: 10})), 0)
}

func storeVersions(w *world) {
	ctx := w.Context()
	n := w.newVersion(w.stage(), vault.RecordID{}, vault.Version{})
	w.act("CommitVersion", vault.Deposit, func(ctx context.Context, e vault.Event) error {
		n.Event = e
		return w.CommitVersion(ctx, n)
	})
	record, err := w.Record(ctx, n.Record.ID)
	w.must("Record", err)
	w.same("Record", record, *n.Record)
	got, err := w.Version(ctx, n.Version.ID)
	w.must("Version", err)
	w.same("Version", got, n.Version)

	// Each next one, with its number given or left to the store.
	chain := []vault.Version{n.Version}
	for i := range 3 {
		m := w.newVersion(w.stage(), record.ID, chain[i])
		want := m.Version
		if i == 1 {
			m.Version.Number = 0
		}
		w.must("CommitVersion", w.CommitVersion(ctx, m))
		chain = append(chain, want)
		latest, err := w.LatestVersion(ctx, record.ID)
		w.must("LatestVersion", err)
		w.same("LatestVersion", latest, want)
	}
	receipt := []byte("c2sp.org/tlog-proof@v1\nindex 18446744073709551615\n" + strings.Repeat("x", 200))
	w.must("CompleteEntries", w.CompleteEntries(ctx, []vault.Logged{{Version: chain[1].ID, Receipt: receipt}}))
	chain[1].Receipt = receipt
	got, err = w.Version(ctx, chain[1].ID)
	w.must("Version", err)
	w.same("Version with its receipt", got, chain[1])

	// Another record in the same dossier, made later though its identifier is smaller.
	early := w.newVersion(w.stage(), vault.RecordID{}, vault.Version{})
	early.Record.ID.UUID[0], early.Record.Created = 0, w.now.Add(time.Second)
	early.Version.Record = early.Record.ID
	w.must("CommitVersion", w.CommitVersion(ctx, early))
	views, err := w.Records(ctx, w.dossier.ID)
	w.must("Records", err)
	if len(views) != 2 || len(views[0].Versions) != 4 || len(views[1].Versions) != 1 {
		w.Fatalf("Records: %+v", views)
	}
	w.same("the first record", views[0].Record, record)
	w.same("the second record", views[1].Record, *early.Record)
	for i, v := range views[0].Versions {
		if logged := i == 1; v.Logged() != logged {
			w.Errorf("version %d is logged: %v", v.Number, v.Logged())
		}
		if v.Logged() && !bytes.HasPrefix(v.Receipt, receipt[:50]) {
			w.Errorf("version %d has receipt %q in a list, which lacks the first two lines", v.Number, v.Receipt)
		}
		want := chain[i]
		want.Manifest, want.Receipt, v.Receipt = nil, nil, nil
		w.same("a version in a list", v, want)
	}
	d, err := w.Dossier(ctx, w.dossier.ID)
	w.must("Dossier", err)
	w.same("how many records", d.Records, 2)

	_, err = w.Version(ctx, vault.VersionID{UUID: id()})
	w.want("Version that is missing", err, vault.ErrNotFound)
	_, err = w.LatestVersion(ctx, vault.RecordID{UUID: id()})
	w.want("LatestVersion of a record that is missing", err, vault.ErrNotFound)
}

func storeVersionsRefused(w *world) {
	first := w.deposit(vault.RecordID{}, vault.Version{})
	second := w.deposit(first.Record, first)
	other := w.newDossier("Người khác", "9")
	w.must("AddDossier", w.AddDossier(w.Context(), other, w.event(vault.OpenDossier)))

	u := w.stage()
	refuse := func(what string, want error, record vault.RecordID, previous vault.Version, change func(*vault.NewVersion)) {
		w.Helper()
		n := w.newVersion(u, record, previous)
		change(&n)
		w.refused("CommitVersion "+what, want, func(ctx context.Context) error { return w.CommitVersion(ctx, n) })
	}
	anew := func(what string, want error, change func(*vault.NewVersion)) {
		w.Helper()
		refuse(what, want, vault.RecordID{}, vault.Version{}, change)
	}
	same := func(*vault.NewVersion) {}
	refuse("after one that is not the latest", vault.ErrStale, first.Record, first, same)
	refuse("after nothing", vault.ErrStale, first.Record, vault.Version{}, same)
	refuse("after one that is missing", vault.ErrStale, first.Record, vault.Version{ID: vault.VersionID{UUID: id()}, Number: 2}, same)
	refuse("with another number", vault.ErrStale, first.Record, second, func(n *vault.NewVersion) { n.Version.Number = 2 })
	refuse("of a record that is missing", vault.ErrNotFound, vault.RecordID{UUID: id()}, vault.Version{}, same)
	refuse("of a record of another dossier", vault.ErrNotFound, first.Record, second, func(n *vault.NewVersion) { n.Version.Dossier = other.ID })
	refuse("of another kind", vault.ErrNotFound, first.Record, second, func(n *vault.NewVersion) { n.Version.Kind = "party.transfer" })
	anew("after one, in a new record", vault.ErrStale, func(n *vault.NewVersion) { n.Version.Previous, n.Version.Number = second.ID, 3 })
	anew("in a record that stands", vault.ErrConflict, func(n *vault.NewVersion) { n.Record.ID, n.Version.Record = first.Record, first.Record })
	anew("in a dossier that is missing", vault.ErrNotFound, func(n *vault.NewVersion) {
		n.Record.Dossier = vault.DossierID{UUID: id()}
		n.Version.Dossier = n.Record.Dossier
	})
	anew("in another register", vault.ErrNotFound, func(n *vault.NewVersion) { n.Version.Register = vault.Health })
	anew("with an id that stands", vault.ErrConflict, func(n *vault.NewVersion) { n.Version.ID = first.ID })
	anew("with an entry that stands", vault.ErrConflict, func(n *vault.NewVersion) {
		n.Version.Identity = second.Identity
	})
	anew("of nobody", vault.ErrNotFound, func(n *vault.NewVersion) { n.Version.Actor = vault.AccountID{UUID: id()} })
	anew("with another object", vault.ErrInvalid, func(n *vault.NewVersion) { n.Version.Object.Key = "o/other" })
	anew("without a leaf", vault.ErrInvalid, func(n *vault.NewVersion) { n.Version.Leaf = nil })
	anew("of an unknown origin", vault.ErrInvalid, func(n *vault.NewVersion) { n.Version.Origin = "found" })
	anew("without bytes", vault.ErrInvalid, func(n *vault.NewVersion) { n.Version.Size = 0 })
	anew("without a manifest", vault.ErrInvalid, func(n *vault.NewVersion) { n.Version.Manifest = nil })
	anew("without a key", vault.ErrInvalid, func(n *vault.NewVersion) { n.Version.Object.WrappedKey = nil })
	anew("for a job that is missing", vault.ErrNotFound, func(n *vault.NewVersion) {
		n.Job = vault.JobID{UUID: id()}
		n.Version.Approval = n.Job
	})
	anew("of an upload that is missing", vault.ErrNotFound, func(n *vault.NewVersion) { n.Upload = vault.UploadID{UUID: id()} })

	// After all that the upload still serves.
	w.must("CommitVersion", w.CommitVersion(w.Context(), w.newVersion(u, first.Record, second)))
	anew("of an upload that is committed", vault.ErrConflict, same)
}
