"""Forecasts: the tasks of accuracy.py through SQL, beside its peers.

Every item is summarised up to each origin by demand_agg(), then forecast by
demand_forecast() and demand_quantiles().  The peers see the item's whole
history.  R's ets, which takes a million times as long, has a fixed sample.
"""

import numpy as np
import pandas as pd

import ets
import sets

P = "{.5,.8,.9,.95,.975}"
SAMPLE = 150                    # items for ets, at one origin each
# what a threshold is about: lead time and review period, in days
LEADS = [37, 63, 91]


def ours(context, s):
    """Mean, an unused column and five quantiles of every task, from SQL."""
    sets.demand(context, s)
    context.table("origin", "int,timestamptz", sets.days(s, pd.DataFrame(
        {"origin": np.arange(len(s.org)), "day": s.org})))
    found = context.frame("""
        SELECT item, origin, days, mean, q[1], q[2], q[3], q[4], q[5]
        FROM (SELECT item, origin, o.at,
                demand_agg(units, d.at) AS demand
            FROM public.demand d JOIN public.origin o ON d.at < o.at
            GROUP BY item, origin, o.at) history,
        unnest('{%s}'::int[]) days, make_interval(hours => 24 * days) horizon,
        demand_forecast(demand, at, horizon),
        demand_quantiles(demand, at, horizon, '%s') q
        """ % (",".join(map(str, s.H)), P))
    out = s.empty()
    out[found["item"], found["origin"], np.searchsorted(s.H, found["days"])] \
        = found.iloc[:, [3, 3, 4, 5, 6, 7, 8]].to_numpy()
    missing = np.isfinite(s.A) & ~np.isfinite(out).all(-1)
    if missing.any():
        raise RuntimeError("%d tasks have no forecast" % missing.sum())
    return out


def groups(s):
    """Actual demand of the tasks on items that were lumpy, and on items that
    grew, up to the origin; NaN for the others.

    Lumpy is that of Syntetos, Boylan and Croston (2005): sales at least 1.32
    days apart, and a squared coefficient of variation of the days with sales of
    at least .49.  An item grew whose later half of the history sold half as
    much again as the first half.
    """
    lumpy, growing = np.full(s.A.shape, np.nan), np.full(s.A.shape, np.nan)
    for i, first in enumerate(s.S):
        for o, origin in enumerate(s.org):
            y = s.Y[i, first:origin]
            sold = y[y > 0]
            if len(sold) > 1 and len(y) >= 1.32 * len(sold) and \
                    sold.var(ddof=1) >= .49 * sold.mean() ** 2:
                lumpy[i, o] = s.A[i, o]
            middle = len(y) // 2
            if middle and y[middle:].mean() > 1.5 * y[:middle].mean():
                growing[i, o] = s.A[i, o]
    return {"lumpy": lumpy, "growing": growing}


def scores(s, actual, found):
    """The scores of each forecaster, by its name, of the tasks that are not
    NaN."""
    from peers import score
    return {name: score(np.nan_to_num(out), actual, s.SC, s.H)
            for name, out in found.items()}


def others(scored, key, place=None):
    """One score of all but ours."""
    return {name: r[key] if place is None else r[key][place]
            for name, r in scored.items() if name != "replenish"}


def compare(context, s, found):
    """Rows of one set, and its SPLs."""
    scored = scores(s, s.A, found)
    rows = [context.row(
        "%s: %s" % (s.name, what), "%s：%s" % (s.name, zh),
        scored["replenish"][key], others(scored, key), "", ("<=", "best"),
        readme=key == "SPL")
        for key, what, zh in (("SPL", "SPL", "SPL"), ("WPL", "WPL", "WPL"),
                              ("RMSSE", "RMSSE of the mean", "均值的 RMSSE"))]
    zh = {"all": "", "lumpy": "，块状需求", "growing": "，增长中"}
    for group, actual in {"all": s.A, **groups(s)}.items():
        r = scores(s, actual, found)
        rows.append(context.row(
            "%s: covered by the 95 %% quantile%s" % (
                s.name, "" if group == "all" else ", " + group),
            "%s：95 %% 分位数的覆盖率%s" % (s.name, zh[group]),
            r["replenish"]["cov"][3], others(r, "cov", 3), "",
            ("in", [.93, .97]), better=.95,
            note="%d forecasts" % np.isfinite(actual).sum()))
    return rows, {name: r["SPL"] for name, r in scored.items()}


def everyone(context, s):
    """The forecasts of all, by their names."""
    from accuracy import PEERS
    from peers import PS, run_peer
    found = {"replenish": ours(context, s)}
    for i, peer in enumerate(PEERS):
        found[peer] = s.empty()
        run_peer(i, s.Y, s.S, s.org, s.H, PS, found[peer])
    return found


def over_leads(context, s):
    """Rows about horizons as long as thresholds have them."""
    other = sets.longer(s, LEADS)
    scored = scores(other, other.A, everyone(context, other))
    name = "%s, %s days" % (s.name, ", ".join(map(str, LEADS)))
    zh = "%s，%s 天" % (s.name, "、".join(map(str, LEADS)))
    return [context.row(
        "%s: SPL" % name, "%s：SPL" % zh, scored["replenish"]["SPL"],
        others(scored, "SPL"), "", ("<=", "best")),
        context.row(
            "%s: WPL" % name, "%s：WPL" % zh, scored["replenish"]["WPL"],
            others(scored, "WPL"), "", ("<=", "best"), readme=False),
        context.row(
            "%s: covered by the 95 %% quantile" % name,
            "%s：95 %% 分位数的覆盖率" % zh,
            scored["replenish"]["cov"][3], others(scored, "cov", 3), "",
            ("in", [.93, .97]), better=.95)]


def beside_ets(context, s, found):
    """Rows of the sample that ets has."""
    some = ets.sample(s, 8 if context.quick else SAMPLE)
    simulated, normal, seconds = ets.forecasts(s, some)
    scored = scores(s, some, {"replenish": found["replenish"],
                              "ets, simulated": simulated,
                              "ets, normal": normal})
    return [context.row(
        "%s: %s on a sample, with R's ets" % (s.name, key),
        "%s：抽样 %s，含 R 的 ets" % (s.name, key),
        scored["replenish"][key], others(scored, key), "", ("<=", "best"),
        note="%d forecasts; ets took %.2f s for each item and origin,"
        " two at a time" % (np.isfinite(some).sum(), seconds),
        readme=key == "SPL")
        for key in ("SPL", "WPL")]


def average(context, found):
    """The row of all sets together: geometric mean of the SPL relative to the
    best peer of each set."""
    logs = {name: np.mean([np.log(spl[name] / min(
        v for peer, v in spl.items() if peer != "replenish"))
        for spl in found]) for name in found[0]}
    ratio = {name: np.exp(v) for name, v in logs.items()}
    mine = ratio.pop("replenish")
    return context.row(
        "SPL to that of each set's best peer, geometric mean",
        "SPL 与各数据集最佳同类之比，几何平均", mine, ratio, "",
        ("<=", .95),
        note="against the one peer that is best on the average: %.3f"
        % (mine / min(ratio.values())))


def run(context):
    rows, spl = [], []
    with_ets = not context.no_ets and ets.there()
    for name in context.names:
        s = context.set(name)
        context.say("%s: %d items, %d tasks" % (
            name, len(s.lab), np.isfinite(s.A).sum()))
        found = everyone(context, s)
        more, scored = compare(context, s, found)
        rows += more
        spl.append(scored)
        if name != "carparts":          # its days are months
            rows += over_leads(context, s)
        if with_ets:
            rows += beside_ets(context, s, found)
    if not with_ets:
        context.say("ets is left out")
    return rows + [average(context, spl)]
