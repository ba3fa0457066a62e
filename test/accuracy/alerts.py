"""Alerts: how many stock-outs are announced in time, and how often in vain.

A shelf is filled for some time at the pace of the last 91 days, and nothing is
ordered: real demand runs it down until it cannot be met, and then it is filled
again.  The shelves are the same for all methods, whose thresholds are
replay.py's.  Of each stock-out we ask whether there was an orange alert a lead
time before, as it was drawn for this shelf; of each change to orange, whether
the shelf then lasted for more than twice the mean lead time and review period,
which makes it an alert in vain.  Who is always alarmed pays once for a shelf,
as it is filled for longer than that, and day by day in the days of vain alarm.

A higher service level announces more and alarms more in vain, so methods are
compared at the share of stock-outs that ours announces at its default.
"""

import numpy as np
from numba import njit
import pandas as pd

import replay
import sets

MARGIN = .1                     # exit margin
COVER = 2.5, 4.5                # a shelf's stock, of the mean over the horizon
STRETCH = np.array([1.5, 2.0, 3.0, 5.0])    # of the highest level, to go on
# lead times and days of review
LEADS = {"uci": ("default", 7), "m5": ("real", 7)}


@njit(cache=True)
def shelves(demand, usual, old, cover, stock, end, lasts):
    """Fill and run down: the stock of each morning, the first day of its
    shelf, and the day on which demand was not met (-1 for never)."""
    for i in range(demand.shape[0]):
        begin = -1
        for t in range(demand.shape[1]):
            if not old[i, t]:
                continue
            if begin < 0:
                begin = t
                left = max(1.0, np.rint(usual[i, t] * cover[i, t]))
            stock[i, t] = left
            end[i, t] = begin
            lasts[i, t] = -1
            if demand[i, t] > left:
                lasts[i, begin:t + 1] = t
                begin = -1
            else:
                left -= demand[i, t]


@njit(cache=True)
def tiers(stock, begin, threshold, out):
    """alert_level() along each shelf: 0 normal to 3 red; -1 without a shelf."""
    lines = (1.5, 1.0, .5)
    for i in range(stock.shape[0]):
        before = 0
        for t in range(stock.shape[1]):
            if begin[i, t] < 0:
                out[i, t] = -1
                continue
            if begin[i, t] == t:
                before = 0
            raw, kept = 0, 0
            for k in range(3):
                line = lines[k] * threshold[i, t]
                if stock[i, t] < line - 5e-7:
                    raw = k + 1
                if k + 1 <= before and \
                        stock[i, t] <= line * (1 + MARGIN) + 5e-7:
                    kept = k + 1
            before = 0 if threshold[i, t] <= 0 else max(raw, kept)
            out[i, t] = before


@njit(cache=True)
def judge(tier, begin, lasts, lead, horizon, wanted):
    """Stock-outs, those announced, changes to orange in vain, days at orange in
    vain, and changes of the tier, on the wanted items."""
    outs = told = vain = idle = changes = 0
    for i in range(tier.shape[0]):
        if not wanted[i]:
            continue
        first = -1
        for t in range(tier.shape[1]):
            if begin[i, t] < 0:
                continue
            new = begin[i, t] == t
            if new:
                first = -1
            before = 0 if new else tier[i, t - 1]
            changes += not new and tier[i, t] != before
            if tier[i, t] >= 2:
                if first < 0:
                    first = t
                left = (lasts[i, t] if lasts[i, t] >= 0
                        else tier.shape[1]) - t
                if left > 2 * horizon[i]:
                    idle += 1
                    vain += before < 2
            due = t - lead[i, begin[i, t]]
            if lasts[i, t] == t and due >= begin[i, t]:
                outs += 1
                told += 0 <= first <= due
    return outs, told, vain, idle, changes


class Shelves:
    """The shelves of a replay."""

    def __init__(self, r):
        self.replay, size = r, r.demand.shape
        sums = np.cumsum(np.pad(r.set.Y, ((0, 0), (1, 0))), 1)
        to = np.arange(r.first, r.set.Y.shape[1])
        since = np.maximum(to - 91, r.set.S[:, None])
        mean = (sums[:, to] - np.take_along_axis(
            sums, np.minimum(since, to), 1)) / np.maximum(to - since, 1)
        cover = np.stack([np.random.default_rng((4, i)).uniform(
            *COVER, size[1]) for i in r.set.place])
        self.stock = np.zeros(size)
        self.begin = np.full(size, -1)
        self.lasts = np.full(size, -1)
        shelves(r.demand, mean * r.horizon[:, None], r.old, cover, self.stock,
                self.begin, self.lasts)

    def tiers(self, threshold):
        out = np.empty(self.stock.shape, np.int8)
        tiers(self.stock, self.begin, threshold, out)
        return out

    def curve(self, thresholds, wanted):
        """Share announced, alerts and days in vain per item and year, and tier
        changes per item and week, at each level."""
        r, found = self.replay, []
        weeks = (self.begin[wanted] >= 0).sum() / 7
        weeks *= len(r.leads)
        levels = [*thresholds, *(STRETCH[:, None, None] * thresholds[-1])]
        for threshold in replay.finer(levels):
            tier = self.tiers(threshold)
            outs, told, vain, idle, changes = np.sum([
                judge(tier, self.begin, self.lasts, lead, r.horizon, wanted)
                for lead in r.leads], 0)
            found.append((told / outs, vain / weeks * 52, idle / weeks * 52,
                          changes / weeks))
        return np.array(found).T, outs


def check(context, s, shelf, threshold):
    """Raise an error unless alert_level() gives the same tiers."""
    item, day = np.nonzero(shelf.begin >= 0)
    context.table("shelf", "int,int,float8,float8,int,timestamptz", sets.days(
        s, pd.DataFrame({
            "item": item, "begin": shelf.begin[item, day],
            "stock": shelf.stock[item, day],
            "threshold": threshold[item, day],
            "place": np.arange(len(item)), "day": day})))
    context.run("""
        DROP AGGREGATE IF EXISTS public.tier_agg(float8, float8, float8);
        CREATE OR REPLACE FUNCTION public.tier_step(tier, float8, float8,
            float8) RETURNS tier LANGUAGE sql IMMUTABLE
            RETURN alert_level($2, $3, $1, $4);
        CREATE AGGREGATE public.tier_agg(stock float8, threshold float8,
                margin float8)
            (sfunc = public.tier_step, stype = tier, initcond = 'normal')""")
    found = context.frame("""
        SELECT place, array_position(enum_range(NULL::tier),
            tier_agg(stock, threshold, %g) OVER shelf) - 1 AS tier
        FROM public.shelf WINDOW shelf AS (PARTITION BY item, begin ORDER BY at)
        """ % MARGIN).sort_values("place")
    differ = (found["tier"].to_numpy()
              != shelf.tiers(threshold)[item, day]).sum()
    if differ:
        raise RuntimeError("%d of %d tiers are not alert_level()'s" % (
            differ, len(item)))


def rows_of(context, name):
    r = replay.load(context, name, *LEADS[name])
    shelf = Shelves(r)
    check(context, r.set, shelf, r.methods["replenish"][0][replay.NOMINAL])
    everyone = np.ones(len(r.set.lab), bool)
    curves = {}
    for method, (thresholds, _) in r.methods.items():
        curves[method], outs = shelf.curve(thresholds, everyone)
    nominal = replay.FINER * replay.NOMINAL
    recall = curves["replenish"][0, nominal]
    usual = {"MA28 x 1.25": replay.FINER * int(
        np.flatnonzero(replay.FACTORS == 1.25)[0])}
    rows = [context.row(
        "%s: stock-outs announced a lead time ahead" % name,
        "%s：提前一个交货期预告的缺货" % name, 100 * recall,
        {m: 100 * c[0, usual.get(m, nominal)]
         for m, c in curves.items() if m != "replenish"}, "%", better="high",
        note="%d stock-outs; all at a service level of .95, or the rule's own"
        % outs)]
    for column, what, zh, unit in (
            (1, "orange alerts in vain at equal recall",
             "同等召回率下的橙色误报", "per item-year"),
            (2, "days of orange in vain at equal recall",
             "同等召回率下的橙色误报天数", "per item-year"),
            (3, "tier changes at equal recall",
             "同等召回率下的等级变化", "per item-week")):
        mine, peers, note = replay.reading(curves, recall, 0, column)
        rows.append(context.row(
            "%s: %s" % (name, what), "%s：%s" % (name, zh), mine, peers, unit,
            ("<=", "best") if column < 3 else None, note=note))
    return rows


def run(context):
    rows = []
    for name in context.names:
        if name in LEADS:
            rows += rows_of(context, name)
    return rows
