-- +goose Up

-- Machines that sign in by keys of their own. A key is enrolled once, for one account, and ends once.
create table vault.device (
	id       uuid primary key,
	account  uuid not null references vault.account,
	name     text not null check (name <> ''),
	key      bytea not null check (octet_length(key) = 32),
	enrolled timestamptz not null,
	revoked  timestamptz check (revoked >= enrolled),
	constraint device_key_unique unique (key)
);

create index device_of_account on vault.device (account, id desc);

-- What devices have signed in with. A row may go once nothing signed with it would be taken any more.
create table vault.device_nonce (
	device uuid not null references vault.device,
	nonce  bytea not null check (octet_length(nonce) = 16),
	until  timestamptz not null,
	constraint device_nonce_unique primary key (device, nonce)
);

alter table vault.session add column device uuid references vault.device;

alter table vault.event add column device uuid;

-- +goose StatementBegin
create function vault.guard_device() returns trigger language plpgsql set search_path = '' as $$
declare
	same vault.device := new;
begin
	same.revoked := old.revoked;
	if same is distinct from old or old.revoked is not null then
		raise exception 'a device is revoked, once, and takes no other change' using errcode = 'restrict_violation';
	end if;
	return new;
end
$$;
-- +goose StatementEnd

create trigger device_guarded before update on vault.device
	for each row execute function vault.guard_device();

create trigger device_kept before delete or truncate on vault.device
	for each statement execute function vault.refuse();

alter table vault.device enable always trigger device_guarded;
alter table vault.device enable always trigger device_kept;
