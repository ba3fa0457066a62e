"""A daily replay of a set: what each method would have ordered at, every day.

Lead times are real ones, each item having a route of scms_shipments of its
own, or those that a policy assumes where nothing is known.  Their mean and
standard deviation are known to all methods alike, so what differs is the
forecast and what is made of it.  On each day a method sees what was sold on the
days before, and nothing else.

Ours is demand_threshold() and demand_forecast() of the summary rolled from day
to day.  The peers have the variance of the lead time added to their own as
ours has, but for the trade's two rules, which know none.  All order up to
threshold + demand of the order cycle, as design and defaults have it.
"""

import csv
import datetime

import numpy as np
import pandas as pd
from numba import njit, prange
from peers import peer, qdist

import sets

CYCLE = 30                      # days
DRAWS = 24                      # of lead times, over which results are counted
DEFAULT = 30, 8                 # lead time of a policy, mean and sd
LEVELS = np.array([.5, .8, .9, .95, .98, .995, .999])
NOMINAL = 3                     # place of .95 in LEVELS
FINER = 4                       # points of a curve for each level
FACTORS = np.array([.8, 1.0, 1.1, 1.25, 1.6, 2.0, 2.6])
# days replayed, and the longest mean lead time that leaves room for them
DAYS = {"uci": (262, 70), "m5": (730, 90)}

# name: number in peers.py, distribution there (0 normal, 1 negative binomial)
PEERS = {
    "MA28 x 1.25": (1, None), "fixed min/max": (0, 0),
    "MA28 + z sigma (NB)": (4, 1), "SES, fitted (NB)": (7, 1),
    "SES, fitted (normal)": (6, 0), "Croston (NB)": (8, 1),
    "SBA (NB)": (9, 1), "TSB (NB)": (11, 1),
    "Holt-Winters weekly (NB)": (13, 1)}


@njit(parallel=True, cache=True)
def peer_moments(number, Y, S, first, H, out):
    """Mean and variance of H[item] days on each day from first."""
    nothing = np.empty(0)
    for i in prange(Y.shape[0]):
        found = np.zeros(2)
        for t in range(first, Y.shape[1]):
            if t - S[i] >= 28:
                peer(number, Y[i], S[i], t, first, H[i], nothing, found)
                out[i, t - first, 0] = found[0]
                out[i, t - first, 1] = found[1]


@njit(parallel=True, cache=True)
def quantiles(kind, mean, var, p, out):
    """The quantile of each mean and variance."""
    for i in prange(mean.shape[0]):
        for t in range(mean.shape[1]):
            if mean[i, t] > 0:
                out[i, t] = qdist(kind, mean[i, t], var[i, t], p)


def routes(context, longest):
    """Lead times in days of each route with forty orders or more, whose mean
    is not too long."""
    found = {}
    with context.data("scms_shipments.csv.gz") as file:
        for line in csv.DictReader(file):
            sent, got = line["po_sent"][:10], line["delivered"][:10]
            if sent and got > sent:
                found.setdefault((line["country"], line["shipment_mode"]),
                                 set()).add((line["po"], sent, got))
    day = datetime.date.fromisoformat
    found = {route: np.sort([(day(got) - day(sent)).days
                             for _, sent, got in orders])
             for route, orders in sorted(found.items()) if len(orders) >= 40}
    return {route: days for route, days in found.items()
            if days.mean() <= longest}


class Replay:
    """The days from first of a set, with lead times for each item.

    kind: "real", or "default" for those of a policy; review: days.
    """

    def __init__(self, context, name, kind, review):
        self.set = s = context.set(name)
        days, longest = DAYS[name]
        self.days = days = min(days, s.Y.shape[1])
        self.first = s.Y.shape[1] - days
        self.demand = s.Y[:, self.first:]
        # an item has the same luck whatever others are there
        luck = [np.random.default_rng((3, i)) for i in s.place]
        if kind == "real":
            real = list(routes(context, longest).values())
        else:
            mean, sd = DEFAULT
            spread = np.log1p((sd / mean) ** 2)
            real = [np.maximum(1, np.rint(np.random.default_rng(3).lognormal(
                np.log(mean) - spread / 2, spread ** .5, 1000)))]
        route = [rng.integers(len(real)) for rng in luck]
        self.lead_mean = np.array([np.rint(real[r].mean())
                                   for r in route]).astype(np.int64)
        self.lead_sd = np.array([real[r].std(ddof=1) for r in route])
        # by draw: of the order placed on that day
        self.leads = np.stack([rng.choice(real[r], (DRAWS, days))
                               for r, rng in zip(route, luck)],
                              1).astype(np.int64)
        self.review = review
        self.horizon = self.lead_mean + review
        # a new item has thresholds once it is four weeks old
        self.old = np.arange(self.first, s.Y.shape[1]) >= s.S[:, None] + 28
        # by method: thresholds [level, item, day], and the cycle's demand
        self.methods = {"replenish": self.ours(context)}
        for peer_name in PEERS:
            self.methods[peer_name] = self.peer(peer_name)
            context.say("%s: thresholds of %s" % (name, peer_name))

    def ours(self, context):
        """The extension's thresholds, in one query."""
        s = self.set
        sets.demand(context, s)
        context.table("route", "int,interval,interval", pd.DataFrame({
            "item": np.arange(len(s.lab)),
            "lead_time": ["%d hours" % (24 * d) for d in self.lead_mean],
            "lead_time_sd": ["%f hours" % (24 * d) for d in self.lead_sd]}))
        found = context.frame("""
            SELECT item, date_part('day', at - '%(first)s')::int AS day,
                cycle.mean, %(thresholds)s
            FROM (SELECT item, at, demand_agg(units, at) OVER rolling
                        AS demand
                FROM generate_series('%(from)s', '%(last)s',
                    interval '1 day') at
                CROSS JOIN public.route
                LEFT JOIN public.demand USING (item, at)
                WINDOW rolling AS (PARTITION BY item ORDER BY at
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) history
            JOIN public.route USING (item)
            CROSS JOIN LATERAL demand_forecast(demand, at,
                interval '%(cycle)d days') cycle
            WHERE at >= '%(first)s' AND demand IS NOT NULL
            """ % {
                "first": s.origin(self.first), "from": s.origin(0),
                "last": s.origin(s.Y.shape[1] - 1), "cycle": CYCLE,
                "thresholds": ", ".join(
                    "(demand_threshold(demand, at, lead_time, lead_time_sd,"
                    " interval '%d days', %g)).threshold" % (self.review, p)
                    for p in LEVELS)})
        thresholds = np.zeros((len(LEVELS), *self.demand.shape))
        cycle = np.zeros(self.demand.shape)
        item, day = found["item"], found["day"]
        cycle[item, day] = found["mean"]
        thresholds[:, item, day] = found.iloc[:, 3:].to_numpy().T
        context.say("%s: thresholds of replenish" % s.name)
        return thresholds, cycle

    def peer(self, name):
        """A peer's thresholds."""
        number, kind = PEERS[name]
        s, size = self.set, self.demand.shape
        moments, cycle = np.zeros((*size, 2)), np.zeros((*size, 2))
        peer_moments(number, s.Y, s.S, self.first, self.horizon, moments)
        peer_moments(number, s.Y, s.S, self.first,
                     np.full(len(s.lab), CYCLE), cycle)
        mean, var = moments[..., 0], moments[..., 1]
        thresholds = np.zeros((len(LEVELS), *size))
        if kind is None:
            thresholds[:] = FACTORS[:, None, None] * mean
        else:
            if number:
                per_day = mean / self.horizon[:, None]
                var = var + (per_day * self.lead_sd[:, None]) ** 2
            for k, p in enumerate(LEVELS):
                quantiles(kind, mean, var, p, thresholds[k])
        return thresholds, cycle[..., 0]


def load(context, name, kind, review):
    """Such a replay, which is computed once."""
    key = "replay", name, kind, review
    if key not in context.sets:
        context.sets[key] = Replay(context, name, kind, review)
    return context.sets[key]


def finer(levels):
    """The levels, and mixtures of each with the next, for curves that may be
    read between them."""
    for low, high in zip(levels, levels[1:]):
        for step in range(FINER):
            yield low + (high - low) * step / FINER
    yield levels[-1]


def at(curve, wanted, of, column):
    """A column of a curve where another one first has the wanted value; NaN
    beyond its ends."""
    x = np.maximum.accumulate(curve[of])
    first = np.diff(x, prepend=-np.inf) > 0
    return np.interp(wanted, x[first], curve[column, first], np.nan, np.nan)


def reading(curves, wanted, of, column):
    """That of all: ours, the peers', and a note about those that never get
    there."""
    values = {m: at(c, wanted, of, column) for m, c in curves.items()}
    never = [m for m, v in values.items() if np.isnan(v)]
    peers = {m: v for m, v in values.items()
             if m not in never and m != "replenish"}
    return values["replenish"], peers, \
        "never reached by " + ", ".join(never) if never else None
