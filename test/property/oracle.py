"""What replenish.status must show, said once more in the shop's own terms.

Demand and stock of every item are computed from the shop's tables by plain
joins, which know nothing of how the extension does it: what is sold in the
last 24 hours (nothing of the shop's lies near that edge), and the stock, or
the newest snapshot less what was sold in later minutes; what was bought and
has not come; and how many viewers were counted in the last 24 hours.
"""

from common import Failure
from shop import COUNTED

# What a code stands for: rows of its channel, else of any, else itself.
REAL_SKU = """
    SELECT a.sku, a.units FROM replenish.sku_alias a
    WHERE a.external_sku = {0}.sku AND a.channel = {0}.channel
    UNION ALL
    SELECT a.sku, a.units FROM replenish.sku_alias a
    WHERE a.external_sku = {0}.sku AND a.channel IS NULL
        AND NOT EXISTS (SELECT FROM replenish.sku_alias b
            WHERE b.external_sku = {0}.sku AND b.channel = {0}.channel)
    UNION ALL
    SELECT {0}.sku, 1 WHERE NOT EXISTS (SELECT FROM replenish.sku_alias b
        WHERE b.external_sku = {0}.sku
            AND coalesce(b.channel, {0}.channel, '') IN ({0}.channel, ''))"""
RULE = """(SELECT r.location FROM replenish.location_rule r
            WHERE r.place IS NOT DISTINCT FROM {0}
                AND r.channel IS NOT DISTINCT FROM {1})"""


def finite(column):
    return "%s::text NOT IN ('NaN', 'Infinity', '-Infinity')" % column


def ordered(shop):
    """The order lines that are demand, under the names of the tables."""
    def column(role):
        on = "l" if shop.lines.column(role) else "h"
        return "%s.%s" % (on, shop.find(role))
    source = "%s l" % shop.lines.name
    if shop.split:
        source += " JOIN %s h ON h.%s::text = l.%s::text" % (
            shop.header.name, shop.header.column("key"),
            shop.lines.column("order"))
    where = ["%s IS NOT NULL" % column(r) for r in ("sku", "qty", "at")]
    where += [finite(column("qty")), "isfinite(%s)" % column("at"),
              "CASE WHEN %s THEN abs(%s) <= 1e12 END" % (
                  finite(column("qty")), column("qty"))]
    if shop.with_status:
        where.append("%s IN (%s)" % (column("status"), ", ".join(
            "'%s'" % s for s in COUNTED)))
    return """
        SELECT {sku}::text COLLATE "C" AS sku,
            coalesce({location}, 'default') COLLATE "C" AS place,
            coalesce({channel}, 'default') COLLATE "C" AS channel,
            round({qty}::numeric, 6) AS qty, {at}::timestamptz AS at
        FROM {source} WHERE {where}""".format(
            sku=column("sku"), location=column("location"),
            channel=column("channel"), qty=column("qty"), at=column("at"),
            source=source, where=" AND ".join(where))


def counted(shop):
    """The rows of stock that can be read, under their own names; minute is
    that of a snapshot."""
    stock = shop.stock
    where = ["%s IS NOT NULL" % stock.column(r) for r in ("sku", "on_hand")]
    minute = "0"
    if shop.snapshots:
        at = stock.column("counted_at")
        where.append("isfinite(%s)" % at)
        minute = "floor(extract(epoch FROM %s::timestamptz) / 60)" % at
    return """
        SELECT {sku}::text COLLATE "C" AS sku, NULL::text AS channel,
            coalesce({location}, 'default') COLLATE "C" AS location,
            {on_hand} AS on_hand, coalesce({reserved}, 0) AS reserved,
            coalesce({on_order}, 0) AS on_order, {minute} AS minute
        FROM {name} WHERE {where}""".format(
            sku=stock.column("sku"), location=stock.column("location"),
            on_hand=stock.column("on_hand"),
            reserved=stock.column("reserved"),
            on_order=stock.column("on_order"), name=stock.name,
            minute=minute, where=" AND ".join(where))


def quantity(column):
    """That a column can be read as one."""
    return "CASE WHEN %s THEN %s BETWEEN 0 AND 1e12 END" % (
        finite(column), column)


def bought(shop):
    """What of the purchase orders is still to come, under their own
    names."""
    table = shop.purchases
    if not table:
        return """
        SELECT NULL::text COLLATE "C" AS sku, NULL::text AS channel,
            NULL::text COLLATE "C" AS location, 0::numeric AS qty
        WHERE false"""
    column = table.column
    come = ("CASE WHEN %s IS NOT NULL THEN %s ELSE 0 END" % (
        column("received_at"), column("qty")))
    where = ["%s IS NOT NULL" % column("sku"), quantity(column("qty")),
             "isfinite(coalesce(%s, 'epoch'))" % column("expected_at"),
             "(%s IS NULL OR %s IS NULL OR isfinite(%s) AND isfinite(%s))" % (
                 (column("at"), column("received_at")) * 2)]
    if shop.in_parts:
        come = "coalesce(%s, 0)" % column("received")
        where.append("(%s IS NULL OR %s)" % (
            column("received"), quantity(column("received"))))
    if shop.with_status:
        where.append("%s IN (%s)" % (column("status"), ", ".join(
            "'%s'" % s for s in COUNTED)))
    return """
        SELECT {sku}::text COLLATE "C" AS sku, NULL::text AS channel,
            coalesce({location}, 'default') COLLATE "C" AS location,
            greatest(0, round({qty}::numeric, 6) - round({come}::numeric, 6))
                AS qty
        FROM {name} WHERE {where}""".format(
            sku=column("sku"), location=column("location"),
            qty=column("qty"), come=come, name=table.name,
            where=" AND ".join(where))


def expected(shop):
    """CTEs: sold and stock by item."""
    return """
    ordered AS MATERIALIZED (%s),
    sold AS (
        SELECT m.sku, place.location, o.qty * m.units AS qty, o.at
        FROM ordered o CROSS JOIN LATERAL (%s) m
        CROSS JOIN LATERAL (SELECT coalesce(%s, %s, %s, %s, o.place)
            AS location) place
        WHERE floor(extract(epoch FROM o.at) / 60)
            <= floor(extract(epoch FROM replenish.clock()) / 60)),
    demand AS (
        SELECT sku, location, sum(qty) AS sold_24h FROM sold
        WHERE at > replenish.clock() - interval '23 hours' GROUP BY 1, 2),
    counted AS MATERIALIZED (%s),
    newest AS (
        SELECT c.*, max(minute) OVER (PARTITION BY sku, location) AS last
        FROM counted c
        WHERE minute <= floor(extract(epoch FROM replenish.clock()) / 60)),
    snapshot AS (
        SELECT m.sku, n.location, min(n.minute) AS minute,
            sum(n.on_hand * m.units) AS on_hand,
            sum(n.reserved * m.units) AS reserved,
            sum(n.on_order * m.units) AS on_order
        FROM newest n CROSS JOIN LATERAL (%s) m
        WHERE n.minute = n.last GROUP BY 1, 2),
    bought AS MATERIALIZED (%s),
    inbound AS (
        SELECT m.sku, p.location, sum(p.qty * m.units) AS on_order
        FROM bought p CROSS JOIN LATERAL (%s) m WHERE p.qty > 0 GROUP BY 1, 2),
    stock AS (
        SELECT sku, location, n.on_hand - %s AS on_hand, n.reserved,
            coalesce(n.on_order, 0) + coalesce(i.on_order, 0) AS on_order
        FROM snapshot n FULL JOIN inbound i USING (sku, location))""" % (
            ordered(shop), REAL_SKU.format("o"),
            RULE.format("o.place", "o.channel"), RULE.format("o.place", "NULL"),
            RULE.format("NULL", "o.channel"), RULE.format("NULL", "NULL"),
            counted(shop), REAL_SKU.format("n"),
            bought(shop), REAL_SKU.format("p"),
            """coalesce((SELECT sum(s.qty) FROM sold s
                WHERE s.sku = n.sku AND s.location = n.location
                AND floor(extract(epoch FROM s.at) / 60) > n.minute), 0)"""
            if shop.snapshots else "0")


def names(shop):
    """Every SKU that may be an item of this shop."""
    return ", ".join(["(%s::%s)::text" % (sku, shop.key_type)
                      for sku in shop.skus]
                     + ["'%s'" % real for real in shop.real])


def differences(shop, decided):
    """The query for what status shows wrongly.  Before a tick that is only
    the stock, and of items that are known."""
    return """
        WITH %s,
        seen AS (
            SELECT sku, location, on_hand, reserved, on_order, sold_24h
            FROM replenish.status WHERE sku IN (%s)),
        expected AS (
            SELECT sku, location, on_hand, reserved, on_order, sold_24h
            FROM stock FULL JOIN demand USING (sku, location))
        SELECT sku, location, e.on_hand, s.on_hand, e.reserved, s.reserved,
            e.on_order, s.on_order, e.sold_24h, s.sold_24h
        FROM expected e %s JOIN seen s USING (sku, location)
        WHERE abs(coalesce(e.on_hand, 0) - coalesce(s.on_hand, 0)) > 0.00001
            OR coalesce(e.reserved, 0) <> coalesce(s.reserved, 0)
            OR coalesce(e.on_order, 0) <> coalesce(s.on_order, 0)
            -- a summary has six decimals, also of half a unit
            OR %s AND abs(coalesce(e.sold_24h, 0)
                - coalesce(s.sold_24h, 0)::numeric) > 0.0001
        ORDER BY 1, 2""" % (expected(shop), names(shop),
                            "FULL" if decided else "",
                            "true" if decided else "false")


def check(session, decided):
    """Compare status with the shop's tables; nobody writes meanwhile."""
    shop = session.shop
    if (shop.snapshots or shop.mapped or shop.purchases) and not decided:
        return                      # put together by the decider
    rows = session.rows(differences(shop, decided))
    if rows:
        raise Failure(
            "status differs from the shop's tables (sku, location, then on"
            " hand, reserved, on order and sold, each expected and shown):"
            "\n  %s" % "\n  ".join(
                ", ".join(str(v) for v in r) for r in rows[:10]))
    if decided and shop.viewers:
        check_rooms(session)


def check_rooms(session):
    """Compare the viewers counted in each room, and how often, with the
    shop's table."""
    table = session.shop.viewers
    at, qty, sku = table.column("at"), table.column("qty"), table.column("sku")
    rows = session.rows("""
        WITH expected AS (
            SELECT {room} COLLATE "C" AS channel, {sku} COLLATE "C" AS sku,
                sum(round({qty}::numeric, 6)) AS viewers, count(*) AS samples
            FROM {name}
            WHERE {room} IS NOT NULL AND {sku} IS NOT NULL AND {is_quantity}
                AND {at} > replenish.clock() - interval '23 hours'
                AND {at} < date_trunc('minute', replenish.clock())
                    + interval '1 minute'
            GROUP BY 1, 2),
        seen AS (
            SELECT channel, sku, sum(b.units)
                    FILTER (WHERE measure = 'viewers') AS viewers,
                sum(b.units) FILTER (WHERE measure = 'samples') AS samples
            FROM replenish.room_audience, replenish.demand_buckets(counts) b
            WHERE channel IN ({rooms}) AND b.resolution = '1 hour'
                AND b.bucket > replenish.clock() - interval '25 hours'
            GROUP BY 1, 2)
        SELECT channel, sku, e.viewers, s.viewers, e.samples, s.samples
        FROM expected e FULL JOIN seen s USING (channel, sku)
        WHERE abs(coalesce(e.viewers, 0) - coalesce(s.viewers, 0)::numeric)
                > 0.0001
            OR coalesce(e.samples, 0) <> coalesce(s.samples, 0)
        """.format(
            room=table.column("room"), sku="%s::text" % sku if sku else "''",
            qty=qty, is_quantity=quantity(qty), at=at, name=table.name,
            rooms=", ".join("'%s'" % r for r in session.shop.rooms)))
    if rows:
        raise Failure(
            "rooms differ from the shop's table (channel, sku, then viewers"
            " and samples, each expected and shown):\n  %s" % "\n  ".join(
                ", ".join(str(v) for v in r) for r in rows[:10]))
