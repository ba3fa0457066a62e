"""Bursts: how soon they are seen, how often in vain, and what they leave.

Shows are replayed minute by minute, each with the stocks that would sell out
when three, six and nine tenths of it are sold.  Real order lines, of which
none is a show, are replayed line by line: what is taken for a burst there is
false.  A method says "burst" where its velocity is three times the usual and,
for the plain averages, four units were sold in five minutes; it has recognised
a show when it says so and gives half of the show's mean velocity or more.  An
ETA is found when it is within 20 % (or half a minute) of what the show does,
for three minutes in a row, lest noise that passes the truth counts as finding
it.

What a show leaves is the forecast of the next 28 days with it, over that of
the same item without it.

The scenarios of policy trust the minutes sooner or later (burst_evidence); the
figures are of the default, and of show and commerce beside it.
"""

import numpy as np
import pandas as pd

import shows

PEERS = "5-minute average", "60-minute average"
STOCKS = .3, .6, .9
BURST = 3                       # times the usual velocity
NEAR = .2
ROW = 3                         # minutes that an ETA has to stay near
# units a day, and how they vary; weeks that a show sells; days after it
RATES, WEEKS, DAYS_AFTER = (1, 3, 10, 100), (1, 2, 4, 8), (1, 7, 30)
SHOW_DAY = 150

VELOCITIES = """
    demand_velocity(demand, at) AS ours,
    demand_velocity(demand, at, interval '5 minutes') AS five,
    demand_velocity(demand, at, interval '1 hour') AS sixty,
    60 * (demand_forecast(demand, at, interval '1 minute')).mean AS usual,
    burst_velocity(demand, at, {show}) AS show_velocity,
    burst_velocity(demand, at, {commerce}) AS commerce_velocity
"""
SCENARIOS = "show", "commerce"


def stamps(minutes):
    """Minutes since the first of all, as PostgreSQL reads them."""
    return (shows.FIRST + pd.to_timedelta(minutes, "min")).strftime(
        "%Y-%m-%d %H:%M:%S+00")


def velocities(context):
    """The columns of velocities, with the scenarios as they are."""
    return VELOCITIES.format(**dict(context.rows(
        "SELECT scenario, burst_evidence FROM policy WHERE built_in")))


def scenarios_say(rows):
    """Whether each scenario says burst."""
    return [rows[s + "_velocity"].to_numpy() >= BURST * rows["usual"].to_numpy()
            for s in SCENARIOS]


def says_burst(found, usual, five):
    """Whether each of the three methods says burst."""
    return [found[0] >= BURST * usual,
            (found[1] >= BURST * usual) & (five >= 48),
            (found[2] >= BURST * usual) & (five >= 48)]


def load_shows(context, every):
    """Tables of the items' demand before their show, and of its minutes."""
    context.run("CREATE TEMP TABLE before (show int, at timestamptz,"
                " units float8)")
    context.run("CREATE TEMP TABLE during (show int, minute int,"
                " at timestamptz, units float8, left_ float8[])")
    before, during = [], []
    for number, show in enumerate(every):
        sales = np.flatnonzero(show.units[:show.begin])
        before.append(pd.DataFrame({
            "show": number, "at": stamps(sales),
            "units": show.units[sales]}))
        sold = np.cumsum(show.sold)
        stock = [np.ceil(f * sold[show.length - 1]) for f in STOCKS]
        minute = np.arange(len(sold))
        during.append(pd.DataFrame({
            "show": number, "minute": minute,
            "at": stamps(show.begin + minute), "units": show.sold,
            "left_": ["{%s}" % ",".join(str(max(s - x, 0)) for s in stock)
                      for x in sold]}))
    context.load("before", pd.concat(before))
    context.load("during", pd.concat(during))


def replay_shows(context, every):
    """At the end of each minute: velocities and ETAs, in minutes."""
    load_shows(context, every)
    return context.frame("""
        SELECT show, minute, %s,
            %s
        FROM (SELECT show, minute, at + interval '1 minute' AS at, left_,
                history + demand_agg(units, at) OVER (PARTITION BY show
                    ORDER BY at ROWS UNBOUNDED PRECEDING) AS demand
            FROM during JOIN (SELECT show, demand_agg(units, at) AS history
                FROM before GROUP BY show) b USING (show)) rolling
        ORDER BY show, minute""" % (velocities(context), ", ".join(
            "coalesce(extract(epoch FROM stockout_eta(left_[%d], demand, at)"
            " - at) / 60, 1e9) AS eta%d" % (i + 1, i)
            for i in range(len(STOCKS)))))


def first(good, none):
    """Minutes until the first that is good, or none of them is."""
    where = np.flatnonzero(good)
    return where[0] + 1 if len(where) else none


def minutes_to_eta(show, found, etas):
    """Minutes until each method's ETA is found, and the share of minutes in
    which it is near; averages over the stocks."""
    sold = np.cumsum(show.sold)
    spans, shares = [], []
    for fraction, eta in zip(STOCKS, etas):
        stock = np.ceil(fraction * sold[show.length - 1])
        out = int(np.searchsorted(sold, stock)) + 1     # minutes to sell out
        if out < ROW + 2:
            continue
        truth = out - np.arange(1, out)
        left = stock - sold[:out - 1]
        spans.append([])
        shares.append([])
        for guess in (eta[:out - 1], *(
                60 * left / np.maximum(v[:out - 1], 1e-9)
                for v in found[1:])):
            near = np.abs(guess - truth) <= NEAR * truth + .5
            stays = np.convolve(near, np.ones(ROW), "valid") == ROW
            spans[-1].append(first(stays, out))
            shares[-1].append(near.mean())
    if not spans:
        return None
    return np.mean(spans, 0), np.mean(shares, 0)


def rows_of_shows(context):
    every = shows.all_shows(context)
    replayed = replay_shows(context, every)
    context.say("%d shows replayed" % len(every))
    seen, etas, ended, broken, scenarios = [], [], [], [], []
    for number, rows in replayed.groupby("show"):
        show = every[number]
        n = show.length
        found = [rows[c].to_numpy() for c in ("ours", "five", "sixty")]
        speed = 60 * show.sold[:n].mean()
        says = says_burst(found, rows["usual"].to_numpy(), found[1])
        seen.append([first(s[:n] & (v[:n] >= .5 * speed), n)
                     for s, v in zip(says, found)])
        scenarios.append([first(s[:n] & (
            rows[name + "_velocity"].to_numpy()[:n] >= .5 * speed), n)
            for s, name in zip(scenarios_say(rows), SCENARIOS)])
        eta = minutes_to_eta(show, found, [
            rows["eta%d" % i].to_numpy() for i in range(len(STOCKS))])
        if eta:
            etas.append(eta)
        ended.append([v[n + 9] / speed for v in found])
        broken.append([(np.diff(s[:n].astype(int)) < 0).sum() for s in says])
    found = np.array([e[0] for e in etas]).mean(0)
    near = 100 * np.array([e[1] for e in etas]).mean(0)
    seen, ended, broken = (np.mean(x, 0) for x in (seen, ended, broken))
    of = "%d shows of drawn and real shapes, 10 minutes to some hours" % len(
        every)

    def row(name, zh, values, unit, goal=None, **more):
        return context.row(name, zh, values[0], dict(zip(PEERS, values[1:])),
                           unit, goal, **more)

    return [
        row("until a show is recognised", "识别直播所需时间", seen,
            "minutes", ("<=", "best"), note=of),
        row_of_scenarios(context, "until a show is recognised, by scenario",
                         "各场景识别直播所需时间", seen[0],
                         np.mean(scenarios, 0), "minutes"),
        row("until the ETA is within 20 %", "预计售罄时间误差在 20% 以内所需时间",
            found, "minutes", ("<=", "best"),
            note="and stays there for %d minutes" % ROW),
        row("minutes of a show with the ETA within 20 %",
            "直播期间预计售罄时间误差在 20% 以内的分钟占比", near, "%",
            (">=", "best"), better="high", readme=False),
        row("velocity ten minutes after a show", "直播结束十分钟后的速度",
            100 * ended, "% of the show's", readme=False),
        row("bursts lost within a show", "直播中途丢失的爆发", broken,
            "per show", ("<=", "best"), readme=False)]


def row_of_scenarios(context, name, zh, default, values, unit):
    return context.row(name, zh, default, dict(zip(SCENARIOS, values)), unit,
                       readme=False)


def rows_of_orders(context):
    """False bursts on the order lines of online_retail."""
    with context.data("online_retail.csv.gz") as file:
        lines = pd.read_csv(file, low_memory=False, dtype={"sku": str})
    lines = lines[(lines["qty"] > 0) & (lines["unit_price"] > 0)
                  & lines["sku"].str.match(r"\d{5}")]
    items = sorted(lines["sku"].unique())
    wanted = items[::40] if context.quick else items[
        {None: 0, "first": 0, "second": 1}[context.half]::
        2 if context.half else 1]
    lines = lines[lines["sku"].isin(wanted)]
    context.run("CREATE TEMP TABLE line (sku text, at timestamptz,"
                " units float8)")
    context.load("line", lines[["sku", "ordered_at", "qty"]].rename(
        columns={"ordered_at": "at", "qty": "units"}))
    found = context.frame("""
        SELECT lines, %s
        FROM (SELECT at + interval '1 minute' AS at, lines,
                demand_agg(units, at) OVER (PARTITION BY sku ORDER BY at
                    ROWS UNBOUNDED PRECEDING) AS demand
            FROM (SELECT sku, at, sum(units) AS units, count(*) AS lines
                FROM line GROUP BY sku, at) minute) rolling""" % (
                    velocities(context)))
    weights = found["lines"].to_numpy()
    values = [found[c].to_numpy() for c in ("ours", "five", "sixty")]
    false = [100 * np.average(s, weights=weights) for s in says_burst(
        values, found["usual"].to_numpy(), values[1])]
    of_scenarios = [100 * np.average(s, weights=weights)
                    for s in scenarios_say(found)]
    return [context.row(
        "false bursts on real order lines", "真实订单行上的误报爆发", false[0],
        dict(zip(PEERS, false[1:])), "% of lines", ("<=", false[1] / 10),
        note="%d lines; the goal is a tenth of the 5-minute average's"
        % weights.sum()),
        row_of_scenarios(context, "false bursts on real order lines, by"
                         " scenario", "各场景在真实订单行上的误报爆发",
                         false[0], of_scenarios, "% of lines")]


def row_of_what_is_left(context):
    """The 28 days' forecast after a show, over that without it."""
    rng = np.random.default_rng(6)
    count = 5 if context.quick else 40
    context.run("CREATE TEMP TABLE steady (item int, at timestamptz,"
                " units float8)")
    tables, peers, number = [], [], 0
    for rate in RATES:
        for _ in range(count):
            units = rng.poisson(rate * np.exp(rng.normal(0, .2, 7))[
                np.arange(SHOW_DAY + 31) % 7])
            day = np.arange(len(units))
            tables.append(pd.DataFrame({
                "item": number, "at": stamps(day * shows.DAY + 720),
                "units": units}))
            for after in DAYS_AFTER:
                seen = units[SHOW_DAY + after - 28:SHOW_DAY + after].sum()
                peers += [(7 * rate * w * (after <= 28)) / max(seen, 1)
                          for w in WEEKS]
            number += 1
    context.load("steady", pd.concat(tables))
    moments = ", ".join("timestamptz '%s'" % stamps(
        np.array([(SHOW_DAY + d) * shows.DAY]))[0] for d in DAYS_AFTER)
    found = context.frame("""
        SELECT (demand_forecast(demand + demand_agg, at, '28 days')).mean
            / (demand_forecast(demand, at, '28 days')).mean - 1 AS change
        FROM (SELECT item, now.at, demand_agg(units, steady.at) AS demand
            FROM steady, unnest(ARRAY[%s]) now(at)
            WHERE steady.at < now.at GROUP BY 1, 2) item
        CROSS JOIN unnest(ARRAY[%s]) WITH ORDINALITY weeks(times, n)
        CROSS JOIN LATERAL (SELECT demand_agg(
                7 * (ARRAY[%s])[item / %d + 1] * times / 120,
                timestamptz '%s' + minute * interval '1 minute')
            FROM generate_series(0, 119) minute) show""" % (
                moments, ", ".join(map(str, WEEKS)),
                ", ".join("%d::float8" % r for r in RATES), count,
                stamps(np.array([SHOW_DAY * shows.DAY + 19 * 60]))[0]))
    ours = found["change"].to_numpy()

    def within(changes):
        return 100 * np.mean(np.abs(changes) <= .1)

    return context.row(
        "shows that leave the 28 days' forecast within 10 %",
        "直播后 28 天预测变化在 10% 以内的比例", within(ours),
        {"28-day average": within(np.array(peers))}, "%", (">=", 90),
        better="high", note="%d forecasts 1, 7 and 30 days after two hours"
        " that sold 1 to 8 quiet weeks; median change %.1f %%"
        % (len(ours), 100 * np.median(np.abs(ours))))


def run(context):
    return [*rows_of_shows(context), *rows_of_orders(context),
            row_of_what_is_left(context)]
