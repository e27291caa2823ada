-- +goose Up

-- Which signature a signed job took (SHA-256 of the token's value), so that it may come twice and count once.
alter table vault.job
	add column signature bytea check (octet_length(signature) = 32),
	add constraint job_signed_check check (signature is null or state = 'signed');

-- +goose StatementBegin
create or replace function vault.guard_job() returns trigger language plpgsql set search_path = '' as $$
declare
	same vault.job := new;
begin
	same.state := old.state;
	same.signature := old.signature;
	if same is distinct from old or old.state <> 'waiting' then
		raise exception 'a waiting job ends, once, and takes no other change' using errcode = 'restrict_violation';
	end if;
	return new;
end
$$;
-- +goose StatementEnd
