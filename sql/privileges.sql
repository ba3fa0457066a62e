---------------------------------------------------------------------------
-- Privileges: what runs with its owner's rights, reads or writes our tables in
-- C, or has a table watched is granted one by one.  All else is everybody's
-- who may use the schema, and can do no more than its caller.
---------------------------------------------------------------------------

-- Said for every routine, so that an update leaves the same as an installation.
DO $$
DECLARE
	routine regprocedure;
	guarded boolean;
BEGIN
	FOR routine, guarded IN
		SELECT p.oid, p.prosecdef OR l.lanname = 'c' AND p.provolatile <> 'i'
			OR p.proname IN ('watch_orders', 'watch_stock', 'watch_inbound',
				'watch_audience',
				'rewatch', 'unwatch')
		FROM pg_catalog.pg_proc p
		JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		JOIN pg_catalog.pg_language l ON l.oid = p.prolang
		WHERE n.nspname = 'replenish'
	LOOP
		EXECUTE pg_catalog.format(CASE WHEN guarded
			THEN 'REVOKE ALL ON ROUTINE %s FROM PUBLIC'
			ELSE 'GRANT EXECUTE ON ROUTINE %s TO PUBLIC' END, routine);
	END LOOP;
END $$;
