"""What must be so after a crash, and what the listener heard against it."""

from server import Failure, rows
from shop import ORDERED

LINES = {"red": 50, "orange": 100, "yellow": 150}
RANK = ["normal", "yellow", "orange", "red"]


def expect_none(what, found):
    if found:
        raise Failure("%s:\n  %s" % (what, "\n  ".join(map(str, found[:10]))))


class Oracle:
    """Looks at the shop after each crash; nobody else uses it then."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.events = {}            # seq: (id, sku, from, to)
        self.tiers = {}             # by item, of its last event
        self.last_xid = 0
        self.kept = set()           # prepared orders that live on

    def check(self, conn, listener, rng, in_turn):
        """All that must be so; 'in_turn': no order has decided itself."""
        self.check_events(conn, in_turn)
        self.check_heard(listener.heard)
        self.check_orders(conn)
        self.check_verify(conn, "after the crash")
        self.finish_prepared(conn, rng)
        self.check_verify(conn, "after COMMIT PREPARED")
        self.settle(conn)
        self.check_verify(conn, "when all is decided")
        self.check_events(conn)
        self.check_sums(conn)
        self.check_tiers(conn)

    def check_events(self, conn, in_turn=True):
        """Numbers without gaps, each from where the one before ended, in the
        order of their transactions (an order that decides had its number
        before); and what was there is there."""
        count, last, of_decider = rows(conn, """
            SELECT count(*), coalesce(max(seq), 0), (SELECT coalesce(max(
                last_seq), 0) FROM replenish.decider)
            FROM replenish.event""")[0]
        if not count == last == of_decider or last < len(self.events):
            raise Failure("%d events, the last one %d, of %d; there were %d" %
                          (count, last, of_decider, len(self.events)))
        for seq, ident, sku, old, new, xid in rows(conn, """
                SELECT seq, id::text, sku, from_tier, to_tier,
                    xid::text::bigint
                FROM replenish.event WHERE seq > %s ORDER BY seq""",
                len(self.events)):
            if old != self.tiers.get(sku, "normal") or (
                    in_turn and xid < self.last_xid):
                raise Failure("event %d of %s is from %s to %s in %d, after"
                              " %s in %d" % (seq, sku, old, new, xid,
                                             self.tiers.get(sku),
                                             self.last_xid))
            self.events[seq] = (ident, sku, old, new)
            self.tiers[sku] = new
            self.last_xid = max(xid, self.last_xid)

    def check_heard(self, heard):
        """Whatever a listener was told is in the table, and it was told all
        from the first to the last."""
        expected = heard[0][0] if heard else 0
        for first, last, facts in heard:
            if first != expected or last not in self.events or (
                    facts and facts != self.events[first]):
                raise Failure("heard of %d to %d, %s, after %d; known: %s" % (
                    first, last, facts, expected - 1, self.events.get(first)))
            expected = last + 1

    def check_orders(self, conn):
        """The shop's own orders: PostgreSQL's promise, and our premise."""
        there = {r[0] for r in rows(conn, "SELECT number FROM receipt")}
        expect_none("orders lost", self.ledger.confirmed - there)
        expect_none("orders that were rolled back", self.ledger.refused & there)
        waiting = {int(r[0].split()[1]) for r in rows(
            conn, "SELECT gid FROM pg_prepared_xacts WHERE database = 'shop'")}
        expect_none("prepared orders lost",
                    (self.ledger.prepared | self.kept) - waiting)

    def check_verify(self, conn, when):
        # what was never counted may differ
        expect_none("verify() %s" % when, rows(conn, """
            SELECT w.relation, v.* FROM replenish.watched w
            CROSS JOIN LATERAL replenish.verify(w.relation) v
            WHERE w.backfilled_at IS NOT NULL OR w.relation::text <> 'extra'"""))

    def finish_prepared(self, conn, rng):
        """What is prepared is finished now, but for a little."""
        self.kept = set()
        for (gid,) in rows(conn, "SELECT gid FROM pg_prepared_xacts"
                           " WHERE database = 'shop' ORDER BY gid"):
            number = int(gid.split()[1])
            fate = rng.random()
            if fate < 0.15:
                self.kept.add(number)
            elif fate < 0.8:
                rows(conn, "COMMIT PREPARED %s", gid)
                self.ledger.confirmed.add(number)
            else:
                rows(conn, "ROLLBACK PREPARED %s", gid)
                self.ledger.refused.add(number)
            self.ledger.prepared.discard(number)

    def settle(self, conn):
        """Decide until nothing waits."""
        while True:
            rows(conn, "SELECT replenish.tick()")
            if not rows(conn, "SELECT 1 FROM replenish.backlog UNION ALL"
                        " SELECT 1 FROM replenish.undecided"):
                return

    def check_sums(self, conn):
        """As much is counted as the tables say, by plain queries."""
        watched = [r[0] for r in rows(conn, """
            SELECT relation::text FROM replenish.watched
            WHERE kind = 'orders' AND backfilled_at IS NOT NULL OR
                relation::text IN ('orders', 'lines')""")]
        for name in watched:
            expect_none("demand of %s: ordered, counted" % name, rows(conn, """
                SELECT * FROM (%s) o FULL JOIN (
                    SELECT d.sku, sum(b.units)::numeric AS units
                    FROM replenish.item_demand d
                    JOIN replenish.watched w ON w.id = d.source
                        AND w.relation = '%s'::regclass,
                        replenish.demand_buckets(d.demand) b
                    WHERE b.resolution = '1 day' GROUP BY d.sku) d USING (sku)
                WHERE coalesce(o.qty, 0) <> coalesce(d.units, 0)""" % (
                    ORDERED[name], name)))
        expect_none("stock: status, moved", rows(conn, """
            SELECT s.sku, s.on_hand, t.moved FROM replenish.status s
            FULL JOIN (SELECT sku, sum(moved) AS moved FROM stock GROUP BY sku)
                t ON t.sku = s.sku
            WHERE coalesce(s.on_hand, 0) <> coalesce(t.moved, 0)"""))

    def check_tiers(self, conn):
        """No event is missing: the last one of each item says its tier, and
        that of its position is as its stock has it, by the exit margin."""
        for sku, tier, position_tier, on_hand in rows(conn, """
                SELECT sku, tier, position_tier, on_hand::float8
                FROM replenish.item WHERE sku IN (SELECT sku FROM stock)"""):
            entered = [t for t in LINES if on_hand < LINES[t]] + ["normal"]
            kept = [t for t in LINES if on_hand <= LINES[t] * 1.1] + ["normal"]
            if tier != self.tiers.get(sku, "normal") or not (
                    RANK.index(entered[0]) <= RANK.index(position_tier)
                    <= RANK.index(kept[0])):
                raise Failure("%s is %s (by position %s) with %s on hand, its"
                              " last event is %s" % (
                                  sku, tier, position_tier, on_hand,
                                  self.tiers.get(sku)))


def check_life(conn, rng):
    """Whatever was being done to an extension is done or not."""
    version = rows(conn, "SELECT extversion FROM pg_extension"
                   " WHERE extname = 'replenish'")
    if not version:
        expect_none("left behind", rows(conn, """
            SELECT nspname::text FROM pg_namespace WHERE nspname = 'replenish'
            UNION ALL
            SELECT tgname FROM pg_trigger WHERE tgname LIKE 'replenish%%'
            UNION ALL
            SELECT evtname FROM pg_event_trigger"""))
        rows(conn, "INSERT INTO shelf VALUES ('S1', 1)")
        # where that is left to the load, it does little else
        if rng.random() < 0.7:
            rows(conn, "CREATE EXTENSION replenish VERSION '%s'" %
                 rng.choice(["1.0", "1.1"]))
        return
    if rows(conn, "SELECT 1 FROM replenish.watched WHERE backfilled_at IS NULL"):
        rows(conn, "CALL replenish.backfill('shelf')")
    expect_none("verify() of %s" % version, rows(
        conn, "SELECT * FROM replenish.verify()"))
    rows(conn, "SELECT replenish.tick()")
    expect_none("verify() of %s after a tick" % version, rows(
        conn, "SELECT * FROM replenish.verify()"))
    if rng.random() < 0.2:
        rows(conn, "DROP EXTENSION replenish CASCADE")
