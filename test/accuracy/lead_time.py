"""Lead times: real shipments, each forecast when it was ordered.

At each order only what had been received on an earlier day is known, of its
route, of the group that the route belongs to, and of all: three windows of
lead_time_agg() over orders and receipts in the order of their moments, where
an order is a row that has not been received.  lead_time_estimate() and
lead_time_quantile() make the quantiles; the peers know the same receipts.

The record has rows that were received before they were ordered; they are left
in it, and are not scored.
"""

import zlib
from statistics import NormalDist

import numpy as np
import pandas as pd

P = (.5, .8, .9, .95)
Z = np.array([NormalDist().inv_cdf(p) for p in P])
ENOUGH = 30                     # receipts of all routes, before we begin

# what makes a route, and the group that it is in
ROUTES = (
    ("vendor, country and mode", "供应商、国家和运输方式",
     ["vendor", "country", "shipment_mode"], ["shipment_mode"]),
    ("country and mode", "国家和运输方式",
     ["country", "shipment_mode"], ["shipment_mode"]),
    ("vendor and mode", "供应商和运输方式",
     ["vendor", "shipment_mode"], ["shipment_mode"]),
    ("vendor and country", "供应商和国家",
     ["vendor", "country"], ["country"]),
)

ESTIMATES = """
    SELECT id, {quantiles}
    FROM (SELECT id, received_at,
            lead_time_agg(ordered_at, receipt) OVER
                (PARTITION BY route ORDER BY at, receipt NULLS FIRST, id) AS route,
            lead_time_agg(ordered_at, receipt) OVER
                (PARTITION BY parent ORDER BY at, receipt NULLS FIRST, id) AS parent,
            lead_time_agg(ordered_at, receipt) OVER
                (ORDER BY at, receipt NULLS FIRST, id) AS whole, receipt
        FROM (SELECT *, ordered_at AS at, NULL::timestamptz AS receipt
            FROM public.shipment
            UNION ALL
            SELECT *, received_at, received_at FROM public.shipment) moments
        ) known,
        lead_time_estimate(route, parent, whole)
    WHERE receipt IS NULL ORDER BY id
    """.format(quantiles=", ".join(
        "lead_time_quantile(mean, sd, %s) AS q%d" % (p, i)
        for i, p in enumerate(P)))


def key(found, columns):
    """One text of some columns."""
    return found[columns].fillna("?").agg("|".join, axis=1)


def shipments(context):
    """All shipments that were ordered and received, by day."""
    with context.data("scms_shipments.csv.gz") as file:
        found = pd.read_csv(file, parse_dates=["po_sent", "delivered"])
    found = found[found.po_sent.notna() & found.delivered.notna()]
    found = found.rename(columns={"po_sent": "ordered_at",
                                  "delivered": "received_at"})
    found["days"] = (found.received_at - found.ordered_at).dt.days
    found["half"] = [zlib.crc32(text.encode()) % 2 for text in key(
        found, ["country", "shipment_mode"])]
    return found.reset_index(drop=True)


def ours(context, found):
    """The quantiles of each shipment, from SQL."""
    context.table("shipment", "int,text,text,timestamptz,timestamptz",
                  found[["route", "parent", "ordered_at", "received_at"]]
                  .rename_axis("id").reset_index())
    return context.frame(ESTIMATES).drop(columns="id").to_numpy()


def shrunk(days, same_parent, same_route):
    """The log-normal that shrinks means only, and knows of no uncertainty of
    its own."""
    x = np.log(days)
    mean, var = x.mean(), x.var(ddof=1)
    for same, strength in ((same_parent, 5), (same_route, 8)):
        n = same.sum()
        if n:
            own = x[same]
            var = (((own - own.mean()) ** 2).sum() + strength * var) \
                / (n + strength)
            mean = (own.sum() + strength * mean) / (n + strength)
    return np.exp(mean + Z * np.sqrt(var))


def peers(found, scored):
    """The quantiles of each shipment that is scored, of each peer."""
    ordered, received, days, route, parent = (
        found[c].to_numpy() for c in (
            "ordered_at", "received_at", "days", "route", "parent"))
    out = {name: np.full((len(found), len(P)), np.nan) for name in (
        "route mean and sd, normal", "all routes, empirical",
        "last one times 1.25", "log-normal, means shrunk")}
    for i in np.flatnonzero(scored):
        known = np.flatnonzero((received < ordered[i]) & (days > 0))
        known = known[np.argsort(received[known], kind="stable")]
        same = route[known] == route[i]
        of_route = days[known[same]]
        some = of_route if len(of_route) > 1 else days[known]
        normal, empirical, last, log = (q[i] for q in out.values())
        normal[:] = np.maximum(0, some.mean() + Z * some.std(ddof=1))
        empirical[:] = np.quantile(days[known], P)
        last[:] = 1.25 * (of_route if len(of_route) else days[known])[-1]
        log[:] = shrunk(days[known], parent[known] == parent[i], same)
    return out


def loss(days, quantiles):
    """Pinball loss in days, the mean of all quantiles."""
    over = days[:, None] - quantiles
    return np.maximum(over * P, over * (np.array(P) - 1)).mean()


def covered(days, quantiles):
    """Share of shipments that took no longer than each quantile."""
    return (days[:, None] <= quantiles).mean(0)


def compare(context, found, name, zh, first):
    """Rows of one kind of route."""
    known = found.received_at.sort_values().searchsorted(found.ordered_at)
    scored = (known >= ENOUGH) & (found.days >= 0)
    if context.half:
        scored &= found.half == (context.half == "second")
    if context.quick:
        scored &= found.index % 10 == 0
    scored = scored.to_numpy()
    days = found.days.to_numpy()[scored]
    answers = {"replenish": ours(context, found), **peers(found, scored)}
    losses = {n: loss(days, q[scored]) for n, q in answers.items()}
    shares = {n: covered(days, q[scored]) for n, q in answers.items()}
    misses = {n: np.abs(c - P).mean() for n, c in shares.items()}
    note = "%d shipments, %d routes; covered by the quantiles .5 .8 .9 .95:" \
        " %s" % (scored.sum(), found.route[scored].nunique(),
                 " ".join("%.3f" % c for c in shares["replenish"]))
    rows = [context.row(
        "lead time by %s: pinball loss" % name, "按%s的提前期：分位损失" % zh,
        losses.pop("replenish"), losses, "days", ("<=", "best"), note=note,
        readme=first), context.row(
        "lead time by %s: mean error of coverage" % name,
        "按%s的提前期：覆盖率平均误差" % zh,
        misses.pop("replenish"), misses, "", ("<=", "best"), readme=first)]
    if first:
        mine = shares.pop("replenish")
        rows += [context.row(
            "lead time by %s: covered by the %g %% quantile" % (
                name, 100 * P[i]),
            "按%s的提前期：%g %% 分位数的覆盖率" % (zh, 100 * P[i]),
            mine[i], {n: c[i] for n, c in shares.items()}, "",
            ("in", [P[i] - width, P[i] + width]), better=P[i],
            readme=P[i] == .95)
            for i, width in ((0, .05), (1, .05), (2, .03), (3, .02))]
    return rows


def run(context):
    found = shipments(context)
    rows = []
    for i, (name, zh, route, parent) in enumerate(ROUTES):
        found["route"], found["parent"] = key(found, route), key(found, parent)
        rows += compare(context, found, name, zh, i == 0)
    return rows
