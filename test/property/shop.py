"""The tables of one round: what a shop may look like.

A shop has order lines, perhaps headers that carry what the lines lack, a
table of stock, of the present or of snapshots, and perhaps purchase orders
and counts of viewers.  Each may be one table, a partitioned one or an
inheritance tree; columns are known by their role, so that they can be renamed
under way.
"""

import threading

from storage import Hash, Inherits, Plain, Range

COUNTED = ["new", "paid", "shipped"]
STATUSES = COUNTED + ["cancelled", None]
ORDER_TYPES = ["text", "integer", "uuid", "bigint"]


class Column:
    def __init__(self, role, kind):
        self.role = role
        self.name = role
        self.kind = kind            # its type


class Table:
    """One table: its present name, its columns, how its rows are stored."""

    def __init__(self, name, columns, storage, unique=None):
        self.name = name
        self.columns = columns
        self.storage = storage      # of storage.py
        self.unique = unique        # the role that identifies a row, if any
        storage.table = self

    def column(self, role):
        """The present name of a role's column; None where there is none."""
        for column in self.columns:
            if column.role == role:
                return column.name
        return None

    def kind(self, role):
        return next(c.kind for c in self.columns if c.role == role)

    def roles(self):
        return [c.role for c in self.columns]

    def list(self):
        return "(%s)" % ", ".join(c.name for c in self.columns)

    def declare(self, key=True):
        """Columns and key of CREATE TABLE, with one that is dropped again."""
        text = ", ".join("%s %s" % (c.name, c.kind) for c in self.columns)
        if key and self.unique and self.storage.unique:
            text += ", PRIMARY KEY (%s)" % self.column(self.unique)
        return "(gone text, %s)" % text


class Shop:
    def __init__(self, rng, number, server, without):
        self.rng = rng
        self.number = number
        self.server = server        # its version
        self.without = without      # what this shop must not have
        self.lock = threading.Lock()
        self.changing = False       # its tables are being changed
        self.generation = 0         # how often they were
        self.key_type = rng.choice(["text", "integer", "uuid", "bigint"])
        self.at_type = rng.choice(["timestamptz", "timestamptz", "timestamp"])
        self.qty_type = rng.choice(["numeric", "integer", "float8"])
        self.with_status = self.has("status", 0.5)
        self.split = self.has("headers", 0.4)
        self.snapshots = self.has("snapshots", 0.3)
        self.mapped = self.has("aliases", 0.4)
        self.replica = self.has("replica", 0.3)
        self.changes = self.has("changes", 0.5)
        self.workers = self.has("workers", 0.15)    # count it in parallel
        inbound = self.has("inbound", 0.4)
        audience = self.has("audience", 0.4)
        self.keep = rng.choice([90, 90, 30])
        # no other round has the same
        self.skus = [self.make_sku(i) for i in range(rng.randint(1, 6))]
        self.real = ["real %d %d" % (number, i) for i in range(3)]
        self.rooms = ["room %d %d" % (number, i) for i in range(2)]
        self.at_header = self.split and rng.random() < 0.6
        self.moments = sorted(rng.sample(range(5, 5 * 1440), 6))
        self.header = self.make_header() if self.split else None
        self.lines = self.make_lines()
        self.stock = self.make_stock()
        self.purchases = self.make_purchases() if inbound else None
        self.viewers = self.make_viewers() if audience else None
        for table in self.tables():
            table.storage.shop = self

    def has(self, what, chance):
        return self.rng.random() < chance and what not in self.without

    def make_sku(self, i):
        if self.key_type == "text":
            return "'sku %d %d%s'" % (self.number, i,
                                      self.rng.choice(["", "é", "-X"]))
        if self.key_type == "uuid":
            return "'%032x'" % self.rng.getrandbits(128)
        return str((-1) ** i * (1000 * self.number + i))

    def storage(self, by_time, weights=(5, 2, 3, 2)):
        """How a table's rows are stored; by time only where it has one."""
        weights = list(weights)
        if not by_time:
            weights[2] = 0
        if "parts" in self.without:
            weights[1:] = [0, 0, 0]
        return self.rng.choices([Plain, Hash, Range, Inherits],
                                weights)[0](self.rng, self.keep)

    def make_header(self):
        rng = self.rng
        self.order_type = rng.choice(ORDER_TYPES)
        # 42 and '42' are the same key
        self.line_order_type = (
            rng.choice(["text", "integer", "bigint"])
            if self.order_type != "uuid" and rng.random() < 0.3
            else self.order_type)
        columns = [Column("key", self.order_type)]
        self.on_header = [role for role in ("channel", "location")
                          if rng.random() < 0.5]
        if self.with_status and rng.random() < 0.7:
            self.on_header.append("status")
        if self.at_header:
            self.on_header.append("at")
        columns += [Column(r, self.at_type if r == "at" else "text")
                    for r in self.on_header]
        table = Table("shop.headers_%d" % self.number, columns,
                      self.storage(self.at_header, (8, 1, 2, 1)),
                      "key" if rng.random() < 0.7 else None)
        # how it is known which column the lines refer to
        self.by_name = not table.unique or not table.storage.unique
        if self.by_name:
            columns[0].name = "order_id"
        return table

    def make_lines(self):
        columns = [Column("id", "integer")]
        elsewhere = []
        if self.split:
            columns.append(Column("order", self.line_order_type))
            columns[-1].name = "order_id"
            elsewhere = self.on_header
        columns += [Column(*c) for c in [
            ("sku", self.key_type), ("location", "text"), ("channel", "text"),
            ("qty", self.qty_type), ("at", self.at_type), ("status", "text")]
                    if c[0] not in elsewhere]
        return Table("shop.orders_%d" % self.number, columns,
                     self.storage("at" not in elsewhere), "id")

    def make_stock(self):
        columns = [Column("sku", self.key_type), Column("location", "text"),
                   Column("on_hand", "numeric"), Column("reserved", "numeric"),
                   Column("on_order", "numeric")]
        if self.snapshots:
            columns.append(Column("counted_at", self.at_type))
        return Table("shop.stock_%d" % self.number, columns,
                     self.storage(False, (8, 1, 0, 1)))

    def make_purchases(self):
        columns = [Column("id", "integer"), Column("sku", self.key_type),
                   Column("qty", self.qty_type), Column("at", self.at_type),
                   Column("expected_at", self.rng.choice(
                       [self.at_type, "date"])),
                   Column("received_at", self.at_type),
                   Column("location", "text"), Column("route", "text")]
        # how much has come, or that it has come
        self.in_parts = self.rng.random() < 0.6
        if self.in_parts:
            columns.append(Column("received", self.qty_type))
        if self.with_status:
            columns.append(Column("status", "text"))
        return Table("shop.purchases_%d" % self.number, columns,
                     self.storage(True, (8, 1, 1, 1)), "id")

    def make_viewers(self):
        columns = [Column("id", "integer"), Column("room", "text"),
                   Column("qty", self.qty_type), Column("at", self.at_type)]
        if self.rng.random() < 0.5:
            columns.append(Column("sku", self.key_type))
        return Table("shop.viewers_%d" % self.number, columns,
                     self.storage(True, (8, 1, 2, 1)), "id")

    def tables(self):
        return [t for t in (self.header, self.lines, self.stock,
                            self.purchases, self.viewers) if t]

    def watched(self):
        """Those that stand for what is watched: lines for their headers."""
        return [t for t in self.tables() if t is not self.header]

    def described(self):
        words = ["%s keys" % self.key_type, self.at_type, self.qty_type,
                 "keep %d" % self.keep]
        if self.split:
            words.append("headers (%s %s) with %s" % (
                self.order_type, "unique" if self.header.unique else "not"
                " unique", "+".join(self.on_header) or "nothing"))
        for table, word in ((self.lines, "lines"), (self.header, "headers"),
                            (self.stock, "stock"),
                            (self.purchases, "purchases"),
                            (self.viewers, "viewers")):
            if table and table.storage.word:
                words.append("%s %s" % (word, table.storage.word))
            elif table in (self.purchases, self.viewers) and table:
                words.append(word)
        for flag, word in ((self.with_status, "status"),
                           (self.snapshots, "snapshots"),
                           (self.mapped, "aliases"),
                           (self.replica, "replica"),
                           (self.changes, "changes"),
                           (self.workers, "workers")):
            if flag:
                words.append(word)
        return ", ".join(words)

    def create(self):
        yield "CREATE SCHEMA IF NOT EXISTS shop"
        yield "CREATE SCHEMA IF NOT EXISTS shop_too"
        for table in self.tables():
            yield from table.storage.create()
            yield "ALTER TABLE %s DROP COLUMN gone" % table.name
            if self.workers:
                for name in table.storage.heaps():
                    yield "ALTER TABLE %s SET (parallel_workers = 2)" % name

    def watch(self):
        lines, stock = self.lines, self.stock
        named = []
        for role in ("location", "channel"):
            named.append((role, self.find(role)))
        if self.with_status:
            named.append(("status", self.find("status")))
        words = ["%s => '%s'" % n for n in named]
        if self.with_status:
            words.append("counted => '{%s}'" % ",".join(COUNTED))
        if self.split:
            words.append("header => '%s'" % self.header.name)
            words.append("header_key => '%s'" % lines.column("order"))
        words.append("keep => '%d days'" % self.keep)
        yield ("SELECT replenish.watch_orders('%s', '%s', '%s', '%s', %s)" % (
            lines.name, lines.column("sku"), lines.column("qty"),
            self.find("at"), ", ".join(words)))
        yield ("SELECT replenish.watch_stock('%s', '%s', '%s', location =>"
               " '%s', reserved => '%s', on_order => '%s'%s)" % (
                   stock.name, stock.column("sku"), stock.column("on_hand"),
                   stock.column("location"), stock.column("reserved"),
                   stock.column("on_order"),
                   ", at => '%s'" % stock.column("counted_at")
                   if self.snapshots else ""))
        if self.purchases:
            yield self.watch_inbound(self.purchases)
        if self.viewers:
            yield self.watch_audience(self.viewers)

    def watch_inbound(self, table):
        named = ["location", "route"]
        if self.in_parts:
            named.append("received")
        words = ["%s => '%s'" % (r, table.column(r)) for r in named]
        if self.with_status:
            words.append("status => '%s', counted => '{%s}'" % (
                table.column("status"), ",".join(COUNTED)))
        return ("SELECT replenish.watch_inbound('%s', '%s', '%s', '%s', '%s',"
                " '%s', %s)" % (
                    (table.name,) + tuple(table.column(r) for r in (
                        "sku", "qty", "at", "expected_at", "received_at"))
                    + (", ".join(words),)))

    def watch_audience(self, table):
        words = ""
        if table.column("sku"):
            words = ", sku => '%s'" % table.column("sku")
        return ("SELECT replenish.watch_audience('%s', '%s', '%s', '%s'%s,"
                " keep => '%d days')" % (
                    table.name, table.column("room"), table.column("qty"),
                    table.column("at"), words, self.keep))

    def change(self, rng):
        """A change of some table: statements for a transaction, and what to
        note once it has committed; None where there is nothing to change."""
        table = rng.choice(self.tables())
        kind = rng.choices(["parts", "column", "table", "schema", "add"],
                           [12, 2, 1, 1, 1])[0]
        # what is apart must stay fit to be a part
        all_of_it = [table.name] + table.storage.apart
        if kind == "parts":
            return table.storage.change()
        if kind == "column":
            column = rng.choice(table.columns)
            if column.role in ("order", "key") and self.by_name:
                return None
            name = "%s_%d" % (column.role, rng.randint(1, 99))
            return (["ALTER TABLE %s RENAME COLUMN %s TO %s" % (
                one, column.name, name) for one in all_of_it],
                    lambda: setattr(column, "name", name))
        if kind == "add":
            name = "extra_%d" % rng.getrandbits(30)
            return (["ALTER TABLE %s ADD COLUMN %s int" % (one, name)
                     for one in all_of_it], None)
        schema, name = table.name.split(".")
        if kind == "table":
            name = name.split("_x")[0] + "_x%d" % rng.randint(1, 99)
            sql = "ALTER TABLE %s RENAME TO %s" % (table.name, name)
        else:
            schema = "shop_too" if schema == "shop" else "shop"
            sql = "ALTER TABLE %s SET SCHEMA %s" % (table.name, schema)
        return [sql], lambda: setattr(table, "name", schema + "." + name)

    def find(self, role):
        """The column of a role, whichever table has it."""
        return self.lines.column(role) or self.header.column(role)

    def unwatch(self):
        # either table of an order stands for both
        for table in self.watched():
            if (table is self.lines and self.split
                    and self.rng.random() < 0.5):
                table = self.header
            yield "SELECT replenish.unwatch('%s')" % table.name

    def drop(self):
        for table in self.tables():
            yield from table.storage.drop()
        if self.mapped:
            yield "DELETE FROM replenish.sku_alias"
            yield "DELETE FROM replenish.location_rule"
