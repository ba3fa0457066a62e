"""Forecasts: the tasks of accuracy.py through SQL, beside its peers."""

import numpy as np
import pandas as pd

import sets

P = "{.5,.8,.9,.95,.975}"


def ours(context, s):
    """Mean, an unused column and five quantiles of every task, from SQL."""
    sets.demand(context, s)
    context.run("DROP TABLE IF EXISTS origin")
    context.run("CREATE TABLE origin (origin int, at timestamptz)")
    context.load("origin", sets.days(s, pd.DataFrame(
        {"origin": np.arange(len(s.org)), "day": s.org})))
    found = context.frame("""
        SELECT item, origin, days, mean, q[1], q[2], q[3], q[4], q[5]
        FROM (SELECT item, origin, o.at,
                demand_agg(units, d.at) AS demand
            FROM demand d JOIN origin o ON d.at < o.at
            GROUP BY item, origin, o.at) history,
        unnest('{%s}'::int[]) WITH ORDINALITY h(days, place),
        make_interval(hours => 24 * days) horizon,
        demand_forecast(demand, at, horizon),
        demand_quantiles(demand, at, horizon, '%s') q
        """ % (",".join(map(str, s.H)), P))
    out = s.empty()
    place = {int(h): k for k, h in enumerate(s.H)}
    out[found["item"], found["origin"], found["days"].map(place)] = \
        found.iloc[:, [3, 3, 4, 5, 6, 7, 8]].to_numpy()
    missing = np.isfinite(s.A) & ~np.isfinite(out).all(-1)
    if missing.any():
        raise RuntimeError("%d tasks have no forecast" % missing.sum())
    return out


def run(context):
    from accuracy import PEERS
    from peers import PS, run_peer, score
    rows = []
    for name in context.names:
        s = context.set(name)
        context.say("%s: %d items, %d tasks" % (
            name, len(s.lab), np.isfinite(s.A).sum()))
        mine = score(np.nan_to_num(ours(context, s)), s.A, s.SC, s.H)
        theirs = {}
        for i, peer in enumerate(PEERS):
            out = s.empty()
            run_peer(i, s.Y, s.S, s.org, s.H, PS, out)
            theirs[peer] = score(np.nan_to_num(out), s.A, s.SC, s.H)
        for key, digits in (("SPL", "SPL"), ("WPL", "WPL")):
            rows.append(context.row(
                "%s, %s" % (name, digits), "%s，%s" % (name, digits),
                mine[key], {k: v[key] for k, v in theirs.items()}, "",
                ("<=", "best")))
    return rows
