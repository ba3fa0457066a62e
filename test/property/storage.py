"""How a table's rows are stored, and how that is changed under way.

A change is a list of statements for one transaction, and what is to be noted
here once it has committed.
"""

from datetime import datetime, timedelta, timezone

DAY = timedelta(days=1)


class Plain:
    """One table."""

    word = ""
    unique = True                   # one index tells all its rows apart

    def __init__(self, rng, keep):
        self.rng = rng
        self.keep = keep
        self.shop = None
        self.table = None           # whose storage this is
        self.parts = []             # parts that are written to directly
        self.apart = []             # tables that are no part at present
        self.number = 0

    def key(self):
        """The column that rows are spread by."""
        return self.table.columns[0].name

    def create(self):
        yield "CREATE TABLE %s %s" % (self.table.name, self.table.declare())

    def drop(self):
        yield "DROP TABLE %s CASCADE" % self.table.name
        for name in self.apart:
            yield "DROP TABLE %s" % name

    def heaps(self):
        """Tables that have rows of their own."""
        return [self.table.name] + self.parts

    def change(self):
        return None

    def target(self, chance=0.3):
        """The table, or now and then a part of it."""
        parts = self.parts          # another session may put a new list here
        if parts and self.rng.random() < chance:
            return self.rng.choice(parts)
        return self.table.name

    def emptied(self, part, rest):
        """A part's rows go, and then itself, before others come."""
        return ["LOCK TABLE %s" % part,
                "%s %s" % (self.rng.choice(["DELETE FROM", "TRUNCATE"]), part),
                "DROP TABLE %s%s" % (part, rest)]

    def new_name(self):
        self.number += 1
        return "%s_p%d" % (self.table.name, self.number)

    def leave(self, part):
        """A part is none any more, but still a table."""
        self.parts = [p for p in self.parts if p != part]
        self.apart = self.apart + [part]

    def join(self, part):
        self.apart = [p for p in self.apart if p != part]
        self.parts = self.parts + [part]

    def forget(self, part):
        self.parts = [p for p in self.parts if p != part]


class Hash(Plain):
    """Partitions by hash: each is always needed."""

    word = "by hash"

    def create(self):
        table = self.table
        modulus = self.rng.randint(2, 3)
        self.bounds = {}
        yield "CREATE TABLE %s %s PARTITION BY HASH (%s)" % (
            table.name, table.declare(), self.key())
        for i in range(modulus):
            name = self.new_name()
            self.parts.append(name)
            self.bounds[name] = "WITH (MODULUS %d, REMAINDER %d)" % (
                modulus, i)
            yield "CREATE TABLE %s PARTITION OF %s FOR VALUES %s" % (
                name, table.name, self.bounds[name])

    def heaps(self):
        return self.parts

    def attach(self, part):
        return "ALTER TABLE %s ATTACH PARTITION %s FOR VALUES %s" % (
            self.table.name, part, self.bounds[part])

    def detach(self, part):
        return "ALTER TABLE %s DETACH PARTITION %s" % (self.table.name, part)

    def change(self):
        """A partition is taken out and put back, at once or some time later;
        meanwhile its rows count as gone, and new ones find no place."""
        if self.apart and self.rng.random() < 0.7:
            part = self.apart[0]
            return [self.attach(part)], lambda: self.join(part)
        if not self.parts:
            return None
        part = self.rng.choice(self.parts)
        if self.rng.random() < 0.6:
            return ([self.detach(part),
                     "DELETE FROM %s WHERE random() < 0.2" % part,
                     self.attach(part)], None)
        return [self.detach(part)], lambda: self.leave(part)


class Range(Hash):
    """Partitions by time, one of them partitioned again, and a default."""

    word = "by time"
    unique = False

    def key(self):
        return self.table.column("at")

    def bound(self, low, high):
        def moment(days):
            return "'%s'" % (self.today + days * DAY).isoformat(" ")
        return "FROM (%s) TO (%s)" % (
            "MINVALUE" if low is None else moment(low), moment(high))

    def partition(self, low, high, rest=""):
        name = self.new_name()
        self.bounds[name] = self.bound(low, high)
        self.upto[name] = high
        return name, "CREATE TABLE %s PARTITION OF %s FOR VALUES %s%s" % (
            name, self.table.name, self.bounds[name], rest)

    def create(self):
        table = self.table
        self.today = datetime.now(timezone.utc).replace(
            hour=0, minute=0, second=0, microsecond=0)
        self.bounds = {}
        self.upto = {}              # days from today, by partition
        self.below = {}             # the partitions of one
        self.free = [(10, 20), (20, 30)]
        edges = [None, -self.keep - 10, -self.keep - 2, -20, -8, -1, 10]
        again = self.rng.randint(2, 5)
        yield "CREATE TABLE %s %s PARTITION BY RANGE (%s)" % (
            table.name, table.declare(key=False), self.key())
        for i, (low, high) in enumerate(zip(edges, edges[1:])):
            rest = ""
            if i == again:
                rest = " PARTITION BY HASH (%s)" % table.columns[0].name
            name, sql = self.partition(low, high, rest)
            self.parts.append(name)
            yield sql
            if i == again:
                self.below[name] = ["%s_%d" % (name, j) for j in range(2)]
                for j, leaf in enumerate(self.below[name]):
                    yield ("CREATE TABLE %s PARTITION OF %s FOR VALUES"
                           " WITH (MODULUS 2, REMAINDER %d)" % (leaf, name, j))
                self.parts += self.below[name]
        name = self.new_name()
        self.parts.append(name)
        yield "CREATE TABLE %s PARTITION OF %s DEFAULT" % (name, table.name)

    def heaps(self):
        return [p for p in self.parts if p not in self.below]

    def leave(self, part):
        self.forget(part)
        self.apart = self.apart + [part]

    def join(self, part):
        super().join(part)
        self.parts = self.parts + self.below.get(part, [])

    def forget(self, part):
        gone = [part] + self.below.get(part, [])
        self.parts = [p for p in self.parts if p not in gone]

    def change(self):
        """Detach, attach, create or drop a partition."""
        rng = self.rng
        kind = rng.choice(["detach", "attach", "attach", "both", "create",
                           "old", "emptied", "write"])
        if kind == "create" and self.free:
            part, sql = self.partition(*self.free.pop())
            return [sql], lambda: self.join(part)
        if kind == "attach" and self.apart:
            part = rng.choice(self.apart)
            return [self.attach(part)], lambda: self.join(part)
        if kind == "write" and self.apart:
            # no orders while it is apart
            part = rng.choice(self.apart)
            return (["DELETE FROM %s WHERE random() < 0.3" % part,
                     "INSERT INTO %s SELECT * FROM %s LIMIT 2" % (part, part)],
                    None)
        parts = [p for p in self.parts if p in self.bounds]
        if kind == "old":
            # longer ago than the shop keeps its orders
            parts = [p for p in parts if self.upto[p] < -self.keep]
        if not parts:
            return None
        part = rng.choice(parts)
        if kind == "detach":
            return [self.detach(part)], lambda: self.leave(part)
        if kind == "both":
            return [self.detach(part), self.attach(part)], None
        if kind == "old":
            return ["DROP TABLE %s" % part], lambda: self.forget(part)
        if kind == "emptied":
            return self.emptied(part, ""), lambda: self.forget(part)
        return None


class Inherits(Plain):
    """A table and its children, as it was done before partitions."""

    word = "with children"

    def child(self):
        name = self.new_name()
        return name, "CREATE TABLE %s () INHERITS (%s)" % (
            name, self.table.name)

    def create(self):
        yield from super().create()
        for _ in range(2):
            name, sql = self.child()
            self.parts.append(name)
            yield sql
        # a child of a child
        name = self.new_name()
        yield "CREATE TABLE %s () INHERITS (%s)" % (name, self.parts[0])
        self.grandchild = name

    def change(self):
        """A child comes, goes, or is emptied and dropped."""
        rng = self.rng
        root = self.table.name
        kind = rng.choice(["inherit", "leave", "both", "create", "emptied"])
        if kind == "create" and self.number < 6:
            part, sql = self.child()
            return [sql], lambda: self.join(part)
        if kind == "inherit" and self.apart:
            part = rng.choice(self.apart)
            return (["ALTER TABLE %s INHERIT %s" % (part, root)],
                    lambda: self.join(part))
        if not self.parts:
            return None
        part = rng.choice(self.parts)
        gone = "ALTER TABLE %s NO INHERIT %s" % (part, root)
        if kind == "leave":
            return [gone], lambda: self.leave(part)
        if kind == "both":
            return ([gone, "DELETE FROM %s WHERE random() < 0.2" % part,
                     "ALTER TABLE %s INHERIT %s" % (part, root)], None)
        if kind == "emptied":
            return self.emptied(part, " CASCADE"), lambda: self.forget(part)
        return None

    def drop(self):
        yield "DROP TABLE %s CASCADE" % self.table.name
        for name in self.apart:
            yield "DROP TABLE %s CASCADE" % name
