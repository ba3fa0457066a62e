"""Hidden demand: how much of what an emptied shelf hid is found again.

The days of real items are emptied at random, in stretches of three to fourteen
days and about one day in six of the last half year, and the orders in them are
dropped.  Each item is forecast for the next 28 days from what is left, from
what is left with the time without stock (demand_in_stock()), by the simple form
(what is left of 91 days over the share of them with stock, open-mSupply#9517),
and from all that was ordered, which is what would have been known.

The items are those that sold ten units in the half year before; the hidden
demand that is found again is the part of the way from the forecast of what is
left to that of all, of the sums over the items.
"""

import numpy as np
import pandas as pd

HORIZON, PAST, SHARE = 28, 182, 1 / 6
FEWEST = 10                     # units in the past half year

FORECASTS = """
    WITH whole AS (
        SELECT item, demand_agg(units, at) AS demand FROM public.demand
        GROUP BY item
    ), part AS (
        SELECT d.item, demand_agg(d.units, d.at) AS demand
        FROM public.demand d
        WHERE NOT EXISTS (SELECT FROM public.gap g WHERE g.item = d.item
            AND d.at >= g.starts_at AND d.at < g.ends_at)
        GROUP BY d.item
    ), gone AS (
        SELECT item, demand_merge(demand_span(starts_at, ends_at)) AS minutes,
            sum(extract(epoch FROM least(ends_at, '%(at)s') - greatest(
                starts_at, timestamptz '%(at)s' - interval '91 days')))
                FILTER (WHERE ends_at > timestamptz '%(at)s'
                    - interval '91 days') / 86400.0 AS days
        FROM public.gap GROUP BY item
    )
    SELECT w.item, (demand_forecast(w.demand, '%(at)s', '28 days')).mean AS all_,
        coalesce((demand_forecast(p.demand, '%(at)s', '28 days')).mean, 0)
            AS left_,
        coalesce((demand_forecast(demand_in_stock(p.demand, demand_at(
            coalesce(g.minutes, '{}'), '%(at)s')), '%(at)s', '28 days')).mean, 0)
            AS ours,
        28 * 24 * coalesce(demand_velocity(p.demand, '%(at)s',
            interval '91 days'), 0) * 91
            / greatest(91 - coalesce(g.days, 0), 1) AS simple
    FROM whole w LEFT JOIN part p USING (item) LEFT JOIN gone g USING (item)
    ORDER BY item
"""


def gaps(random, items, last):
    """Stretches without stock, some of which are not over: item, first day,
    and the day after the last."""
    found = []
    for item in items:
        empty = np.zeros(PAST, bool)
        while empty.mean() < SHARE:
            length = random.integers(3, 15)
            first = random.integers(0, PAST)
            empty[first:first + length] = True
        edges = np.flatnonzero(np.diff(np.concatenate(
            [[0], empty.view(np.int8), [0]])))
        found += [(item, last - PAST + a, last - PAST + b)
                  for a, b in edges.reshape(-1, 2)]
    return pd.DataFrame(found, columns=["item", "first", "end"])


def stamps(s, days):
    return (s.d0 + pd.to_timedelta(days, "D")).dt.strftime("%Y-%m-%d")


def run(context):
    rows = []
    for name in context.names:
        if name not in ("uci", "m5"):
            continue
        s = context.set(name)
        last = s.Y.shape[1] - HORIZON
        items = np.flatnonzero(s.Y[:, last - PAST:last].sum(1) >= FEWEST)
        found = gaps(np.random.default_rng(5), items, last)
        item, day = np.nonzero(s.Y[items, :last])
        context.table("demand", "int,float8,timestamptz", pd.DataFrame({
            "item": items[item], "units": s.Y[items[item], day],
            "at": stamps(s, pd.Series(day))}))
        context.table("gap", "int,timestamptz,timestamptz", pd.DataFrame({
            "item": found.item, "starts_at": stamps(s, found["first"]),
            "ends_at": stamps(s, found.end)}))
        at = str((s.d0 + pd.to_timedelta(last, "D")).date())
        f = context.frame(FORECASTS % {"at": at})
        sold = s.Y[f.item, last:last + HORIZON].sum(1)
        hidden = f.all_.sum() - f.left_.sum()
        answers = {"replenish": f.ours, "uncorrected": f.left_,
                   "simple form": f.simple}
        found_again = {k: (v.sum() - f.left_.sum()) / hidden * 100
                       for k, v in answers.items()}
        scale = s.Y[f.item, :last].mean(1)
        errors = {k: (np.abs(v - f.all_) / (HORIZON * scale)).mean() * 100
                  for k, v in answers.items()}
        actual = {k: (np.abs(v - sold) / (HORIZON * scale)).mean() * 100
                  for k, v in {**answers, "never empty": f.all_}.items()}
        note = "%d items, %.0f %% of the half year without stock; what was " \
            "sold in the 28 days is missed by %s" % (
                len(f), 100 * (found.end - found["first"]).sum()
                / (PAST * len(items)), ", ".join(
                    "%s %.1f %%" % x for x in actual.items()))
        rows += [context.row(
            "hidden demand, %s: found again" % name,
            "%s：缺货期隐藏的需求找回比例" % name, found_again.pop("replenish"),
            found_again, "%", ("in", [90, 110]), better=100, note=note,
            readme=True), context.row(
            "hidden demand, %s: distance from the forecast of a full shelf"
            % name, "%s：与货架从不空时预测的差距" % name,
            errors.pop("replenish"), errors, "%", ("<=", "best"))]
    return rows
