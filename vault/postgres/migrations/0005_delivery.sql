-- +goose Up

-- The certificate that what an account collects may be enclosed for (DER); null: none. It is not the one that signs.
alter table vault.account add column delivery_certificate bytea check (octet_length(delivery_certificate) > 0);
