
DROP FUNCTION replenish.pending(timestamptz);

-- The tables that are watched get the triggers of this version.
SELECT replenish.rewatch(w.relation) FROM replenish.watched w;
