-- +goose Up

-- The access record in the ledger. Each event has a seed, from which its salt follows, and waits in a queue until a batch takes it; a
-- batch is one leaf of the access log. No event is without its seed and its place in the queue, whoever writes it: a trigger makes them.

alter table vault.event
	add constraint event_id_check check (id <> '00000000-0000-0000-0000-000000000000'),
	-- What has a text in the ledger; not infinity.
	add constraint event_time_check check (time >= '0001-01-01 00:00:00+00' and time < '10000-01-01 00:00:00+00');

-- A table of its own, so that seeds can be destroyed with a dossier while the events stay.
create table vault.event_seed (
	event uuid primary key,
	seed  bytea not null check (octet_length(seed) = 32)
);

-- Events that are in no batch yet. The order of the queue is the order in the batch.
create table vault.event_queue (
	queue  bigint generated always as identity primary key,
	event  uuid not null,
	queued timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000); -- rows come and go

create table vault.event_batch (
	id          uuid primary key,
	since        timestamptz not null, -- when its first event was queued
	count       integer not null check (count between 1 and 4096),
	-- One after the other. They stay when seeds go, so that the other events of the batch can still be proven.
	commitments bytea not null check (octet_length(commitments) = 32 * count),
	leaf        bytea not null check (octet_length(leaf) > 0),
	receipt     bytea check (octet_length(receipt) > 0),
	leased      timestamptz -- a publisher's until then
);
alter table vault.event_batch alter column commitments set storage external; -- hashes do not compress

create index event_batch_unlogged on vault.event_batch (id) where receipt is null;

-- Where an event is. No foreign keys: 4,096 rows at a time are written by the one statement that knows them all.
create table vault.event_place (
	event    uuid primary key,
	batch    uuid not null,
	position smallint not null check (position between 0 and 4095)
);

-- With the rights of the owner, so that the application can neither make seeds nor queue what is no event.
-- +goose StatementBegin
create function vault.queue_events() returns trigger language plpgsql security definer set search_path = '' as $$
begin
	insert into vault.event_seed (event, seed)
		select id, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) from fresh;
	insert into vault.event_queue (event, queued) select id, time from fresh order by id;
	return null;
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function vault.guard_unplaced() returns trigger language plpgsql set search_path = '' as $$
begin
	if exists (select from gone g where not exists (select from vault.event_place p where p.event = g.event)) then
		raise exception 'an event keeps its seed and its place in the queue until a batch has it' using errcode = 'restrict_violation';
	end if;
	return null;
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function vault.guard_batch() returns trigger language plpgsql set search_path = '' as $$
declare
	same vault.event_batch := new;
begin
	same.receipt := old.receipt;
	same.leased := old.leased;
	if same is distinct from old or old.receipt is not null then
		raise exception 'a batch takes its receipt, once, and no other change' using errcode = 'restrict_violation';
	end if;
	return new;
end
$$;
-- +goose StatementEnd

-- What was recorded before there was a ledger for it.
insert into vault.event_seed (event, seed)
	select id, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) from vault.event;
insert into vault.event_queue (event, queued) select id, time from vault.event order by id;

create trigger event_queued after insert on vault.event referencing new table as fresh
	for each statement execute function vault.queue_events();

create trigger event_seed_kept before update or truncate on vault.event_seed
	for each statement execute function vault.refuse();

create trigger event_seed_guarded after delete on vault.event_seed referencing old table as gone
	for each statement execute function vault.guard_unplaced();

create trigger event_queue_kept before update or truncate on vault.event_queue
	for each statement execute function vault.refuse();

create trigger event_queue_guarded after delete on vault.event_queue referencing old table as gone
	for each statement execute function vault.guard_unplaced();

create trigger event_batch_kept before delete or truncate on vault.event_batch
	for each statement execute function vault.refuse();

create trigger event_batch_guarded before update on vault.event_batch
	for each row execute function vault.guard_batch();

create trigger event_place_kept before update or delete or truncate on vault.event_place
	for each statement execute function vault.refuse();

alter table vault.event enable always trigger event_queued;
alter table vault.event_seed enable always trigger event_seed_kept;
alter table vault.event_seed enable always trigger event_seed_guarded;
alter table vault.event_queue enable always trigger event_queue_kept;
alter table vault.event_queue enable always trigger event_queue_guarded;
alter table vault.event_batch enable always trigger event_batch_kept;
alter table vault.event_batch enable always trigger event_batch_guarded;
alter table vault.event_place enable always trigger event_place_kept;

-- People who may see who read their own dossiers.
alter table vault.account
	drop constraint account_role_check,
	add constraint account_role_check
		check (role in ('staff', 'official', 'appraiser', 'auditor', 'system_administrator', 'subject')),
	add column personal_number text not null default '',
	add constraint account_person_check check ((role = 'subject') = (personal_number <> ''));
