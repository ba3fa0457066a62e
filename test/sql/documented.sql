-- every object is documented where a reader looks
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS "without a comment"
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'replenish')
	AND obj_description(d.objid, d.classid::regclass::name) IS NULL
	-- array and row types, which from 18 on are members themselves
	AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = d.classid
		AND i.objid = d.objid AND i.deptype = 'i'
		AND d.classid = 'pg_type'::regclass)
ORDER BY 1;
SELECT tgname AS "without a comment" FROM pg_trigger
WHERE tgrelid = 'replenish.policy'::regclass AND NOT tgisinternal
	AND obj_description(oid, 'pg_trigger') IS NULL;
-- what people read and edit, column by column, where the name does not say it
SELECT a.attrelid::regclass, a.attname AS "without a comment" FROM pg_attribute a
WHERE a.attrelid = 'replenish.policy'::regclass AND a.attnum > 2
	AND col_description(a.attrelid, a.attnum) IS NULL ORDER BY 2;
-- all functions say how they may be used
SELECT p.oid::regprocedure AS "parallel unsafe, yet pure" FROM pg_proc p
WHERE p.pronamespace = 'replenish'::regnamespace AND p.provolatile = 'i'
	AND p.proparallel <> 's' ORDER BY 1;
