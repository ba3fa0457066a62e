\echo Use "CREATE EXTENSION replenish" to load this file. \quit

-- Whoever may create in the schema that comes first on the installer's path
-- must not slip an operator into what is parsed here.
SET LOCAL search_path = pg_catalog, pg_temp;
-- the library writes to its tables as heaps
SET LOCAL default_table_access_method = heap;

CREATE SCHEMA replenish;

COMMENT ON SCHEMA replenish IS
'What is about to sell out, when, how alarmed to be and how much to order.';
