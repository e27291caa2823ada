-- +goose Up

-- What people prove themselves by besides their passwords. The secret is encrypted under a data key of its own.
create table vault.second_factor (
	account     uuid primary key references vault.account,
	wrapped_key bytea not null check (octet_length(wrapped_key) > 0),
	sealed      bytea not null check (octet_length(sealed) between 1 and 1000),
	confirmed   timestamptz,             -- null: nobody has shown a code of it yet
	step        bigint not null default 0 -- the last one whose code was used
);

-- A code that was used is deleted: who used it, and when, stands in the access record.
create table vault.recovery_code (
	account uuid not null references vault.second_factor on delete cascade,
	hash    bytea not null check (octet_length(hash) = 32),
	primary key (account, hash)
);

-- Failed sign-ins, by the hash of what they are counted for: a login from a network, a network, a login. They are counted whether or not there is such
-- a login, and forgotten after a day without one.
create table vault.sign_in_try (
	key      bytea primary key check (octet_length(key) = 32),
	failures integer not null check (failures >= 0),
	last     timestamptz not null,
	until    timestamptz not null -- the next one waits
);
create index sign_in_try_last on vault.sign_in_try (last);

-- Networks that logins have been signed in from, by the hash of both.
create table vault.known_place (
	key  bytea primary key check (octet_length(key) = 32),
	last timestamptz not null
);
create index known_place_last on vault.known_place (last);
