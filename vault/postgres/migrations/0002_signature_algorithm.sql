-- +goose Up

-- How a job is to be signed, and what the signer says beside it (see package signing). Jobs that wait were prepared in a form that is
-- read no more: they end here, and what they were to sign is asked for again.

insert into vault.garbage (object_key)
	select x.object_key from vault.job j join vault.export x on x.id = j.export where j.state = 'waiting'
	on conflict do nothing;

update vault.job set state = 'expired' where state = 'waiting';

alter table vault.job
	add column algorithm text not null default 'rsa-sha256' check (algorithm <> ''),
	add column statement jsonb not null default '{}',
	drop constraint job_digest_check,
	add constraint job_digest_check check (octet_length(digest) in (32, 48, 64));

alter table vault.job alter column algorithm drop default, alter column statement drop default;
