-- +goose Up

-- The registers are files. Every version of each that the vault has gone by is kept whole.
create table vault.catalogue_file (
	register text not null check (register ~ '^[a-z][a-z0-9_]{0,31}$'),
	version  integer not null check (version >= 1),
	sha256   bytea not null check (sha256 = sha256(text)),
	text     bytea not null check (octet_length(text) > 0),
	seen     timestamptz not null,
	primary key (register, version)
);

-- Which files were in use together, and since when; the last one is in use. The text names the files by their SHA-256.
create table vault.catalogue (
	number integer primary key check (number >= 1),
	sha256 bytea not null check (sha256 = sha256(text)),
	text   bytea not null check (octet_length(text) > 0),
	since  timestamptz not null
);

create trigger catalogue_file_kept before update or delete or truncate on vault.catalogue_file
	for each statement execute function vault.refuse();

create trigger catalogue_kept before update or delete or truncate on vault.catalogue
	for each statement execute function vault.refuse();

alter table vault.catalogue_file enable always trigger catalogue_file_kept;
alter table vault.catalogue enable always trigger catalogue_kept;

-- Which registers there are is the catalogue's to say.
alter table vault.dossier
	drop constraint dossier_register_check,
	add constraint dossier_register_check check (register ~ '^[a-z][a-z0-9_]{0,31}$');
