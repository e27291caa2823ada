-- +goose Up

-- The picture that an account's signatures show, encrypted under a data key of its own. It is no record: what signed documents show of it they carry.
create table vault.signature_picture (
	account     uuid primary key references vault.account,
	wrapped_key bytea not null check (octet_length(wrapped_key) > 0),
	sealed      bytea not null check (octet_length(sealed) between 1 and 600000)
);
alter table vault.signature_picture alter column sealed set storage external; -- ciphertext does not compress
