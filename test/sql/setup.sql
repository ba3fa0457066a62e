-- no worker here: each test ticks by itself, and events come at once
SELECT format('ALTER DATABASE %I SET replenish.evaluate = manual', current_database()) AS alter \gset
:alter;
SELECT format('ALTER DATABASE %I SET replenish.quiet_start = off', current_database()) AS alter \gset
:alter;
SET replenish.evaluate = manual;
-- one that was started meanwhile is sent away
SELECT count(pg_terminate_backend(replenish.worker_pid(), 10000)) < 2 AS sent_away;
SELECT replenish.worker_pid();
