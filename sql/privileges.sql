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
		WHERE n.nspname = 'replenish' AND p.proname = ANY (ARRAY[
			'absorb', 'admit_postponed', 'announce', 'append_difference',
			'assess', 'attach', 'backfill', 'batch_notification',
			'become_decider', 'capture',
			'check_column', 'check_relation', 'check_tree', 'clock',
			'column_trouble', 'decide', 'difference',
			'drain', 'events_after', 'explain', 'fold_inbox', 'health',
			'inbox_waits', 'is_due', 'is_new', 'lock_repair', 'mark_backfilled',
			'pending', 'policy_changed', 'record_demand', 'recount',
			'register_source', 'repair', 'resolve_policy', 'retire_source',
			'source_of', 'table_name', 'tick', 'touch', 'touch_source',
			'base_type', 'check_lines', 'first_look', 'go_live',
			'header_join', 'line_moment', 'lines_query', 'recent_prices',
			'trigger_arguments', 'trim_inbox',
			'refresh_typical', 'unwatch', 'verify', 'wake', 'watch_orders',
			'watch_stock', 'worker_pid'])
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC',
			routine);
	END LOOP;
END $$;
