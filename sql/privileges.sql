---------------------------------------------------------------------------
-- Privileges: what runs with its owner's rights, reads or writes our tables in
-- C, or has a table watched is granted one by one.  All else is everybody's
-- who may use the schema, and can do no more than its caller.
---------------------------------------------------------------------------

DO $$
DECLARE
	routine regprocedure;
BEGIN
	FOR routine IN
		SELECT p.oid FROM pg_catalog.pg_proc p
		JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		JOIN pg_catalog.pg_language l ON l.oid = p.prolang
		WHERE n.nspname = 'replenish'
			AND (p.prosecdef OR l.lanname = 'c' AND p.provolatile <> 'i'
				OR p.proname IN ('watch_orders', 'watch_stock', 'rewatch',
					'unwatch'))
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC',
			routine);
	END LOOP;
END $$;
