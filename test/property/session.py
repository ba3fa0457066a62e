"""One session of the shop, in and out of transactions."""

import io

import psycopg2

from common import ALLOWED, OUTDATED, Failure
from writer import Writer


class Session:
    """One connection that sends a random run of statements."""

    def __init__(self, dsn, name, shop, rng, log, prepare):
        self.conn = psycopg2.connect(dsn)
        self.conn.autocommit = True
        self.cursor = self.conn.cursor()
        self.name = name
        self.shop = shop
        self.rng = rng
        self.log = log
        self.prepare = prepare
        self.writer = Writer(shop, rng)
        self.in_transaction = False
        self.plain = True           # the transaction has read committed level
        self.replica = False        # plays a replication's apply
        self.savepoints = 0
        self.prepared = []
        self.statements = 0
        self.changes = 0            # of how the tables are
        self.refused = 0
        self.send("SET lock_timeout = '40ms'")

    def close(self):
        self.conn.close()

    def is_allowed(self, error, generation, allowed):
        """Whether the shop alone is the reason of an error."""
        if "replenish." in (error.diag.context or ""):
            return error.pgcode in ("55P03", "40P01", "40001")
        if error.pgcode in ALLOWED or error.pgcode in allowed:
            return True
        return error.pgcode in OUTDATED and (
            self.shop.changing or self.shop.generation != generation)

    def send(self, sql, data=None, generation=None, allowed=()):
        """Send one statement; False where the shop's own limits refused it."""
        if generation is None:
            generation = self.shop.generation
        self.log.add(self.name, sql)
        self.statements += 1
        try:
            if data is None:
                self.cursor.execute(sql)
            else:
                self.cursor.copy_expert(sql, io.StringIO(data))
            return True
        except psycopg2.Error as error:
            self.log.add(self.name, "-- %s %s" % (
                error.pgcode, str(error).strip().split("\n")[0]))
            if not self.is_allowed(error, generation, allowed):
                raise Failure("%s: unexpected error %s: %s\n  %s" % (
                    self.name, error.pgcode, str(error).strip(), sql))
            self.refused += 1
            return False

    def rows(self, sql):
        """The rows of a query that must not fail."""
        if not self.send(sql):
            raise Failure("%s: refused: %s" % (self.name, sql))
        return self.cursor.fetchall()

    # Transactions.

    def begin(self):
        level = self.rng.choices(
            ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"],
            [6, 2, 2])[0]
        self.send("BEGIN ISOLATION LEVEL %s" % level)
        self.plain = level == "READ COMMITTED"
        self.in_transaction = True
        self.savepoints = 0

    def end(self, how):
        self.in_transaction = False
        self.savepoints = 0
        self.send(how)

    def undo(self):
        """After a refused statement: back to a savepoint, or altogether."""
        if not self.in_transaction:
            return
        if self.savepoints and self.rng.random() < 0.7:
            self.send("ROLLBACK TO s%d" % self.savepoints)
        else:
            self.end("ROLLBACK")

    def finish_prepared(self):
        self.send("%s PREPARED '%s'" % (
            self.rng.choice(["COMMIT", "COMMIT", "ROLLBACK"]),
            self.prepared.pop()))

    def finish(self):
        """Leave no transaction open."""
        if self.in_transaction:
            self.end(self.rng.choice(["COMMIT", "ROLLBACK"]))
        while self.prepared:
            self.finish_prepared()

    # Steps.

    def step(self):
        """One random step: of a transaction, of ours, or of the shop's."""
        r = self.rng.random()
        if r < 0.45 and self.step_transaction(r):
            return
        if 0.45 <= r < 0.66 and self.step_ours(r):
            return
        self.step_shop()

    def step_transaction(self, r):
        if r < 0.05 and not self.in_transaction:
            self.begin()
        elif r < 0.25 and self.in_transaction:
            how = self.rng.random()
            if how < 0.65:
                self.end("COMMIT")
            elif how < 0.85 or not self.prepare:
                self.end("ROLLBACK")
            else:
                gid = "%s-%d" % (self.name, self.rng.getrandbits(60))
                self.in_transaction = False
                self.savepoints = 0
                if self.send("PREPARE TRANSACTION '%s'" % gid):
                    self.prepared.append(gid)
        elif r < 0.30 and not self.in_transaction:
            self.begin()
        elif r < 0.36 and self.in_transaction:
            self.savepoints += 1
            self.send("SAVEPOINT s%d" % self.savepoints)
        elif r < 0.40 and self.savepoints:
            self.send("ROLLBACK TO s%d" % self.savepoints)
        elif r < 0.42 and self.savepoints:
            self.send("RELEASE s%d" % self.savepoints)
            self.savepoints -= 1
        elif r < 0.45 and self.prepared and not self.in_transaction:
            self.finish_prepared()
        else:
            return False
        return True

    def step_ours(self, r):
        shop = self.shop
        if 0.52 <= r < 0.55 and (self.plain or not self.in_transaction):
            self.verify()
        elif self.in_transaction:
            return False
        elif r < 0.52:
            self.send("SELECT replenish.tick()")
        elif r < 0.56:
            self.send("CALL replenish.backfill('%s')" % self.rng.choice(
                shop.tables()).name)
        elif r < 0.565:
            self.send("CALL replenish.repair()")
        elif r < 0.58 and shop.replica:
            self.replica = not self.replica
            self.send("SET session_replication_role = %s" % (
                "replica" if self.replica else "origin"))
        elif 0.58 <= r and shop.changes and not self.replica:
            self.change()
        else:
            return False
        return True

    def step_shop(self):
        generation = self.shop.generation
        statement = self.writer.statement()
        if self.replica and "replenish." in statement:
            return                  # no settings in there
        data = None
        if isinstance(statement, tuple):
            statement, data = statement
        if not self.send(statement, data, generation):
            self.undo()

    def change(self):
        """Change how the shop's tables are, in a transaction of its own."""
        shop = self.shop
        with shop.lock:
            change = shop.change(self.rng)
            if change is None:
                return
            statements, note = change
            shop.changing = True
            try:
                self.send("BEGIN")
                self.in_transaction = True
                self.plain = True
                for sql in statements:
                    if not self.send(sql):
                        self.end("ROLLBACK")
                        return
                    if self.rng.random() < 0.1:
                        self.verify()
                        if not self.in_transaction:
                            return
                if self.rng.random() < 0.2:
                    self.end("ROLLBACK")
                    return
                self.end("COMMIT")
                self.changes += 1
                if note is not None:
                    note()
            finally:
                shop.generation += 1
                shop.changing = False

    def verify(self):
        """verify() must find nothing, whatever else is under way."""
        if not self.send("SELECT * FROM replenish.verify()"):
            self.undo()
            return
        names = [d[0] for d in self.cursor.description]
        rows = [dict(zip(names, r)) for r in self.cursor.fetchall()]
        if rows:
            raise Failure("%s: verify() found %d difference(s):\n  %s" % (
                self.name, len(rows), "\n  ".join(map(str, rows[:10]))))
