-- Trillian v1.8.0 queues a single leaf by one statement and many by this function, which locked both tables as a whole and in the
-- order opposite to that statement's: where the two met, both stood still until PostgreSQL had noticed the deadlock, a second later,
-- and all other queueing and integrating with them. Now it does for many leaves what that statement does for one, without table locks:
-- an identity that is there already, or comes to be there at the same time, is a duplicate by LeafData's primary key. Leaves are
-- inserted in the order of their identities, so that calls with the same ones wait for each other instead of deadlocking. An identity
-- that repeats within a call fails the call, as before: its QueueID repeats too.
CREATE OR REPLACE FUNCTION queue_leaves(
) RETURNS SETOF bytea
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY
    WITH inserted AS (
      INSERT INTO LeafData (TreeId,LeafIdentityHash,LeafValue,ExtraData,QueueTimestampNanos)
        SELECT t.TreeId,t.LeafIdentityHash,t.LeafValue,t.ExtraData,t.QueueTimestampNanos
          FROM TempQueueLeaves t
          ORDER BY t.TreeId,t.LeafIdentityHash
        ON CONFLICT DO NOTHING
        RETURNING LeafData.TreeId,LeafData.LeafIdentityHash
    ), queued AS (
      INSERT INTO Unsequenced (TreeId,Bucket,LeafIdentityHash,MerkleLeafHash,QueueTimestampNanos,QueueID)
        SELECT t.TreeId,0,t.LeafIdentityHash,t.MerkleLeafHash,t.QueueTimestampNanos,t.QueueID
          FROM TempQueueLeaves t
          JOIN inserted i ON i.TreeId = t.TreeId AND i.LeafIdentityHash = t.LeafIdentityHash
    )
    SELECT DISTINCT t.LeafIdentityHash
      FROM TempQueueLeaves t
      WHERE NOT EXISTS (SELECT FROM inserted i WHERE i.TreeId = t.TreeId AND i.LeafIdentityHash = t.LeafIdentityHash);
END;
$$;
