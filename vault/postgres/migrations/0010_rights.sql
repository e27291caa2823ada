-- +goose Up

-- What policies decide by: secrecy of dossiers and records, clearances, second factors, decisions of data owners, grants.
-- Levels are 0 unclassified, 1 confidential, 2 secret, 3 top secret.

alter table vault.account
	drop constraint account_role_check,
	add constraint account_role_check check (role in ('staff', 'official', 'appraiser', 'auditor', 'system_administrator',
		'data_administrator', 'data_owner', 'data_steward', 'subject')),
	add column clearance smallint not null default 0 check (clearance between 0 and 3),
	add column cleared_until timestamptz,
	add constraint account_cleared_check check ((clearance = 0) = (cleared_until is null));

-- Whether a second factor opened the session. Nothing sets it later.
alter table vault.session add column mfa boolean not null default false;

alter table vault.dossier add column secrecy smallint not null default 0 check (secrecy between 0 and 3);
alter table vault.record add column secrecy smallint not null default 0 check (secrecy between 0 and 3);

-- Lists leave out what the reader may not reach. Each has an index without that, so that no list walks over what it does not show; the whole list
-- has dossier_page.
create index dossier_page_0 on vault.dossier (unit, id) where secrecy <= 0;
create index dossier_page_1 on vault.dossier (unit, id) where secrecy <= 1;
create index dossier_page_2 on vault.dossier (unit, id) where secrecy <= 2;

-- What data owners decide that may be granted. A decision stands as it was made.
create table vault.scope_decision (
	id       uuid primary key,
	unit     uuid not null references vault.unit,
	register text not null, -- empty: all
	secrecy  smallint not null check (secrecy between 0 and 3),
	until    timestamptz not null,
	basis    text not null check (basis <> ''),
	decider  uuid not null references vault.account,
	decided  timestamptz not null check (decided < until)
);

create index scope_decision_of_unit on vault.scope_decision (unit, id desc);

create table vault.access_grant (
	id       uuid primary key,
	account  uuid not null references vault.account,
	unit     uuid not null references vault.unit,
	register text not null check (register <> ''),
	dossier  uuid references vault.dossier,
	kinds    text[] not null,
	secrecy  smallint not null check (secrecy between 0 and 3),
	forms    text[] not null check (cardinality(forms) > 0 and forms <@ array['view', 'download']),
	task     boolean not null check (not task or dossier is not null),
	basis    text not null check (basis <> ''),
	decision uuid not null references vault.scope_decision,
	grantor  uuid not null references vault.account check (grantor <> account),
	begins   timestamptz not null,
	ends     timestamptz not null check (ends > begins),
	revoked  timestamptz
);

-- One look for each unit above the dossier's, whatever the number of grants: those to one dossier, and those to all.
create index access_grant_of_account on vault.access_grant (account, register, unit, dossier, ends desc);

-- +goose StatementBegin
create function vault.guard_grant() returns trigger language plpgsql set search_path = '' as $$
declare
	same vault.access_grant := new;
begin
	same.revoked := old.revoked;
	if same is distinct from old or old.revoked is not null then
		raise exception 'a grant is revoked, once, and takes no other change' using errcode = 'restrict_violation';
	end if;
	return new;
end
$$;
-- +goose StatementEnd

create trigger scope_decision_kept before update or delete or truncate on vault.scope_decision
	for each statement execute function vault.refuse();

create trigger access_grant_guarded before update on vault.access_grant
	for each row execute function vault.guard_grant();

create trigger access_grant_kept before delete or truncate on vault.access_grant
	for each statement execute function vault.refuse();

alter table vault.scope_decision enable always trigger scope_decision_kept;
alter table vault.access_grant enable always trigger access_grant_guarded;
alter table vault.access_grant enable always trigger access_grant_kept;

-- The second wall, behind the decision of the program: what a transaction may see of dossiers and of what is in them, by what it says of itself in
-- settings that end with it. One that says nothing sees nothing. The owner, who migrates and backs up, is not behind it.

create function vault.as_worker() returns boolean language sql stable parallel safe set search_path = ''
	as $$ select current_setting('vault.worker', true) is not distinct from 'on' $$;
create function vault.of_one() returns uuid language sql stable parallel safe set search_path = ''
	as $$ select nullif(current_setting('vault.one', true), '')::uuid $$;
create function vault.of_person() returns text language sql stable parallel safe set search_path = ''
	as $$ select nullif(current_setting('vault.person', true), '') $$;
create function vault.of_unit() returns uuid language sql stable parallel safe set search_path = ''
	as $$ select nullif(current_setting('vault.unit', true), '')::uuid $$;
create function vault.of_level() returns smallint language sql stable parallel safe set search_path = ''
	as $$ select nullif(current_setting('vault.level', true), '')::smallint $$;

alter table vault.dossier enable row level security;
alter table vault.dossier_word enable row level security;
alter table vault.record enable row level security;
alter table vault.version enable row level security;

-- The functions stand in selects of their own, so that they are asked once for a statement and not for a row.
create policy wall on vault.dossier using (
	(select vault.as_worker())
	or id = (select vault.of_one())
	or (unit = (select vault.of_unit()) and secrecy <= (select vault.of_level()))
	or personal_number = (select vault.of_person())
);

create policy wall on vault.dossier_word using (
	(select vault.as_worker()) or dossier = (select vault.of_one()) or unit = (select vault.of_unit())
);

-- In lists: of the dossiers that can be seen, up to the level.
create policy wall on vault.record using (
	(select vault.as_worker())
	or id = (select vault.of_one())
	or dossier = (select vault.of_one())
	or (
		(secrecy <= (select vault.of_level()) or (select vault.of_person()) is not null)
		and exists (select from vault.dossier d where d.id = record.dossier)
	)
);

create policy wall on vault.version using (
	(select vault.as_worker()) or id = (select vault.of_one()) or record = (select vault.of_one()) or dossier = (select vault.of_one())
	or approval = (select vault.of_one())
);
