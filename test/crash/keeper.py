"""Who changes what is watched, while orders go in."""

from load import Client
from shop import SKUS, WEEKS


class Keeper(Client):
    """Watches, recounts, and moves partitions about."""

    settings = {"lock_timeout": "300ms", "min_parallel_table_scan_size": 0,
                "max_parallel_maintenance_workers": 2,
                "client_min_messages": "error", "log_min_messages": "fatal"}

    def step(self):
        kind = self.rng.choices(
            [self.extra, self.recount, self.week, self.settings_change,
             self.clean, self.look], [6, 3, 3, 2, 2, 1])[0]
        kind()

    def extra(self):
        """A table that is made, watched, counted, and goes again; each crash
        may leave it anywhere in between."""
        self.send("BEGIN" if self.rng.random() < 0.2 else "SELECT")
        if not self.send("SELECT to_regclass('extra')")[0][0]:
            self.send("CREATE TABLE extra AS SELECT 'S' || i %% 40 AS sku, "
                      "i %% 7 AS qty, now() - i * interval '30 s' AS at "
                      "FROM generate_series(1, %s) i",
                      self.rng.choice([50, 4000, 20000, 80000]))
            self.send("COMMIT")
            return
        state = self.send("SELECT backfilled_at IS NOT NULL FROM "
                          "replenish.watched WHERE relation = 'extra'"
                          "::regclass")
        if not state:
            self.send("SELECT replenish.watch_orders('extra', 'sku', 'qty',"
                      " 'at')")
        elif not state[0][0]:
            self.send("INSERT INTO extra VALUES (%s, 3, now())",
                      self.rng.choice(SKUS))
            self.send("CALL replenish.backfill('extra')")
        else:
            self.use_extra()
        self.send("COMMIT")

    def use_extra(self):
        kind = self.rng.choice(["order", "order", "unwatch", "drop"])
        if kind == "order":
            self.send("INSERT INTO extra SELECT 'S' || i %% 40, 1, now() "
                      "FROM generate_series(1, %s) i",
                      self.rng.choice([1, 100, 3000]))
            return
        self.send("SELECT replenish.unwatch('extra')")
        if kind == "drop":
            self.send("DROP TABLE extra")

    def recount(self):
        self.send(self.rng.choice([
            "CALL replenish.repair()", "CALL replenish.backfill('orders')",
            "CALL replenish.backfill('lines')", "SELECT replenish.verify()",
            "SELECT replenish.rewatch('lines')",
            "SELECT replenish.rewatch('orders')"]))

    def week(self):
        """A partition comes with its rows, or goes with them."""
        week = self.rng.choice(WEEKS)
        name = "orders_%d" % week
        self.send("BEGIN")
        if self.send("SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass(%s)",
                     name):
            if self.rng.random() < 0.3:
                self.send("TRUNCATE %s" % name)
            self.send("ALTER TABLE orders DETACH PARTITION %s" % name)
            if self.rng.random() < 0.5:
                self.send("DROP TABLE %s" % name)
        else:
            if not self.send("SELECT to_regclass(%s)", name)[0][0]:
                self.send("CREATE TABLE %s (LIKE orders INCLUDING DEFAULTS)"
                          % name)
            low, high = self.send(
                "SELECT day - %s * interval '7 days', day - %s * interval"
                " '7 days' FROM day", week + 1, week)[0]
            self.send("INSERT INTO %s (id, sku, qty, at) SELECT -i, 'S' || i "
                      "%%%% 9, i %%%% 5, %%s + i * interval '1 min' "
                      "FROM generate_series(1, 50) i" % name, low)
            self.send("ALTER TABLE orders ATTACH PARTITION %s FOR VALUES FROM"
                      " ('%s') TO ('%s')" % (name, low, high))
        self.send("COMMIT")

    def settings_change(self):
        rng = self.rng
        self.send(rng.choice([
            "UPDATE replenish.policy SET moq = %d" % rng.randint(1, 9),
            "SELECT replenish.record_demand('S1', 1)",
            "INSERT INTO replenish.sku_alias (external_sku, sku, units)"
            " VALUES ('case', 'S%d', 12) ON CONFLICT DO NOTHING" %
            rng.randint(0, 20), "DELETE FROM replenish.sku_alias",
            "SELECT replenish.tick()"]))

    def clean(self):
        self.send(self.rng.choice([
            "VACUUM replenish.inbox_even", "VACUUM replenish.inbox_odd",
            "VACUUM replenish.backlog", "VACUUM replenish.item",
            "CHECKPOINT"]))

    def look(self):
        self.send("BEGIN ISOLATION LEVEL SERIALIZABLE")
        self.send("SELECT * FROM replenish.status")
        self.send("COMMIT")


class Life(Client):
    """An extension's life, over and over: installed as its first version,
    updated, live, dropped."""

    database = "life"
    settings = {"lock_timeout": "2s", "client_min_messages": "error",
                "log_min_messages": "fatal"}

    def step(self):
        version = self.send("SELECT extversion FROM pg_extension"
                            " WHERE extname = 'replenish'")
        if not version:
            self.send("CREATE EXTENSION replenish VERSION '%s'"
                      % self.rng.choice(["1.0", "1.0", "1.1"]))
            return
        kind = self.rng.choices(
            ["watch", "order", "tick", "next", "check"], [3, 3, 2, 5, 1])[0]
        if kind == "order":
            self.send("INSERT INTO shelf VALUES (%s, %s)",
                      self.rng.choice(SKUS), self.rng.choice([-20, 10]))
        elif kind == "watch":
            self.watch()
        elif kind == "tick":
            self.send("SELECT replenish.tick()")
        elif kind == "check":
            self.send("SELECT * FROM replenish.health()")
        elif version[0][0] == "1.0":
            self.send("ALTER EXTENSION replenish UPDATE")
        elif self.rng.random() < 0.5:
            self.send("SELECT replenish.go_live()")
        else:
            self.send("DROP EXTENSION replenish CASCADE")

    def watch(self):
        if self.send("SELECT 1 FROM replenish.watched"):
            self.send("CALL replenish.repair()")
            return
        self.send("SELECT replenish.watch_stock('shelf', 'sku', 'moved')")
        self.send("CALL replenish.backfill('shelf')")


def create_life(conn):
    with conn.cursor() as cursor:
        cursor.execute("CREATE TABLE shelf (sku text, moved integer)")
