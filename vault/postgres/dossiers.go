package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"trien/vault"
)

// AddDossier starts a dossier and makes its subject's name searchable. [vault.ErrDossierExists] if the unit holds one with
// the same register and personal number.
func (s *Store) AddDossier(ctx context.Context, d vault.Dossier, e vault.Event) error {
	const add = `insert into vault.dossier (id, register, unit, name, birth_date, personal_number, created, secrecy)
		values (@id, @register, @unit, @name, @birth_date, @personal_number, @created, @secrecy)
		on conflict (register, personal_number, unit) where personal_number <> '' do nothing`
	const index = `insert into vault.dossier_word (unit, start, dossier)
		select distinct @unit::uuid, left(word, n), @id::uuid
		from unnest(@words::text[]) word, generate_series(1, length(word)) n`
	return s.writeBehind(ctx, only(d.ID.UUID), func(tx pgx.Tx) error {
		n, err := change(ctx, tx, add, pgx.NamedArgs{
			"id": ref(d.ID.UUID), "register": string(d.Register), "unit": ref(d.Unit.UUID), "name": d.Subject.Name,
			"birth_date": d.Subject.BirthDate, "personal_number": d.Subject.PersonalNumber, "created": moment(d.Created), "secrecy": rank(d.Secrecy),
		})
		if err != nil {
			return fmt.Errorf("adding dossier %s: %w", d.ID, err)
		}
		if n == 0 {
			return vault.ErrDossierExists
		}
		words := strings.Fields(vault.FoldName(d.Subject.Name))
		_, err = change(ctx, tx, index, pgx.NamedArgs{"unit": ref(d.Unit.UUID), "id": ref(d.ID.UUID), "words": words})
		if err != nil {
			return fmt.Errorf("indexing dossier %s: %w", d.ID, err)
		}
		return addEvent(ctx, tx, e)
	})
}

// dossierColumns count the records up to a level, and find the highest level of those.
const dossierColumns = `d.id, d.register, d.unit, d.name, d.birth_date, d.personal_number, d.created, d.secrecy,
	(select count(*) from vault.record r where r.dossier = d.id and r.secrecy <= @most),
	greatest(d.secrecy, (select max(r.secrecy) from vault.record r where r.dossier = d.id and r.secrecy <= @most))`

func scanDossier(row pgx.CollectableRow) (d vault.Dossier, err error) {
	p := &d.Subject
	err = row.Scan(&d.ID, &d.Register, &d.Unit, &p.Name, &p.BirthDate, &p.PersonalNumber, &d.Created, (*rank)(&d.Secrecy), &d.Records, (*rank)(&d.Highest))
	return d, err
}

// Dossier reads a dossier.
func (s *Store) Dossier(ctx context.Context, id vault.DossierID) (vault.Dossier, error) {
	const sql = `select ` + dossierColumns + ` from vault.dossier d where d.id = @id`
	return one(ctx, s.behind(only(id.UUID)), "dossier", scanDossier, sql, pgx.NamedArgs{"id": ref(id.UUID), "most": rank(vault.TopSecret)})
}

// pageAfter is the bound of a page whose rows are before it; there is no identifier after the last UUID.
func pageAfter(id uuid.UUID) pgtype.UUID {
	if id == uuid.Nil {
		id = uuid.Max
	}
	return ref(id)
}

// reached leaves out dossiers above a level. The level stands in the text of the statement, and not in an argument, so that the index of just those
// dossiers serves: see reaching.
const reached = ` and d.secrecy <= 3`

// reaching is a statement for another level.
func reaching(sql string, most rank) string {
	return strings.ReplaceAll(sql, reached, fmt.Sprintf(" and d.secrecy <= %d", most.number()))
}

// listDossiers walks dossier_page back from the end of the page before to the first dossier of the unit. It is written as
// one range in the order of that index: with unit = @unit the planner may prefer to walk all units' dossiers, which is
// endless for a unit that has few.
const listDossiers = `select ` + dossierColumns + ` from vault.dossier d
	where d.unit >= @unit and (d.unit, d.id) < (@unit, @after)` + reached + `
	order by d.unit desc, d.id desc limit @limit`

// searchDossiers walks the range of one word's beginning in the primary key of dossier_word, back from the end of the page
// before, and asks the same index for each of the other words. It walks the word that the fewest dossiers have, counted
// up to a bound: counting further would cost more than walking. Of what has all words it looks the secrecy up, one by one: as
// a join the planner would rather read all of it. So it passes over what it hides, which is to be the smaller part of a unit's dossiers.
const searchDossiers = `with term as (
		select word, (select count(*) from (
			select from vault.dossier_word w where w.unit = @unit and w.start = word limit 1000
		) capped) as found
		from unnest(@words::text[]) word
	), rarest as (
		select word from term order by found, length(word) desc, word limit 1
	), page as (
		select w.dossier from vault.dossier_word w
		where w.unit = @unit and w.start = (select word from rarest) and w.dossier < @after
			and case when exists (
				select from unnest(@words::text[]) other where other <> w.start and not exists (
					select from vault.dossier_word o where o.unit = @unit and o.start = other and o.dossier = w.dossier
				)
			) then false else (select d.secrecy from vault.dossier d where d.id = w.dossier) <= @most end
		order by w.dossier desc limit @limit
	)
	select ` + dossierColumns + ` from page join vault.dossier d on d.id = page.dossier
	order by d.id desc`

// Dossiers lists a unit's dossiers, newest first. A name selects those with a word beginning with each of its words.
func (s *Store) Dossiers(ctx context.Context, q vault.DossierQuery) ([]vault.Dossier, error) {
	most := clearance(q.Most)
	args := pgx.NamedArgs{"unit": ref(q.Unit.UUID), "after": pageAfter(q.After.UUID), "limit": max(0, q.Limit), "most": most}
	listed := s.behind(listOf(q.Unit.UUID, most))
	words := strings.Fields(vault.FoldName(q.Name))
	if len(words) == 0 {
		return many(ctx, listed, scanDossier, reaching(listDossiers, most), args)
	}
	args["words"] = words
	return many(ctx, listed, scanDossier, searchDossiers, args)
}

// DossiersOf lists a person's dossiers: one look into the index of persons for each register.
func (s *Store) DossiersOf(ctx context.Context, in []vault.Register, personalNumber string) ([]vault.Dossier, error) {
	const sql = `select ` + dossierColumns + ` from vault.dossier d
		where d.register = any(@registers::text[]) and d.personal_number = @number and d.personal_number <> ''
		order by d.id limit 100`
	registers := make([]string, len(in))
	for i, r := range in {
		registers[i] = string(r)
	}
	return many(ctx, s.behind(wall{person: personalNumber}), scanDossier, sql, pgx.NamedArgs{"registers": registers, "number": personalNumber, "most": rank(vault.TopSecret)})
}

func scanRecord(row pgx.CollectableRow) (r vault.Record, err error) {
	err = row.Scan(&r.ID, &r.Dossier, &r.Kind, &r.Title, &r.Created, (*rank)(&r.Secrecy))
	return r, err
}

// Record reads a record.
func (s *Store) Record(ctx context.Context, id vault.RecordID) (vault.Record, error) {
	const sql = `select id, dossier, kind, title, created, secrecy from vault.record where id = @id`
	return one(ctx, s.behind(only(id.UUID)), "record", scanRecord, sql, pgx.NamedArgs{"id": ref(id.UUID)})
}

// Records reads all records of a dossier in the order they were made, with their versions, oldest first. Manifests
// are left out, and of a receipt all but the head, which names the index.
func (s *Store) Records(ctx context.Context, id vault.DossierID) ([]vault.RecordView, error) {
	const records = `select id, dossier, kind, title, created, secrecy from vault.record where dossier = @dossier order by created, id`
	const versions = `select ` + versionColumns + `, null::bytea, substring(receipt for 64)
		from vault.version where dossier = @dossier order by number`
	args := pgx.NamedArgs{"dossier": ref(id.UUID)}
	var views []vault.RecordView
	// One snapshot, so that no version is read whose record is not.
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error {
		if err := only(id.UUID).raise(ctx, tx); err != nil {
			return err
		}
		all, err := many(ctx, tx, scanRecord, records, args)
		if err != nil {
			return fmt.Errorf("listing records: %w", err)
		}
		if len(all) == 0 {
			// To tell an empty dossier from none.
			_, err := one(ctx, tx, "dossier", pgx.RowTo[bool], `select true from vault.dossier where id = @dossier`, args)
			return err
		}
		place := make(map[vault.RecordID]int, len(all))
		for i, r := range all {
			place[r.ID] = i
			views = append(views, vault.RecordView{Record: r})
		}
		found, err := many(ctx, tx, scanVersion, versions, args)
		if err != nil {
			return fmt.Errorf("listing versions: %w", err)
		}
		for _, v := range found {
			view := &views[place[v.Record]]
			view.Versions = append(view.Versions, v)
		}
		return nil
	})
	if err != nil {
		return nil, translate(ctx, err)
	}
	return views, nil
}
