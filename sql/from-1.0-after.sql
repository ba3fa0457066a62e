
DROP FUNCTION replenish.pending(timestamptz);
