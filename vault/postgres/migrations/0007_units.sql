-- +goose Up

-- The organisation tree, dated. Names, parents, heads and seals are lists of beginnings: what begins holds until the next of its list
-- begins or the unit ends, so that periods can neither overlap nor leave gaps. Nothing in these lists changes or goes. Days are
-- Vietnam's; a unit begins at -infinity if nobody recorded when, and ends at infinity while it stands.

-- Levels are data: an owner of the schema may add more.
create table vault.unit_level (
	code text primary key check (code ~ '^[a-z][a-z0-9_]{0,31}$'),
	rank integer not null unique, -- from the top down
	vi   text not null check (vi <> ''),
	en   text not null check (en <> '')
);

insert into vault.unit_level (code, rank, vi, en) values
	('central', 10, 'Trung ương', 'Central'),
	('province', 20, 'Tỉnh, thành phố và tương đương', 'Province'),
	('above_grassroots', 30, 'Cấp trên trực tiếp của tổ chức cơ sở', 'Above grassroots'),
	('grassroots', 40, 'Tổ chức cơ sở', 'Grassroots'),
	('branch', 50, 'Chi bộ', 'Branch');

-- One row. An act is judged on the whole tree as it stood at one revision, and stands only if the tree is still at that revision.
create table vault.unit_tree (
	one      boolean primary key default true check (one),
	revision bigint not null
);

insert into vault.unit_tree (revision) values (0);

alter table vault.unit
	drop constraint unit_name_unique, -- many units have a "Chi bộ 1"
	add column code   text collate "C" check (code ~ '^[0-9A-Za-z][0-9A-Za-z._-]{0,31}$'),
	add column level  text references vault.unit_level,
	add column begins date not null default '-infinity',
	add column ends   date not null default 'infinity',
	add constraint unit_code_unique unique (code),
	add constraint unit_days_check check (begins < ends and ends > '-infinity' and begins < 'infinity');

-- What was decided of units. text is what the ledger commits to, by the purpose of the act's event.
create table vault.unit_act (
	seq       bigint generated always as identity primary key,
	id        uuid not null unique,
	kind      text not null check (kind <> ''),
	effective date not null check (isfinite(effective)),
	number    text not null check (number <> ''),
	decided   date not null check (isfinite(decided)),
	account   uuid,
	time      timestamptz not null,
	event     uuid not null unique,
	text      bytea not null check (octet_length(text) > 0)
);

create table vault.unit_act_unit (
	unit  uuid not null references vault.unit,
	act   bigint not null references vault.unit_act,
	place integer not null, -- among the units of the act
	primary key (unit, act)
);

create index unit_act_unit_of_act on vault.unit_act_unit (act, place);

create table vault.unit_name (
	unit   uuid not null references vault.unit,
	begins date not null,
	name   text not null check (name <> ''),
	primary key (unit, begins)
);

create table vault.unit_parent (
	unit   uuid not null references vault.unit,
	begins date not null,
	parent uuid references vault.unit check (parent <> unit), -- null: a root
	primary key (unit, begins)
);

create table vault.unit_head (
	unit    uuid not null references vault.unit,
	begins  date not null check (isfinite(begins)),
	account uuid references vault.account, -- null: the post is vacant
	acting  boolean not null,
	until   date check (until > begins and isfinite(until)), -- the first day after the term
	primary key (unit, begins),
	check (account is not null or not acting and until is null)
);

create table vault.unit_seal (
	unit        uuid not null references vault.unit,
	begins      date not null check (isfinite(begins)),
	certificate bytea check (octet_length(certificate) > 0), -- null: the seal is withdrawn
	primary key (unit, begins)
);

-- Who held a dossier from when; vault.dossier.unit is the newest. A trigger keeps the two together.
create table vault.dossier_holding (
	dossier uuid not null references vault.dossier,
	begins  timestamptz not null check (isfinite(begins)),
	unit    uuid not null references vault.unit,
	act     uuid references vault.unit_act (id), -- null: the dossier was opened
	primary key (dossier, begins)
);

create index dossier_holding_of_unit on vault.dossier_holding (unit, dossier, begins);

create index account_of_unit on vault.account (unit);

insert into vault.unit_name (unit, begins, name) select id, begins, name from vault.unit;
insert into vault.unit_parent (unit, begins) select id, begins from vault.unit;
insert into vault.dossier_holding (dossier, begins, unit) select id, created, unit from vault.dossier;

-- What follows runs with the rights of the owner, so that the application can neither hold a dossier twice nor move it past its history.

-- A unit that has ended takes nothing any more. The lock waits for an act that is ending the unit, which in turn waits for it.
-- +goose StatementBegin
create function vault.check_standing(id uuid) returns void language plpgsql security definer set search_path = '' as $$
begin
	perform from vault.unit u where u.id = check_standing.id and u.ends = 'infinity' for share;
	if not found and exists (select from vault.unit u where u.id = check_standing.id) then
		raise exception 'the unit has ended' using errcode = 'check_violation', constraint = 'unit_standing_check', table = 'unit';
	end if;
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function vault.guard_account_unit() returns trigger language plpgsql set search_path = '' as $$
begin
	perform vault.check_standing(new.unit);
	return new;
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function vault.hold_dossiers() returns trigger language plpgsql security definer set search_path = '' as $$
begin
	insert into vault.dossier_holding (dossier, begins, unit) select id, created, unit from fresh;
	return null;
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function vault.follow_holdings() returns trigger language plpgsql security definer set search_path = '' as $$
begin
	perform vault.check_standing(u) from (select distinct unit as u from fresh order by u) units;
	with moved as (
		update vault.dossier d set unit = f.unit from fresh f
		where d.id = f.dossier and d.unit <> f.unit
			and not exists (select from vault.dossier_holding h where h.dossier = f.dossier and h.begins > f.begins)
		returning d.id, d.unit
	)
	update vault.dossier_word w set unit = m.unit from moved m where w.dossier = m.id;
	return null;
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function vault.follow_names() returns trigger language plpgsql security definer set search_path = '' as $$
begin
	update vault.unit u set name = new.name
		where u.id = new.unit and not exists (select from vault.unit_name n where n.unit = new.unit and n.begins > new.begins);
	return null;
end
$$;
-- +goose StatementEnd

-- What begins on a unit begins after what is recorded of it, and before its end.
-- +goose StatementBegin
create function vault.guard_beginning() returns trigger language plpgsql set search_path = '' as $$
declare
	later boolean;
begin
	execute format('select exists (select from vault.%I x where x.unit = $1 and x.begins >= $2)
		or exists (select from vault.unit u where u.id = $1 and (u.begins > $2 or u.ends <= $2))', tg_table_name)
		into later using new.unit, new.begins;
	if later then
		raise exception 'the unit has a later act' using errcode = 'check_violation', constraint = 'unit_later_check', table = tg_table_name;
	end if;
	return new;
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function vault.guard_unit() returns trigger language plpgsql set search_path = '' as $$
declare
	same vault.unit := new;
begin
	same.name := old.name; -- follows vault.unit_name: no application may write it
	if old.code is null then same.code := null; end if;
	if old.level is null then same.level := null; end if;
	if old.ends = 'infinity' then same.ends := old.ends; end if;
	if same is distinct from old then
		raise exception 'a unit takes its code, its level and its end, once, and no other change' using errcode = 'restrict_violation';
	end if;
	return new;
end
$$;
-- +goose StatementEnd

create index dossier_word_of_dossier on vault.dossier_word (dossier);

create trigger dossier_held after insert on vault.dossier referencing new table as fresh
	for each statement execute function vault.hold_dossiers();
create trigger holding_followed after insert on vault.dossier_holding referencing new table as fresh
	for each statement execute function vault.follow_holdings();
create trigger account_unit_guarded before insert or update of unit on vault.account
	for each row execute function vault.guard_account_unit();
create trigger unit_name_followed after insert on vault.unit_name
	for each row execute function vault.follow_names();
create trigger unit_guarded before update on vault.unit for each row execute function vault.guard_unit();
create trigger unit_name_guarded before insert on vault.unit_name for each row execute function vault.guard_beginning();
create trigger unit_parent_guarded before insert on vault.unit_parent for each row execute function vault.guard_beginning();
create trigger unit_head_guarded before insert on vault.unit_head for each row execute function vault.guard_beginning();
create trigger unit_seal_guarded before insert on vault.unit_seal for each row execute function vault.guard_beginning();

create trigger unit_kept before delete or truncate on vault.unit for each statement execute function vault.refuse();
create trigger unit_act_kept before update or delete or truncate on vault.unit_act for each statement execute function vault.refuse();
create trigger unit_act_unit_kept before update or delete or truncate on vault.unit_act_unit for each statement execute function vault.refuse();
create trigger unit_name_kept before update or delete or truncate on vault.unit_name for each statement execute function vault.refuse();
create trigger unit_parent_kept before update or delete or truncate on vault.unit_parent for each statement execute function vault.refuse();
create trigger unit_head_kept before update or delete or truncate on vault.unit_head for each statement execute function vault.refuse();
create trigger unit_seal_kept before update or delete or truncate on vault.unit_seal for each statement execute function vault.refuse();
create trigger holding_kept before update or delete or truncate on vault.dossier_holding for each statement execute function vault.refuse();

-- Also where a session plays the part of a replica. What only follows from other rows, a replica brings itself.
alter table vault.account enable always trigger account_unit_guarded;
alter table vault.unit enable always trigger unit_guarded;
alter table vault.unit_name enable always trigger unit_name_guarded;
alter table vault.unit_parent enable always trigger unit_parent_guarded;
alter table vault.unit_head enable always trigger unit_head_guarded;
alter table vault.unit_seal enable always trigger unit_seal_guarded;
alter table vault.unit enable always trigger unit_kept;
alter table vault.unit_act enable always trigger unit_act_kept;
alter table vault.unit_act_unit enable always trigger unit_act_unit_kept;
alter table vault.unit_name enable always trigger unit_name_kept;
alter table vault.unit_parent enable always trigger unit_parent_kept;
alter table vault.unit_head enable always trigger unit_head_kept;
alter table vault.unit_seal enable always trigger unit_seal_kept;
alter table vault.dossier_holding enable always trigger holding_kept;
