-- What this log itself has signed, apart from Trillian's tables: the last signed head, where each entry is, the tiles.

CREATE TABLE ledger.log (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    origin     text        NOT NULL UNIQUE,
    tree_id    bigint      NOT NULL, -- Trillian's
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ledger.head (
    log_id     integer     PRIMARY KEY REFERENCES ledger.log,
    size       bigint      NOT NULL CHECK (size >= 0),
    root       bytea       NOT NULL CHECK (octet_length(root) = 32),
    checkpoint bytea       NOT NULL, -- the signed note of this size and root
    signed_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ledger.entry (
    log_id     integer NOT NULL,
    identity   bytea   NOT NULL CHECK (octet_length(identity) = 32),
    leaf_index bigint  NOT NULL CHECK (leaf_index >= 0),
    leaf_hash  bytea   NOT NULL CHECK (octet_length(leaf_hash) = 32),
    PRIMARY KEY (log_id, identity),
    UNIQUE (log_id, leaf_index)
);

CREATE TABLE ledger.tile (
    log_id     integer  NOT NULL,
    level      smallint NOT NULL CHECK (level BETWEEN -1 AND 7), -- -1: entry bundle
    tile_index bigint   NOT NULL CHECK (tile_index >= 0),
    width      smallint NOT NULL CHECK (width BETWEEN 1 AND 256),
    data       bytea    NOT NULL,
    PRIMARY KEY (log_id, level, tile_index, width)
);
-- Hashes do not compress.
ALTER TABLE ledger.tile ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table ledger.% only grows', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION ledger.only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.log_id <> OLD.log_id OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root) THEN
        RAISE EXCEPTION 'the head of a log only moves forward' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER log_is_kept BEFORE UPDATE OR DELETE ON ledger.log FOR EACH ROW EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER log_is_not_emptied BEFORE TRUNCATE ON ledger.log FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER head_is_kept BEFORE DELETE ON ledger.head FOR EACH ROW EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER head_moves_forward BEFORE UPDATE ON ledger.head FOR EACH ROW EXECUTE FUNCTION ledger.only_forward();
CREATE TRIGGER head_is_not_emptied BEFORE TRUNCATE ON ledger.head FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER entry_is_kept BEFORE UPDATE OR DELETE ON ledger.entry FOR EACH ROW EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER entry_is_not_emptied BEFORE TRUNCATE ON ledger.entry FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER tile_is_kept BEFORE UPDATE ON ledger.tile FOR EACH ROW EXECUTE FUNCTION ledger.refuse();
-- A partial tile may go once the full one is there.
CREATE TRIGGER full_tile_is_kept BEFORE DELETE ON ledger.tile FOR EACH ROW WHEN (OLD.width = 256) EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER tile_is_not_emptied BEFORE TRUNCATE ON ledger.tile FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
