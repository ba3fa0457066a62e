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
			'absorb', 'admit_postponed', 'alterations', 'announce',
			'append_difference', 'assess', 'attach', 'backfill',
			'batch_notification', 'become_decider', 'bound_of', 'capture',
			'check_column', 'check_foreign', 'check_relation', 'check_tree',
			'clock', 'column_trouble', 'count_rows', 'decide', 'difference',
			'drain', 'drop_triggers', 'events_after', 'explain',
			'find_header_id', 'fold_inbox', 'follow', 'follow_drop', 'health',
			'inbox_waits', 'is_due', 'is_new', 'is_on_header', 'is_own',
			'lock_repair', 'lock_trees', 'mark_backfilled', 'mark_stale',
			'note_table', 'own_command', 'pack_arguments', 'part_columns',
			'pending', 'policy_changed', 'put_triggers', 'record_demand',
			'recount', 'refresh_typical', 'register_source', 'repair',
			'resolve_policy', 'retire_source', 'rewatch', 'source_of',
			'table_name', 'tick', 'touch', 'touch_source', 'tree_of',
			'trigger_arguments', 'trim_inbox', 'unwatch', 'verify', 'wake',
			'watch_orders', 'watch_stock', 'who_holds', 'worker_pid'])
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC',
			routine);
	END LOOP;
END $$;
