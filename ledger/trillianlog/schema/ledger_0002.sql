-- What strangers were shown: the newest published checkpoint, the keys that signed, and what contradicted us.

CREATE TABLE ledger.published (
    log_id       integer     PRIMARY KEY REFERENCES ledger.log,
    size         bigint      NOT NULL CHECK (size >= 0),
    root         bytea       NOT NULL CHECK (octet_length(root) = 32),
    checkpoint   bytea       NOT NULL, -- the signed note of this size and root, with its co-signatures
    signed_time  bigint      NOT NULL CHECK (signed_time >= 0), -- newest time line that was ever published, seconds since 1970; 0: none
    published_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ledger.key (
    log_id       integer     NOT NULL REFERENCES ledger.log,
    number       integer     NOT NULL CHECK (number > 0),
    verifier_key text        NOT NULL,
    since_size   bigint      NOT NULL CHECK (since_size >= 0), -- of the first tree that it signed
    checkpoint   bytea, -- of that size, signed by the key before, too; none for the first key
    added_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (log_id, number),
    UNIQUE (log_id, verifier_key)
);

CREATE TABLE ledger.rotation (
    log_id     integer     NOT NULL REFERENCES ledger.log,
    old_key    text        NOT NULL,
    new_key    text        NOT NULL,
    leaf       bytea       NOT NULL, -- the key event that is, or will be, in the log
    decided_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (log_id, new_key)
);

CREATE TABLE ledger.fork (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log_id   integer     NOT NULL REFERENCES ledger.log,
    ours     bytea       NOT NULL, -- the newest signed head
    theirs   bytea       NOT NULL, -- a checkpoint by our key that does not agree with it
    reason   text        NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (log_id, ours, theirs)
);

CREATE FUNCTION ledger.published_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.log_id <> OLD.log_id OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
        OR NEW.signed_time < OLD.signed_time THEN
        RAISE EXCEPTION 'what a log has published only moves forward' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER published_is_kept BEFORE DELETE ON ledger.published FOR EACH ROW EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER published_moves_forward BEFORE UPDATE ON ledger.published FOR EACH ROW EXECUTE FUNCTION ledger.published_only_forward();
CREATE TRIGGER published_is_not_emptied BEFORE TRUNCATE ON ledger.published FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER key_is_kept BEFORE UPDATE OR DELETE ON ledger.key FOR EACH ROW EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER key_is_not_emptied BEFORE TRUNCATE ON ledger.key FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER rotation_is_kept BEFORE UPDATE OR DELETE ON ledger.rotation FOR EACH ROW EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER rotation_is_not_emptied BEFORE TRUNCATE ON ledger.rotation FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER fork_is_kept BEFORE UPDATE OR DELETE ON ledger.fork FOR EACH ROW EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER fork_is_not_emptied BEFORE TRUNCATE ON ledger.fork FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
