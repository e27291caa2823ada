package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"trien/vault"
)

const insertEvent = `insert into vault.event (` + eventColumns + `)
		values (@id, @time, @account, @session, @unit, @role, @action, @outcome, @reason, @purpose,
			@dossier, @record, @version, @job, @export, @subject, @address, @agent, @device)`

// addEvent writes a line of the access record in the transaction of what it tells. The database gives it its seed and its place in
// the queue of batches.
func addEvent(ctx context.Context, tx pgx.Tx, e vault.Event) error {
	if _, err := change(ctx, tx, insertEvent, eventArgs(e)); err != nil {
		return fmt.Errorf("recording event %s: %w", e.ID, err)
	}
	return nil
}

// queueEvent is addEvent as a part of a batch.
func queueEvent(b *pgx.Batch, e vault.Event) { b.Queue(insertEvent, eventArgs(e)) }

func eventArgs(e vault.Event) pgx.NamedArgs {
	return pgx.NamedArgs{
		"id": ref(e.ID.UUID), "time": moment(e.Time), "account": ref(e.Account.UUID), "session": ref(e.Session.UUID),
		"unit": ref(e.Unit.UUID), "role": string(e.Role), "action": string(e.Action), "outcome": string(e.Outcome),
		"reason": e.Reason, "purpose": storable(e.Purpose), "dossier": ref(e.Target.Dossier.UUID), "record": ref(e.Target.Record.UUID),
		"version": ref(e.Target.Version.UUID), "job": ref(e.Target.Job.UUID), "export": ref(e.Target.Export.UUID),
		"subject": ref(e.Target.Subject.UUID), "address": storable(e.Source.Address), "agent": storable(e.Source.Agent), "device": ref(e.Device.UUID),
	}
}

// storable drops what a text column cannot hold. What a stranger wrote must not keep a refusal out of the record.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

// AddEvent writes a line of the access record.
func (s *Store) AddEvent(ctx context.Context, e vault.Event) error {
	return s.write(ctx, func(tx pgx.Tx) error { return addEvent(ctx, tx, e) })
}

func scanEvent(row pgx.CollectableRow) (e vault.Event, err error) {
	err = row.Scan(eventFields(&e)...)
	return e, err
}

func eventFields(e *vault.Event) []any {
	t := &e.Target
	return []any{&e.ID, &e.Time, &e.Account, &e.Session, &e.Unit, &e.Role, &e.Action, &e.Outcome, &e.Reason, &e.Purpose,
		&t.Dossier, &t.Record, &t.Version, &t.Job, &t.Export, &t.Subject, &e.Source.Address, &e.Source.Agent, &e.Device}
}

const (
	eventColumns = `id, time, account, session, unit, role, action, outcome, reason, purpose,
	dossier, record, version, job, export, subject, address, agent, device`
	eventColumnsOfE = `e.id, e.time, e.account, e.session, e.unit, e.role, e.action, e.outcome, e.reason, e.purpose,
	e.dossier, e.record, e.version, e.job, e.export, e.subject, e.address, e.agent, e.device`
)

// listEvents and listEventsOf walk back from the end of the page before, the second one within one dossier: see
// listDossiers for why it is written so.
const (
	listEvents   = `select ` + eventColumns + ` from vault.event where id < @after and time <= @until order by id desc limit @limit`
	listEventsOf = `select ` + eventColumns + ` from vault.event
		where dossier >= @dossier and (dossier, id) < (@dossier, @after) and time <= @until order by dossier desc, id desc limit @limit`
)

// Events lists the access record, newest first, a page by an index.
func (s *Store) Events(ctx context.Context, q vault.EventQuery) ([]vault.Event, error) {
	until := pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	if !q.Until.IsZero() {
		until = pgtype.Timestamptz{Time: moment(q.Until), Valid: true}
	}
	args := pgx.NamedArgs{"after": pageAfter(q.After.UUID), "limit": max(0, q.Limit), "until": until}
	if q.Dossier == (vault.DossierID{}) {
		return many(ctx, s.pool, scanEvent, listEvents, args)
	}
	args["dossier"] = ref(q.Dossier.UUID)
	return many(ctx, s.pool, scanEvent, listEventsOf, args)
}
