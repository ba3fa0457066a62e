"""What a shop writes: one statement at a time, from random numbers."""

import time

from shop import STATUSES


class Writer:
    """Makes statements for one session from its own random numbers."""

    def __init__(self, shop, rng):
        self.shop = shop
        self.rng = rng

    # Values, by the role of their column.

    def value(self, role):
        return getattr(self, role)()

    def id(self):
        return str(self.rng.randint(0, 300))

    def key_of(self, kind, n=None):
        """A key of an order in the type of its column."""
        n = self.rng.randint(0, 60) if n is None else n
        if kind == "text":
            return "'%d'" % n
        if kind == "uuid":
            return "'%032d'" % n
        return str(n)

    def key(self):
        return self.key_of(self.shop.order_type)

    def order(self):
        if self.rng.random() < 0.02:
            return "NULL"
        return self.key_of(self.shop.line_order_type)

    def sku(self):
        if self.rng.random() < 0.02:
            return "NULL"
        return self.rng.choice(self.shop.skus)

    def location(self):
        return self.rng.choice(["NULL", "'east'", "'west'"])

    def channel(self):
        return self.rng.choice(["NULL", "'live'", "'shop'"])

    def status(self):
        s = self.rng.choice(STATUSES)
        return "NULL" if s is None else "'%s'" % s

    def qty(self):
        r = self.rng.random()
        if r < 0.02:
            return "NULL"
        if r < 0.04 and self.shop.qty_type != "integer":
            return self.rng.choice(["'NaN'", "'Infinity'", "1e15"])
        if r < 0.1:
            return str(-self.rng.randint(0, 5))
        if r < 0.2 and self.shop.qty_type != "integer":
            return "%.6f" % self.rng.uniform(0, 100)
        return str(self.rng.randint(1, 50))

    def seconds_ago(self):
        """None at about a day ago: what status calls the last 24 hours has
        its edge there, by the hour."""
        span = self.rng.choice([60, 3600, 20 * 3600, 86400 * 20,
                                86400 * (self.shop.keep + 15)])
        seconds = self.rng.randint(0, span)
        if 20 * 3600 < seconds < 27 * 3600:
            seconds += 8 * 3600
        return seconds

    def at(self):
        r = self.rng.random()
        if r < 0.02:
            return self.rng.choice(["NULL", "'infinity'", "'-infinity'",
                                    "now() + interval '3 days'"])
        return "now() - interval '%d s'" % self.seconds_ago()

    def room(self):
        if self.rng.random() < 0.02:
            return "NULL"
        return "'%s'" % self.rng.choice(self.shop.rooms)

    def route(self):
        return self.rng.choice(["NULL", "'sea'", "'air'"])

    def expected_at(self):
        """Days from now, or before; in the type of a moment or a date."""
        r = self.rng.random()
        if r < 0.15:
            return "NULL"
        if r < 0.17:
            return "'infinity'"
        return "now() + interval '%d h'" % self.rng.randint(-600, 900)

    def received_at(self):
        if self.rng.random() < 0.5:
            return "NULL"
        return self.at()

    def received(self):
        return self.rng.choice(["NULL", "0", self.qty()])

    def on_hand(self):
        return self.rng.choice(["NULL", "%d" % self.rng.randint(-5, 500),
                                "12.5", "7", "80"])

    def reserved(self):
        return str(self.rng.randint(0, 5))

    def on_order(self):
        return str(self.rng.randint(0, 50))

    def counted_at(self):
        """Few moments, so that rows of one snapshot meet."""
        r = self.rng.random()
        if r < 0.04:
            return self.rng.choice(["NULL", "now() + interval '2 days'"])
        if r < 0.1:
            return "now()"
        return "now() - interval '%d min'" % self.rng.choice(
            self.shop.moments)

    # Parts of statements.

    def row(self, table, **given):
        return "(%s)" % ", ".join(given.get(role) or self.value(role)
                                  for role in table.roles())

    def where(self, table):
        rng = self.rng
        kind = rng.random()
        first = table.columns[0]
        if table.column("sku") and kind >= 0.9 or first.role == "sku":
            return "%s = %s" % (table.column("sku"),
                                rng.choice(self.shop.skus))
        if first.role == "key":
            return "%s IN (%s, %s)" % (first.name, self.key(), self.key())
        if table.column("order") and kind < 0.2:
            return "%s = %s" % (table.column("order"), self.order())
        if kind < 0.6:
            return "%s = %s" % (first.name, self.id())
        low = rng.randint(0, 300)
        return "%s BETWEEN %d AND %d" % (first.name, low,
                                         low + rng.randint(0, 30))

    def assignment(self, table):
        roles = [r for r in table.roles() if r != "id"]
        role = self.rng.choice(roles + ["same"])
        if role == "same":
            return "%s = %s" % ((table.columns[-1].name,) * 2)
        return "%s = %s" % (table.column(role), self.value(role))

    def assignments(self, table, but="id"):
        roles = [r for r in table.roles() if r not in ("id", but)]
        return ", ".join(
            "%s = %s" % (table.column(r), self.value(r))
            for r in self.rng.sample(roles, min(3, len(roles))))

    def copied(self, role, number):
        """A value as COPY reads it."""
        rng = self.rng
        if role == "id":
            return str(number)
        if role == "at":
            return time.strftime(
                "%Y-%m-%d %H:%M:00+00",
                time.gmtime(time.time() - self.seconds_ago()))
        if role in ("channel", "route"):
            return "copied"
        if role == "location":
            return rng.choice(["east", "west", "\\N"])
        if role == "room":
            return rng.choice(self.shop.rooms)
        if role in ("expected_at", "received_at"):
            return rng.choice(["\\N", "2026-01-%02d" % rng.randint(1, 28)])
        if role in ("qty", "received"):
            return str(rng.randint(0, 9))
        if role == "status":
            return "paid"
        return self.value(role).replace("NULL", "\\N").strip("'")

    # Statements.

    def statement(self):
        """One statement of the shop; a pair (statement, data) for COPY."""
        shop = self.shop
        tables = [shop.lines, shop.stock]
        weights = [76, 20]
        if shop.split:
            tables.append(shop.header)
            weights.append(40)
        if shop.purchases:
            tables.append(shop.purchases)
            weights.append(20)
        if shop.viewers:
            tables.append(shop.viewers)
            weights.append(20)
        if shop.mapped:
            tables.append(None)
            weights.append(10)
        table = self.rng.choices(tables, weights)[0]
        if table is shop.stock:
            return self.of_stock()
        if table is None:
            return self.of_keys()
        return self.of_rows(table)

    def of_rows(self, table):
        """Of any table but that of stock."""
        shop, rng = self.shop, self.rng
        kind = rng.choices(
            ["insert", "rows", "series", "copy", "update", "updates",
             "delete", "upsert", "merge", "cte", "truncate", "housekeeping"],
            [14, 8, 3, 4, 12, 6, 8, 8, 5, 4, 1, 2])[0]
        if kind == "cte" and table is shop.header:
            return self.both()
        return getattr(self, kind)(table)

    def insert(self, table):
        return "INSERT INTO %s %s VALUES %s" % (
            table.storage.target(0.1), table.list(), self.row(table))

    def rows(self, table):
        first = self.rng.randint(0, 300)
        rows = [self.row(table, id=str(first + i))
                for i in range(self.rng.randint(2, 20))]
        return "INSERT INTO %s %s VALUES %s ON CONFLICT DO NOTHING" % (
            table.name, table.list(), ", ".join(rows))

    def series(self, table):
        low = 400 + self.rng.randint(0, 100)
        given = {"id": "g", "qty": "g % 7", "status": "'paid'",
                 "at": "now() - g * interval '1 minute'",
                 "key": "(g %% 80)::text::%s" % self.shop.order_type
                 if table is self.shop.header
                 and self.shop.order_type != "uuid" else None}
        return ("INSERT INTO %s %s SELECT %s FROM generate_series(%d, %d) g"
                " ON CONFLICT DO NOTHING" % (
                    table.name, table.list(), self.row(table, **given)[1:-1],
                    low, low + self.rng.randint(20, 220)))

    def copy(self, table):
        first = 1000 + self.rng.randint(0, 10 ** 6)
        if table.unique == "key":
            return self.insert(table)
        lines = ["\t".join(self.copied(role, first + i)
                           for role in table.roles()) + "\n"
                 for i in range(self.rng.randint(1, 60))]
        return ("COPY %s %s FROM STDIN" % (table.name, table.list()),
                "".join(lines))

    def update(self, table):
        return "UPDATE %s SET %s WHERE %s" % (
            table.storage.target(), self.assignment(table), self.where(table))

    def updates(self, table):
        return "UPDATE %s SET %s WHERE %s" % (
            table.name, self.assignments(table), self.where(table))

    def delete(self, table):
        return "DELETE FROM %s WHERE %s" % (
            table.storage.target(), self.where(table))

    def upsert(self, table):
        if (not table.unique or not table.storage.unique
                or len(table.columns) == 1):
            return self.rows(table)
        key = table.column(table.unique)
        # what was met there cannot be sent to another partition
        but = table.unique if table.storage.parts else "id"
        return ("INSERT INTO %s %s VALUES %s, %s ON CONFLICT (%s) DO UPDATE"
                " SET %s" % (
                    table.name, table.list(), self.row(table),
                    self.row(table), key, self.assignments(table, but)))

    def merge(self, table):
        shop = self.shop
        low = self.rng.randint(0, 300)
        key = table.columns[0]
        if key.role == "key":
            low = low % 60
        insert = "WHEN NOT MATCHED THEN INSERT %s VALUES %s " % (
            table.list(), self.row(table, id="g", key="g::text::%s" %
                                   shop.order_type if key.role == "key"
                                   else None))
        if key.kind == "uuid" or (
                table.storage.parts and shop.server >= 180000):
            # an update after an insert hands on the wrong row there
            insert = ""
        return ("MERGE INTO %s o USING generate_series(%d, %d) g "
                "ON o.%s::text = g::text "
                "WHEN MATCHED AND g %% 3 = 0 THEN DELETE "
                "WHEN MATCHED THEN UPDATE SET %s %s" % (
                    table.name, low, low + self.rng.randint(0, 20),
                    key.name, self.assignments(table), insert))

    def cte(self, table):
        stock = self.shop.stock
        on_hand = stock.column("on_hand")
        return ("WITH d AS (DELETE FROM %s WHERE %s RETURNING %s), "
                "u AS (UPDATE %s SET %s = %s + 1 WHERE %s) "
                "INSERT INTO %s %s SELECT %s FROM d ON CONFLICT DO NOTHING" % (
                    table.name, self.where(table), table.column("id"),
                    stock.name, on_hand, on_hand, self.where(stock),
                    table.name, table.list(),
                    self.row(table, id="%s + 2000000" % table.column("id"))
                    [1:-1]))

    def both(self):
        """An order as one statement: its header and its lines."""
        shop = self.shop
        n = self.rng.randint(0, 60)
        lines = [self.row(shop.lines,
                          order=self.key_of(shop.line_order_type, n))
                 for _ in range(self.rng.randint(1, 3))]
        return ("WITH h AS (INSERT INTO %s %s VALUES %s ON CONFLICT DO"
                " NOTHING) INSERT INTO %s %s VALUES %s"
                " ON CONFLICT DO NOTHING" % (
                    shop.header.name, shop.header.list(),
                    self.row(shop.header, key=self.key_of(shop.order_type, n)),
                    shop.lines.name, shop.lines.list(), ", ".join(lines)))

    def truncate(self, table):
        return "TRUNCATE %s" % table.storage.target()

    def housekeeping(self, table):
        """What is older than the shop keeps it goes, and counts all the
        same."""
        if not table.column("at"):
            return self.delete(table)
        return "DELETE FROM %s WHERE %s < now() - interval '%d days'" % (
            table.storage.target(), table.column("at"), self.shop.keep)

    def of_stock(self):
        table, rng = self.shop.stock, self.rng
        kind = rng.choices(["insert", "update", "delete", "truncate"],
                           [8, 8, 3, 0.5])[0]
        if kind == "insert":
            rows = [self.row(table) for _ in range(rng.randint(1, 4))]
            return "INSERT INTO %s %s VALUES %s" % (
                table.name, table.list(), ", ".join(rows))
        if kind == "update":
            column = rng.choice(["on_hand", "on_order", ""])
            what = self.assignment(table)
            if column:
                column = table.column(column)
                what = "%s = %s + %d" % (column, column, rng.randint(-3, 10))
            return "UPDATE %s SET %s WHERE %s" % (
                table.storage.target(), what, self.where(table))
        if kind == "delete":
            return "DELETE FROM %s WHERE %s" % (
                table.storage.target(), self.where(table))
        return "TRUNCATE %s" % table.storage.target()

    def of_keys(self):
        """The shop learns what a code means, or where a place's orders go."""
        rng = self.rng
        channel = self.channel()
        if rng.random() < 0.3:
            place = rng.choice(["NULL", "'east'", "'west'", "'default'"])
            location = rng.choice(["east", "west", "hub"])
            if rng.random() < 0.4:
                return ("DELETE FROM replenish.location_rule WHERE place IS"
                        " NOT DISTINCT FROM %s" % place)
            return ("INSERT INTO replenish.location_rule (channel, place,"
                    " location) VALUES (%s, %s, '%s') ON CONFLICT (place,"
                    " channel) DO UPDATE SET location = excluded.location" % (
                        channel, place, location))
        code = "(%s::%s)::text" % (rng.choice(self.shop.skus),
                                   self.shop.key_type)
        if rng.random() < 0.3:
            return ("DELETE FROM replenish.sku_alias WHERE external_sku = %s"
                    % code)
        # another SKU of the shop's, itself included, or a code of its own
        real = rng.choice(["'%s'" % r for r in self.shop.real] + [
            "(%s::%s)::text" % (sku, self.shop.key_type)
            for sku in self.shop.skus])
        return ("INSERT INTO replenish.sku_alias (channel, external_sku, sku,"
                " units) VALUES (%s, %s, %s, %s) ON CONFLICT (external_sku,"
                " channel, sku) DO UPDATE SET units = excluded.units,"
                " channel = excluded.channel" % (
                    channel, code, real,
                    rng.choice(["1", "1", "2", "12", "0.5"])))
