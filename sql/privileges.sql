---------------------------------------------------------------------------
-- Privileges: the pure functions are everybody's who may use the schema; what
-- watches, decides or reads the shop's sums is granted one by one.
---------------------------------------------------------------------------

DO $$
DECLARE
	routine regprocedure;
BEGIN
	FOR routine IN
		SELECT p.oid FROM pg_catalog.pg_proc p
		JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		WHERE n.nspname = 'replenish'
			-- whoever writes a location down has its zone checked
			AND (p.provolatile <> 'i' AND p.proname <> 'is_time_zone'
				OR p.proname IN ('absorb', 'amounts', 'trigger_arguments'))
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC',
			routine);
	END LOOP;
END $$;
