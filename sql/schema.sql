\echo Use "CREATE EXTENSION replenish" to load this file. \quit

CREATE SCHEMA replenish;

COMMENT ON SCHEMA replenish IS
'What is about to sell out, when, how alarmed to be and how much to order.';
