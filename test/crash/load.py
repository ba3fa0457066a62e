"""Who uses the server until it is killed: orders, and who listens."""

import io
import json
import select
import threading

import psycopg2

from server import Failure, connect
from shop import SKUS

# What the shop's own locks may do to a statement: time out, a deadlock of two
# updates, no partition for the row, a conflict of two repeatable reads.
ALLOWED = {"55P03", "40P01", "23514", "40001"}

# No more orders than these are left prepared.
PREPARED = 12


class Client(threading.Thread):
    """A session that does random things until it loses its server."""

    database = "shop"
    # whatever the database says; a commit that returned must be kept
    settings = {"lock_timeout": "500ms", "synchronous_commit": "on",
                "log_min_messages": "fatal"}

    def __init__(self, name, rng, evaluate=None):
        super().__init__(name=name, daemon=True)
        self.rng = rng
        self.conn = connect(self.database, name, evaluate, **self.settings)
        self.immediate = evaluate == "immediate"
        self.done = 0               # steps that went well
        self.sent = None            # what has no answer yet
        self.failure = None
        self.gone = threading.Event()       # the server has, or will have

    def run(self):
        try:
            while not self.gone.is_set():
                self.attempt()
        except Exception as error:      # reported by who joins
            self.failure = error
        self.conn.close()

    def attempt(self):
        try:
            try:
                self.step()
                self.done += 1
            except psycopg2.Error as error:
                if error.pgcode not in ALLOWED:
                    raise
                self.send("ROLLBACK")
        except SystemError:
            self.gone.set()         # so ends a COPY without its server
        except psycopg2.Error as error:
            # not the server's own words, or its last ones
            if error.pgcode is not None and not self.conn.closed:
                raise
            self.gone.set()

    def send(self, sql, *values):
        self.sent = sql
        with self.conn.cursor() as cursor:
            cursor.execute(sql, values or None)
            self.sent = None
            return cursor.fetchall() if cursor.description else []

    def step(self):
        raise NotImplementedError


class Orders(Client):
    """Transactions of the shop; remembers what it was told of each."""

    def __init__(self, name, rng, ledger, evaluate=None):
        super().__init__(name, rng, evaluate)
        self.ledger = ledger

    def sku(self):
        # two are asked for by everybody
        return self.rng.choice(SKUS[:2] if self.rng.random() < 0.3 else SKUS)

    def step(self):
        rng, number = self.rng, self.ledger.next()
        self.send("BEGIN ISOLATION LEVEL %s" % rng.choice(
            ["READ COMMITTED"] * 5 + ["REPEATABLE READ", "SERIALIZABLE"]))
        self.send("INSERT INTO receipt VALUES (%s, %s)", self.name, number)
        for _ in range(rng.choice([1, 1, 2, 4])):
            self.statement()
            if rng.random() < 0.1:
                self.send("SAVEPOINT s")
                self.statement()
                self.send("ROLLBACK TO s")
        end = rng.random()
        if end < 0.08:
            self.send("ROLLBACK")
            self.ledger.refused.add(number)
        elif (end < 0.2 and not self.immediate
              and len(self.ledger.prepared) < PREPARED):
            self.prepare(number)
        else:
            self.send("COMMIT")
            self.ledger.confirmed.add(number)

    def prepare(self, number):
        """An order in two phases; not all see the second."""
        name = "order %d" % number
        self.send("PREPARE TRANSACTION %s", name)
        self.ledger.prepared.add(number)
        if self.rng.random() < 0.8:
            # from here on either may be
            self.ledger.prepared.discard(number)
            if self.rng.random() < 0.8:
                self.send("COMMIT PREPARED %s", name)
                self.ledger.confirmed.add(number)
            else:
                self.send("ROLLBACK PREPARED %s", name)
                self.ledger.refused.add(number)

    def statement(self):
        kind = self.rng.choices(
            [self.order, self.split, self.move, self.cancel, self.change,
             self.delete, self.copy], [6, 4, 8, 2, 2, 1, 1])[0]
        kind()

    def order(self):
        n = self.rng.choice([1, 1, 2, 5])
        back = self.rng.choice(["0 s"] * 6 + ["40 min", "9 days"])
        self.send("INSERT INTO orders (sku, qty, at, channel) VALUES "
                  + ", ".join(["(%s, 1.5, now() - %s::interval, 'show')"] * n),
                  *[v for _ in range(n) for v in (self.sku(), back)])
        self.move()

    def split(self):
        head = self.send("INSERT INTO heads (channel) VALUES ('web')"
                         " RETURNING id")[0][0]
        for _ in range(self.rng.choice([1, 2, 3])):
            self.send("INSERT INTO lines VALUES (%s, %s, 2)", head, self.sku())

    def move(self):
        self.send("INSERT INTO stock VALUES (%s, %s), (%s, %s)",
                  self.sku(), self.rng.choice([-40, -30, -1]),
                  self.sku(), self.rng.choice([1, 29, 40]))

    def some(self, table):
        return ("(SELECT id FROM %s ORDER BY id DESC OFFSET %d LIMIT 2)" % (
            table, self.rng.randint(0, 30)))

    def cancel(self):
        table = self.rng.choice(["orders", "heads"])
        self.send("UPDATE %s SET status = 'cancelled' WHERE id IN %s" % (
            table, self.some(table)))

    def change(self):
        self.send("UPDATE orders SET qty = qty + 1, sku = %%s WHERE id IN %s"
                  % self.some("orders"), self.sku())

    def delete(self):
        self.send("DELETE FROM orders WHERE id IN " + self.some("orders"))

    def copy(self):
        with self.conn.cursor() as cursor:
            cursor.copy_expert(
                "COPY orders (sku, qty) FROM STDIN", io.StringIO("".join(
                    "%s\t2\n" % self.sku() for _ in range(20))))


class Ledger:
    """What the shop's sessions know of their transactions, by number."""

    def __init__(self):
        self.lock = threading.Lock()
        self.number = 0
        self.confirmed = set()
        self.refused = set()
        self.prepared = set()

    def next(self):
        with self.lock:
            self.number += 1
            return self.number

    def clear(self):
        for numbers in (self.confirmed, self.refused):
            numbers.clear()


class Listener(threading.Thread):
    """Hears notifications, and does nothing that would start a worker."""

    def __init__(self):
        super().__init__(daemon=True)
        self.conn = connect("shop", "listener")
        with self.conn.cursor() as cursor:
            cursor.execute("LISTEN replenish")
        self.heard = []             # (first seq, last seq, event's facts)

    def run(self):
        try:
            while True:
                select.select([self.conn], [], [], 1)
                self.conn.poll()
                self.take()
        except psycopg2.Error:
            self.take()             # what came with the end
        self.conn.close()

    def take(self):
        while self.conn.notifies:
            message = json.loads(self.conn.notifies.pop(0).payload)
            data = message["data"]
            if "seq" in data:
                self.heard.append((data["seq"], data["seq"], (
                    message["id"], data["sku"], data["from"], data["to"])))
            elif message["type"] == "io.replenish.batch.v1":
                self.heard.append((data["first_seq"], data["last_seq"], None))
            else:
                raise Failure("heard %s" % message)
