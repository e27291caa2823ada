-- +goose Up

-- The columns that the ledger commits to never change. What may change is granted column by column in Migrate.

create table vault.unit (
	id   uuid primary key,
	name text not null check (name <> ''),
	constraint unit_name_unique unique (name)
);

create table vault.account (
	id          uuid primary key,
	login       text not null check (login <> '' and login = lower(login)),
	name        text not null check (name <> ''),
	post        text not null,
	unit        uuid not null references vault.unit,
	role        text not null check (role in ('staff', 'official', 'appraiser', 'auditor', 'system_administrator')),
	password    text not null check (password <> ''),
	certificate bytea,
	created     timestamptz not null,
	constraint account_login_unique unique (login)
);

create table vault.session (
	id      uuid primary key,
	account uuid not null references vault.account,
	token   bytea not null check (octet_length(token) = 32),
	created timestamptz not null,
	expires timestamptz not null check (expires > created),
	ended   timestamptz,
	constraint session_token_unique unique (token)
);

create table vault.dossier (
	id              uuid primary key,
	register        text not null check (register in ('party', 'cadre', 'protection', 'health', 'training', 'research')),
	unit            uuid not null references vault.unit,
	name            text not null check (name <> ''),
	birth_date      text not null,
	personal_number text not null,
	created         timestamptz not null,
	unique (id, register)
);

create unique index dossier_person_unique on vault.dossier (register, personal_number, unit) where personal_number <> '';

create index dossier_page on vault.dossier (unit, id);

-- Every beginning of every word of a folded name. A search walks one range of the primary key, in the order of the pages.
create table vault.dossier_word (
	unit    uuid not null,
	start   text not null collate "C",
	dossier uuid not null references vault.dossier,
	primary key (unit, start, dossier)
);

create table vault.record (
	id       uuid primary key,
	dossier  uuid not null references vault.dossier,
	kind     text not null check (kind <> ''),
	title    text not null,
	created  timestamptz not null,
	versions integer not null default 0 check (versions >= 0),
	unique (id, dossier, kind)
);

create index record_of_dossier on vault.record (dossier, created, id);

create table vault.version (
	id              uuid primary key,
	record          uuid not null,
	dossier         uuid not null,
	register        text not null,
	kind            text not null,
	number          integer not null check (number >= 1),
	previous        uuid,
	previous_number integer generated always as (nullif(number - 1, 0)) stored,
	manifest        bytea not null check (octet_length(manifest) > 0),
	media_type      text not null check (media_type <> ''),
	size            bigint not null check (size > 0),
	sha256          bytea not null check (octet_length(sha256) = 32),
	object_sha256   bytea not null check (octet_length(object_sha256) = 32),
	origin          text not null check (origin in ('declared', 'digitised', 'produced', 'shared')),
	actor           uuid not null references vault.account,
	unit            uuid not null references vault.unit,
	basis           text not null,
	time            timestamptz not null,
	approval        uuid,
	object_key      text not null check (object_key <> ''),
	object_size     bigint not null check (object_size > 0),
	wrapped_key     bytea not null check (octet_length(wrapped_key) > 0),
	sealed_salt     bytea not null check (octet_length(sealed_salt) > 0),
	identity        bytea not null check (octet_length(identity) = 32),
	leaf            bytea not null check (octet_length(leaf) > 0),
	receipt         bytea check (octet_length(receipt) > 0),
	constraint version_number_unique unique (record, number),
	constraint version_approval_unique unique (approval),
	constraint version_object_unique unique (object_key),
	constraint version_identity_unique unique (identity),
	constraint version_record_fkey foreign key (record, dossier, kind) references vault.record (id, dossier, kind),
	constraint version_dossier_fkey foreign key (dossier, register) references vault.dossier (id, register),
	-- The chain: the first version has none before it, and every other the one with the number before its own.
	unique (record, id, number),
	constraint version_first_check check ((number = 1) = (previous is null)),
	constraint version_previous_fkey foreign key (record, previous, previous_number) references vault.version (record, id, number)
);

create index version_of_dossier on vault.version (dossier);

create table vault.upload (
	id              uuid primary key,
	account         uuid not null references vault.account,
	idempotency_key text,
	fingerprint     bytea not null check (octet_length(fingerprint) = 32),
	object_key      text not null check (object_key <> ''),
	started         timestamptz not null,
	beat            timestamptz not null,
	state           text not null check (state in ('staged', 'committed', 'abandoned')),
	version         uuid references vault.version check (version is null or state = 'committed'),
	constraint upload_object_unique unique (object_key)
);

create unique index upload_key_unique on vault.upload (account, idempotency_key) where state <> 'abandoned';

create index upload_beat on vault.upload (beat) where state = 'staged';

create table vault.export (
	id          uuid primary key,
	dossier     uuid not null references vault.dossier,
	requester   uuid not null references vault.account,
	signer      uuid not null references vault.account,
	recipient   uuid references vault.account,
	purpose     text not null,
	created     timestamptz not null,
	size        bigint not null check (size > 0),
	sha256      bytea not null check (octet_length(sha256) = 32),
	object_key  text not null check (object_key <> ''),
	object_size bigint not null check (object_size > 0),
	wrapped_key bytea not null check (octet_length(wrapped_key) > 0),
	constraint export_object_unique unique (object_key)
);

create index export_of_dossier on vault.export (dossier, id desc);

create index export_for on vault.export (recipient, id desc) where recipient is not null;

-- The state of an export is the state of its job: it is written in one place.
create table vault.job (
	id          uuid primary key,
	purpose     text not null check (purpose in ('approval', 'export')),
	signer      uuid not null references vault.account,
	dossier     uuid not null,
	version     uuid references vault.version,
	export      uuid references vault.export,
	register    text not null,
	title       text not null,
	reason      text not null,
	pages       integer not null check (pages >= 0),
	state       text not null check (state in ('waiting', 'signed', 'expired', 'withdrawn')),
	created     timestamptz not null,
	expires     timestamptz not null check (expires > created),
	digest      bytea not null check (octet_length(digest) = 32),
	byte_range  bigint[] not null check (cardinality(byte_range) = 4),
	size        bigint not null check (size > 0),
	certificate bytea not null check (octet_length(certificate) > 0),
	prepared    bytea not null check (octet_length(prepared) > 0),
	check ((purpose = 'approval') = (version is not null)),
	check ((purpose = 'export') = (export is not null)),
	constraint job_export_unique unique (export),
	constraint job_dossier_fkey foreign key (dossier, register) references vault.dossier (id, register)
);

create index job_waiting on vault.job (signer, created, id) where state = 'waiting';

create index job_due on vault.job (expires) where state = 'waiting';

alter table vault.version add constraint version_approval_fkey foreign key (approval) references vault.job;

-- Versions that wait for their receipt. A row is there exactly as long as version.receipt is null.
create table vault.outbox (
	version uuid primary key references vault.version,
	queue   bigint generated always as identity unique,
	queued  timestamptz not null,
	leased  timestamptz -- a publisher's until then
);

-- The access record. It refers to nothing: it outlives what it tells of.
create table vault.event (
	id      uuid primary key,
	time    timestamptz not null,
	account uuid,
	session uuid,
	unit    uuid,
	role    text not null,
	action  text not null check (action <> ''),
	outcome text not null check (outcome in ('done', 'refused')),
	reason  text not null,
	purpose text not null,
	dossier uuid,
	record  uuid,
	version uuid,
	job     uuid,
	export  uuid,
	subject uuid,
	address text not null,
	agent   text not null
);

create index event_of_dossier on vault.event (dossier, id) where dossier is not null;

create table vault.garbage (
	object_key text primary key,
	queue      bigint generated always as identity unique
);

-- +goose StatementBegin
create function vault.refuse() returns trigger language plpgsql set search_path = '' as $$
begin
	raise exception '% of table % is refused', lower(tg_op), tg_table_name using errcode = 'restrict_violation';
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function vault.guard_version() returns trigger language plpgsql set search_path = '' as $$
declare
	same vault.version := new;
begin
	-- Generated columns are filled in after this trigger.
	same.receipt := old.receipt;
	same.previous_number := old.previous_number;
	if same is distinct from old or old.receipt is not null or new.receipt is null then
		raise exception 'a version takes its receipt, once, and no other change' using errcode = 'restrict_violation';
	end if;
	return new;
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function vault.guard_job() returns trigger language plpgsql set search_path = '' as $$
declare
	same vault.job := new;
begin
	same.state := old.state;
	if same is distinct from old or old.state <> 'waiting' then
		raise exception 'a waiting job ends, once, and takes no other change' using errcode = 'restrict_violation';
	end if;
	return new;
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function vault.guard_upload() returns trigger language plpgsql set search_path = '' as $$
declare
	same vault.upload := new;
begin
	same.state := old.state;
	same.beat := old.beat;
	same.version := old.version;
	if same is distinct from old or old.state <> 'staged' then
		raise exception 'a staged upload beats and ends, once, and takes no other change' using errcode = 'restrict_violation';
	end if;
	return new;
end
$$;
-- +goose StatementEnd

create trigger event_append_only before update or delete or truncate on vault.event
	for each statement execute function vault.refuse();

create trigger version_kept before delete or truncate on vault.version
	for each statement execute function vault.refuse();

create trigger version_guarded before update on vault.version
	for each row execute function vault.guard_version();

create trigger job_guarded before update on vault.job
	for each row execute function vault.guard_job();

create trigger upload_guarded before update on vault.upload
	for each row execute function vault.guard_upload();

-- Also where a session plays the part of a replica.
alter table vault.event enable always trigger event_append_only;
alter table vault.version enable always trigger version_kept;
alter table vault.version enable always trigger version_guarded;
alter table vault.job enable always trigger job_guarded;
alter table vault.upload enable always trigger upload_guarded;
