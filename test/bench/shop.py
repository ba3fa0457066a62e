"""Five shops that differ in their triggers only, and what they do.

    floor    none
    control  none either: what differs from floor is noise
    empty    statement triggers with transition tables that do nothing
    ours     watched by replenish, its worker running
    peer     what a shop would write: AFTER ROW, upsert of a summary, pg_notify
"""

import re

from common import ITEMS, SIDES

# orders; orders that can be cancelled; stock
TABLES = """
CREATE TABLE {0}_orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text NOT NULL, qty integer NOT NULL, location text NOT NULL,
    channel text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE {0}_paid (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text NOT NULL, qty integer NOT NULL, location text NOT NULL,
    channel text NOT NULL, at timestamptz NOT NULL DEFAULT now(),
    status text NOT NULL DEFAULT 'paid') WITH (fillfactor = 50);
CREATE TABLE {0}_stock (sku text, location text, on_hand integer NOT NULL,
    PRIMARY KEY (sku, location)) WITH (fillfactor = 50);
INSERT INTO {0}_stock SELECT 'sku-' || i, 'main', 1000000
    FROM generate_series(1, {1}) i;
"""

PAID = """INSERT INTO {0}_paid (sku, qty, location, channel)
    SELECT 'sku-' || i, 1, 'main', 'live' FROM generate_series(1, {1}) i"""

EMPTY = """
CREATE TRIGGER i AFTER INSERT ON {0} REFERENCING NEW TABLE AS new
    FOR EACH STATEMENT EXECUTE FUNCTION nothing();
CREATE TRIGGER u AFTER UPDATE ON {0} REFERENCING OLD TABLE AS old
    NEW TABLE AS new FOR EACH STATEMENT EXECUTE FUNCTION nothing();
CREATE TRIGGER d AFTER DELETE ON {0} REFERENCING OLD TABLE AS old
    FOR EACH STATEMENT EXECUTE FUNCTION nothing();
"""

TRIGGERS = {
    "floor": "",
    "control": "",
    "empty": """
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RETURN NULL; END';
""" + "".join(EMPTY.format("empty_" + table)
              for table in ("orders", "paid", "stock")),
    "ours": """
SELECT replenish.watch_orders('ours_orders', 'sku', 'qty', 'at', 'location',
    'channel');
SELECT replenish.watch_orders('ours_paid', 'sku', 'qty', 'at', 'location',
    'channel', status => 'status', counted => '{paid}');
SELECT replenish.watch_stock('ours_stock', 'sku', 'on_hand', 'location');
CALL replenish.backfill('ours_stock');
""",
    "peer": """
CREATE TABLE summary (sku text, location text, sold bigint NOT NULL,
    on_hand bigint NOT NULL, PRIMARY KEY (sku, location))
    WITH (fillfactor = 50);
INSERT INTO summary SELECT sku, location, 0, on_hand FROM peer_stock;
CREATE FUNCTION sold(item text, place text, units bigint) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    new_sold bigint;
BEGIN
    INSERT INTO summary AS s VALUES (item, place, units, 0)
    ON CONFLICT (sku, location) DO UPDATE SET sold = s.sold + excluded.sold
    RETURNING s.sold INTO new_sold;
    -- one order in a hundred is news
    IF new_sold % 100 = 0 THEN
        PERFORM pg_notify('peer', item);
    END IF;
END $$;
CREATE FUNCTION sell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sold(NEW.sku, NEW.location, NEW.qty);
    RETURN NULL;
END $$;
CREATE FUNCTION cancel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sold(OLD.sku, OLD.location, -OLD.qty);
    RETURN NULL;
END $$;
CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO summary AS s VALUES (NEW.sku, NEW.location, 0, NEW.on_hand)
    ON CONFLICT (sku, location) DO UPDATE SET on_hand = excluded.on_hand;
    IF NEW.on_hand % 100 = 0 THEN
        PERFORM pg_notify('peer', NEW.sku);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER orders AFTER INSERT ON peer_orders
    FOR EACH ROW EXECUTE FUNCTION sell();
CREATE TRIGGER paid AFTER INSERT ON peer_paid
    FOR EACH ROW EXECUTE FUNCTION sell();
CREATE TRIGGER cancelled AFTER UPDATE ON peer_paid FOR EACH ROW
    WHEN (OLD.status = 'paid' AND NEW.status <> 'paid')
    EXECUTE FUNCTION cancel();
CREATE TRIGGER deleted AFTER DELETE ON peer_paid FOR EACH ROW
    WHEN (OLD.status = 'paid') EXECUTE FUNCTION cancel();
CREATE TRIGGER stock AFTER UPDATE ON peer_stock
    FOR EACH ROW EXECUTE FUNCTION move();
"""}

# Prepared once per side: (arguments, text); each line of an order has its own
# SKU.
LINE = "('sku-' || ${}, 1, 'main', 'live')"
INSERT = "INSERT INTO {}_orders (sku, qty, location, channel) VALUES "
STATEMENTS = {
    "single": (1, INSERT + LINE.format(1)),
    "five": (5, INSERT + ", ".join(LINE.format(i) for i in range(1, 6))),
    "stock": (1, "UPDATE {}_stock SET on_hand = on_hand - 1"
                 " WHERE sku = 'sku-' || $1 AND location = 'main'"),
    "cancel": (1, "UPDATE {}_paid SET status = 'cancelled' WHERE id = $1"),
    "delete": (1, "DELETE FROM {}_paid WHERE id = $1"),
}

# Rows of one statement: all of now, or each of a minute of its own.
NOW = "now()"
SPREAD = "now() - i % 1999 * interval '1 minute'"
ROWS = "SELECT 'sku-' || i %% %d, 1, 'main', 'live', %s" \
    " FROM generate_series(1, %d) i"
COLUMNS = "{}_orders (sku, qty, location, channel, at)"


def rows(count, at=NOW, items=ITEMS):
    """A query of so many orders."""
    return ROWS % (items, at, count)


def bulk(side, count, at=NOW, items=ITEMS):
    """One statement of so many orders."""
    return "INSERT INTO %s %s" % (COLUMNS.format(side),
                                  rows(count, at, items))


def script(side, name, items):
    """pgbench script of a statement, on items that it draws."""
    nargs, sql = STATEMENTS[name]
    draws = "".join("\\set s%d random(1, %d)\n" % (i, items)
                    for i in range(1, nargs + 1))
    return draws + re.sub(r"\$(\d)", r":s\1", sql.format(side)) + ";\n"


def build(bench):
    """Make the five shops, in the database of the benchmark."""
    bench.run("CREATE EXTENSION replenish; SELECT replenish.go_live()")
    for side in SIDES:
        bench.run(TABLES.format(side, ITEMS) + TRIGGERS[side])
        bench.run(PAID.format(side, ITEMS))
        for name, (nargs, sql) in STATEMENTS.items():
            bench.run("PREPARE %s_%s (%s) AS %s" % (
                side, name, ", ".join(["integer"] * nargs), sql.format(side)))
    bench.quiet()
    bench.run("VACUUM ANALYZE")
    bench.run("CHECKPOINT")
