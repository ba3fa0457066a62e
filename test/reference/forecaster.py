"""The forecaster once more, in plain Python, to check the C code against.

Written to be read: nothing is fast, every formula stands once, the numbers
have the names that the C code gives them.  Events are (minute, units), with
minutes since 1970-01-01 00:00 UTC; so is as_of.
"""
import math
from statistics import NormalDist

MINUTES, HOURS, DAYS, WEEKS = 60, 192, 92, 106
MEMORIES = (.005, .02, .05, .1, .2, .35)        # per day
WEEK_MEMORIES = (.0345, .1319, .3017, .5217, .7903, .951)
YOUNG_DAYS, GROWN_DAYS, DAY_WEEKS, STRETCH = 4, 28, 9, 4
DAY_SHARE, DAY_VARIANCE, STEADY_MEMORY = .75, .3, .05
DAY_PRIOR, WEEK_PRIOR, DOW_PRIOR, DOUBT_SE = 10, 16, 16, 1.645
CAP_SD, TAIL, ALONE = 8, 6, 4
INDEX_AGE, INDEX_BASE, INDEX_SPAN, INDEX_PRIOR, INDEX_LIMIT = 420, 8, 3, 128, 3


# ---------------------------------------------------------------- summary

def day_of(minute):
    return minute // 1440


def week_of(minute):
    """Weeks start on Monday; 1970-01-01 was a Thursday."""
    return (day_of(minute) + 3) // 7


class Series:
    """Units by age of the bucket: [0] holds as_of, [1] is the one before.

    The summary knows all events before now; as_of may lie before that."""

    def __init__(self, events, as_of, now=None):
        self.as_of = as_of
        events = [(t, q) for t, q in events if t < (now or as_of)]
        self.end = max((t for t, q in events), default=as_of)
        self.lost = max(day_of(self.end) - day_of(as_of), 0)
        self.minute = self.ring(events, lambda t: t, MINUTES)
        self.hour = self.ring(events, lambda t: t // 60, HOURS)
        self.day = self.ring(events, day_of, DAYS)
        self.week = self.ring(events, week_of, WEEKS)
        self.age = self.find_age(events)

    def ring(self, events, bucket, size):
        """What is older than the ring at the newest event is forgotten."""
        units = [0.0] * size
        for t, q in events:
            age = bucket(self.as_of) - bucket(t)
            if 0 <= age < size and bucket(self.end) - bucket(t) < size:
                units[age] += q
        return [round(u, 6) for u in units]

    def find_age(self, events):
        """Days since the oldest day or week with units; -1 for none.

        Days are kept for 92 days up to the newest event.  Of a week before
        them, or its part before them, the last day counts."""
        kept_from = day_of(self.end) - (DAYS - 1)
        units = {}
        for t, q in events:
            day = day_of(t)
            if week_of(self.end) - week_of(t) >= WEEKS:
                continue
            if day < kept_from:
                sunday = week_of(t) * 7 + 3
                day = min(sunday, kept_from - 1)
            units[day] = units.get(day, 0) + q
        sold = [day for day, q in units.items() if round(q, 6) != 0]
        return day_of(self.as_of) - min(sold) if sold else -1


# ----------------------------------------------------------------- spikes

def mean_of(x):
    return sum(x) / len(x)


def squares_of(x):
    m = mean_of(x)
    return sum((v - m) ** 2 for v in x)


def spike_of(x):
    """Cap, usual value, and how much of what is above the cap is demand."""
    largest = x.index(max(x))
    others = x[:largest] + x[largest + 1:]
    usual = mean_of(others)
    variance = squares_of(others) / (len(others) - 1)
    cap = usual + CAP_SD * math.sqrt(max(variance, usual, 0))
    share = 1.0
    if x[largest] > cap:
        top = sorted((max(v, 0) for v in others), reverse=True)[:TAIL + 1]
        if len(top) > TAIL and top[TAIL] > 0:
            tail = sum(math.log((v + 1) / (top[TAIL] + 1)) for v in top[:TAIL])
            gap = TAIL * math.log((x[largest] + 1) / (top[0] + 1))
            share = min(max(ALONE - gap / max(tail, 1e-9), 0), 1)
    return cap, usual, share


def tame(days, weeks, weekday):
    """Days and weeks without spikes; what was cut, per day: units, variance.

    Days are oldest first, weeks newest first."""
    n, m = len(days), mean_of(days)
    cap, usual, share = spike_of(days)
    to = usual + share * (cap - usual)
    days, weeks = list(days), list(weeks)
    units = variance = 0.0
    for i, x in enumerate(days):
        if x > cap:
            off = x - to
            units += share * off / n
            variance += off * (x + to - 2 * m) / n
            weeks[(n - i - weekday + 6) // 7] -= (1 - share) * off
            days[i] = to
    return days, weeks, units, variance


# ------------------------------------------------------------------ level

def weights_of(evidence):
    best = min(evidence)
    w = [math.exp(best - e) for e in evidence]
    return [v / sum(w) for v in w]


def smooth_weeks(weeks, ago):
    """Levels and errors per memory; and the levels before the last `ago`."""
    n = len(weeks)
    if n >= 8:
        cap = spike_of(weeks)[0]
        weeks = [min(x, cap) for x in weeks]
    levels, errors, stretches, starts = [], [], [], []
    for memory in WEEK_MEMORIES:
        level = mean_of(weeks[:STRETCH])
        start, error, stretch = level, 0.0, 0.0
        for i, x in enumerate(weeks):
            if i == n - ago:
                start = level
            error += (x - level) ** 2
            if i + STRETCH <= n:
                stretch += (sum(weeks[i:i + STRETCH]) - STRETCH * level) ** 2
            level += max(memory, 1 / (i + 1)) * (x - level)
        levels.append(level / 7)
        starts.append(start / 7)
        errors.append((error + 1e-9) / n)
        stretches.append((stretch + 1e-9) / max(n - STRETCH + 1, 1))
    return levels, errors, stretches, starts


def smooth_days(days, factors, starts, start_days):
    n = len(days)
    levels, errors = [], []
    for memory, level in zip(MEMORIES, starts):
        error = 0.0
        for i, (x, f) in enumerate(zip(days, factors)):
            error += (x - level * f) ** 2
            gain = max(memory, 1 / (i + 1 + start_days))
            level += gain * (x / f - level)
        levels.append(level)
        errors.append((error + 1e-9) / n)
    return levels, errors


def smoothing_variance(memories, weights, errors, n, prior, period, h):
    """Of h periods (Johnston and Harrison 1986), mixed by the weights."""
    total = 0.0
    for a, w, error in zip(memories, weights, errors):
        s2 = (n * error + prior * period) / (n + prior)
        total += w * s2 * h * (1 + a * (h - 1) +
                               a * a * (h - 1) * (2 * h - 1) / 6)
    return total


class Model:
    """All that is known about the time after as_of."""

    def __init__(self, series):
        self.series = series
        today = day_of(series.as_of)
        self.weekday = (today + 3) % 7
        self.into_day = series.as_of % 1440 / 1440
        age = max(series.age, 0)
        n = min(age, max(DAYS - 1 - series.lost, 0))
        days = series.day[n:0:-1]
        weeks = list(series.week)
        cut, cut_variance = 0.0, 0.0
        whole = []
        if n >= 14:
            days, weeks, cut, cut_variance = tame(days, weeks, self.weekday)
            whole = days[n % 7:]
        self.weekday_factors(whole)
        self.doubt = self.variance_doubt(whole)
        self.grown = n >= GROWN_DAYS
        if self.grown:
            nw = min((age - self.weekday) // 7, WEEKS - 1)
            self.fit(days, weeks[nw:0:-1], cut, cut_variance)
        else:
            lived = n + self.into_day
            known = days + [series.day[0]]
            self.level = max(sum(known) + cut * n, 0) / (lived + YOUNG_DAYS)
            self.square = ((sum(x * x for x in known) + cut_variance * n) /
                           (lived + YOUNG_DAYS))
            self.young = YOUNG_DAYS / max(lived, 1)
        self.year = self.year_index(age, series.week)
        self.hour_factors()

    def weekday_factors(self, whole):
        self.phi, self.dow = 1.0, [1.0] * 7
        if not whole or mean_of(whole) <= 0:
            return
        n, m = len(whole), mean_of(whole)
        self.phi = max(squares_of(whole) / (n - 1) / m, 1)
        units = [0.0] * 7
        for i, x in enumerate(whole):
            units[(self.weekday + i) % 7] += x
        f = [(max(u, 0) / self.phi + DOW_PRIOR) /
             (m * n / 7 / self.phi + DOW_PRIOR) for u in units]
        self.dow = [v * 7 / sum(f) for v in f]

    def variance_doubt(self, whole):
        if self.phi <= 1 or not whole or squares_of(whole) <= 0:
            return 1.0
        n, m = len(whole), mean_of(whole)
        fourth = sum((x - m) ** 4 for x in whole) / squares_of(whole) ** 2
        return 1 + (DOUBT_SE * (1 - 1 / self.phi) *
                    math.sqrt(max(fourth - 1 / n, 0)))

    def fit(self, days, weeks, cut, cut_variance):
        """Level and variance from days and weeks, oldest first."""
        nw = len(weeks)
        started = nw > DAY_WEEKS
        levels, errors, stretches, starts = smooth_weeks(
            weeks, DAY_WEEKS if started else 0)
        evidence = [(nw - STRETCH + 1) * math.log(e) for e in stretches]
        w = weights_of([.1 * e for e in evidence])
        self.weekly = (levels, errors, w, nw)
        self.level_weekly = sum(v * max(x, 0) for v, x in zip(w, levels))

        if started:
            days = days[-(DAY_WEEKS * 7 + self.weekday):]
        else:
            starts = [mean_of(weeks) / 7] * len(MEMORIES)
        m = len(days)
        factors = [self.dow[(self.weekday - m + i) % 7] for i in range(m)]
        levels, errors = smooth_days(days, factors, starts,
                                     math.inf if started else 2)
        w = weights_of([m * math.log(e) + .4 * s
                        for e, s in zip(errors, evidence)])
        self.level_daily = sum(v * max(x, 0) for v, x in zip(w, levels)) + cut
        self.daily = (levels, [e + cut_variance for e in errors], w, m)
        self.level = (DAY_SHARE * self.level_daily +
                      (1 - DAY_SHARE) * self.level_weekly)

    # -------------------------------------------------------------- clocks

    def year_index(self, age, week):
        """Factors of this week and the next; None for a young item."""
        if age < INDEX_AGE:
            return None
        prior = INDEX_PRIOR * self.phi
        before = sum(week[53:53 + INDEX_BASE]) * INDEX_SPAN / INDEX_BASE
        before = max(before + prior, prior)
        factors, ratio = [], 1.0
        for ahead in range(54):
            then = 52 - ahead               # the same week, a year ago
            if then - 1 > 0:
                ratio = (sum(week[then - 1:then + 2]) + prior) / before
            ratio = min(max(ratio, 1 / INDEX_LIMIT), INDEX_LIMIT)
            factors.append(math.sqrt(ratio))
        return factors

    def hour_factors(self):
        s = self.series
        hour = s.as_of // 60 % 24
        self.hour = [1.0] * 24
        lived = HOURS - 1
        if s.age < 8:
            while lived > 0 and s.hour[lived] == 0:
                lived -= 1
        n = min(lived // 24 * 24, 167)
        mean = sum(s.hour[1:n + 1]) / max(n, 1)
        if n > 0 and self.level > 0 and mean > 0:
            units, times = [0.0] * 24, [0] * 24
            for k in range(1, n + 1):
                units[(hour - k) % 24] += s.hour[k]
                times[(hour - k) % 24] += 1
            f = [(max(u, 0) + 2 * mean + 1) / (t * mean + 2 * mean + 1)
                 for u, t in zip(units, times)]
            self.hour = [v * 24 / sum(f) for v in f]
        self.base = self.level * self.dow[self.weekday] * self.hour[hour] / 24

    def clocks(self, days):
        """Days, and demand in units of the level, from this Monday on."""
        whole = math.floor(days)
        part_hours = (days - whole) * 24
        hour = min(math.floor(part_hours), 23)
        part = (sum(self.hour[:hour]) +
                self.hour[hour] * (part_hours - hour)) / 24
        place = self.weekday + whole
        week, weekday = divmod(place, 7)
        index = self.year or [1.0] * 54
        past = sum(index[:week])
        return (7 * past + index[week] * (weekday + part),
                sum(self.dow) * past +
                index[week] * (sum(self.dow[:weekday]) +
                               self.dow[weekday] * part))

    # ------------------------------------------------------------ forecast

    def between(self, start, end):
        """Mean and variance; start and end in days from today's midnight."""
        days, demand = (b - a for a, b in
                        zip(self.clocks(start), self.clocks(end)))
        mean = self.level * demand
        if not self.grown:
            return mean, self.doubt * self.square * days + self.young * mean ** 2
        levels, errors, w, n = self.daily
        daily = smoothing_variance(MEMORIES, w, errors, n, DAY_PRIOR,
                                   self.level, days)
        daily += days ** 2 * sum(v * (x - self.level_daily) ** 2
                                 for v, x in zip(w, levels))
        levels, errors, w, n = self.weekly
        weekly = smoothing_variance(WEEK_MEMORIES, w, errors, n, WEEK_PRIOR,
                                    7 * self.level, max(days / 7, 1))
        weekly *= min(days / 7, 1)
        weekly += days ** 2 * sum(v * (x - self.level_weekly) ** 2
                                  for v, x in zip(w, levels))
        apart = demand * (self.level_daily - self.level_weekly)
        return mean, self.doubt * (
            DAY_VARIANCE * daily + (1 - DAY_VARIANCE) * weekly +
            DAY_SHARE * (1 - DAY_SHARE) * apart ** 2)

    def forecast(self, horizon):
        """Mean and variance of the units in so many days from as_of on."""
        return self.between(self.into_day, self.into_day + horizon)

    def steady_variance(self, horizon):
        """For a threshold: errors of one day and one week, one memory."""
        if not self.grown:
            return self.forecast(horizon)[1]
        days = (self.clocks(self.into_day + horizon)[0] -
                self.clocks(self.into_day)[0])
        levels, errors, w, n = self.daily
        one_day = smoothing_variance(MEMORIES, w, errors, n, DAY_PRIOR,
                                     self.level, 1)
        levels, errors, w, n = self.weekly
        one_week = smoothing_variance(WEEK_MEMORIES, w, errors, n, WEEK_PRIOR,
                                      7 * self.level, 1)
        return smoothing_variance(
            [STEADY_MEMORY], [1], [DAY_VARIANCE * one_day +
                                   (1 - DAY_VARIANCE) * one_week / 7],
            1, 0, 0, days)

    def quantile(self, horizon, p):
        """For p of .5 and more never below that of fewer whole days."""
        fewer = range(1, math.ceil(horizon)) if p >= .5 else ()
        return max(self.plain_quantile(h, p) for h in [*fewer, horizon])

    def plain_quantile(self, horizon, p):
        return self.shaped(*self.forecast(horizon), p)

    def shaped(self, mean, variance, p):
        """The quantile of demand with these moments."""
        week, of_week = self.between(0, 7)
        share = week / math.sqrt(week ** 2 + of_week / 4) if week > 0 else 0
        normal = mean + NormalDist().inv_cdf(p) * math.sqrt(variance)
        return (share * count_quantile(mean, variance, p) +
                (1 - share) * max(normal, 0))


def count_quantile(mean, variance, p):
    """Of a negative binomial with these moments, or of Poisson's."""
    if mean <= 1e-12:
        return 0
    if variance <= 1.001 * mean:
        log_p, ratio = -mean, lambda k: mean / k
    else:
        r = mean / (variance - mean) * mean
        q = (variance - mean) / variance
        log_p, ratio = r * math.log1p(-q), lambda k: (k - 1 + r) / k * q
    k, total = 0, math.exp(log_p)
    while total < p:
        k += 1
        log_p += math.log(ratio(k))
        total += math.exp(log_p)
    return k


def threshold(events, as_of, horizon, lead_time_sd, p):
    """Reorder point: demand and lead time both uncertain.

    Demand is what the forecasts of now and of every second day in the two
    weeks before say on average."""
    now = Model(Series(events, as_of))
    models = [now]
    for ago in range(2, 14, 2):
        then = Model(Series(events, as_of - 1440 * ago, as_of))
        if not (now.grown and then.grown):
            break
        models.append(then)
    mean = mean_of([m.forecast(horizon)[0] for m in models])
    variance = now.steady_variance(horizon)
    variance += (mean / horizon * lead_time_sd) ** 2 if horizon > 0 else 0
    return math.floor(now.shaped(mean, variance, p) + .5)


# --------------------------------------------------------------- velocity

BURST_EVIDENCE, PACE_EVIDENCE = 22, 8


def burst_window(model):
    """Minutes, up to now, that the base rate explains worst; 0 for none."""
    s, base = model.series, model.base / 60
    pace = (1 + sum(u > 0 for u in s.hour[1:168])) / (167 * 60)
    best, window = BURST_EVIDENCE, 0
    for k in range(2, MINUTES):
        units = sum(s.minute[1:k + 1])
        selling = sum(u > 0 for u in s.minute[1:k + 1])
        if (s.minute[k] <= 0 or units < 4 or units <= base * k or
                selling <= pace * k):
            continue
        ratio = 2 * (selling * math.log(selling / (pace * k)) -
                     (selling - pace * k))
        found = 2 * (units * math.log(units / max(base * k, 1e-9)) -
                     (units - base * k))
        if ratio >= BURST_EVIDENCE and found > best:
            best, window = found, k
    return window


def steady_window(minute, window):
    """The part of it, up to now, within which no change of pace is likely."""
    while window > 0:
        units = sum(minute[1:window + 1])
        if units <= 0:
            return window
        mean, best, split = units / window, PACE_EVIDENCE, 0
        for k in range(2, window):
            seen = max(sum(minute[1:k + 1]), 0)
            before = units - seen
            if before <= 0 or (k <= 5 and seen * window < units * k):
                continue
            squares = (sum(u * u for u in minute[1:window + 1]) -
                       seen ** 2 / k - before ** 2 / (window - k))
            found = before * math.log(before / (window - k) / mean)
            if seen > 0:
                found += seen * math.log(seen / k / mean)
            found = 2 * found / max(squares / units, 1)
            if found > best:
                best, split = found, k
        if split == 0:
            return window
        window = split
    return window


def velocity(model):
    """Units per hour now."""
    minute = model.series.minute
    if sum(u > 0 for u in minute[1:]) < 2:
        return model.base
    begin = burst_window(model)
    if begin == 0:
        return model.base
    window = steady_window(minute, begin)
    if (sum(minute[1:window + 1]) <= 0 or
            not any(u > 0 for u in minute[1:window + 1])):
        return model.base
    pause = 0
    while pause < 5 and minute[pause + 1] <= 0:
        pause += 1
    for k in range(pause + 2, window):
        units = sum(minute[1:k + 1])
        ratio = (sum(u * u for u in minute[1:k + 1]) / max(units, 1e-9) -
                 units / k)
        if units >= 25 * max(ratio, 1):
            window = k
            break
    while minute[window] <= 0:
        window -= 1
    pause = min(pause, window - 1)
    units = sum(minute[1:window + 1])
    gaps = sum(u > 0 for u in minute[1:window + 1]) - 1
    if gaps < 1:
        speed = 60 * units / max(window - pause, 1)
    else:
        speed = 60 * units * gaps / (gaps + 1) / (window - pause - 1)
    return speed if speed > 1.5 * model.base else model.base
