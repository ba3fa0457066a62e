#!/usr/bin/env python3
"""Make the cases that the extension is compared with.

Prints JSON: for each case a moment, the events before it, and what
forecaster.py says about the time after it.  Moments are minutes since
1970-01-01 00:00 UTC; events are [minutes before the moment, units].
"""
import json
import random

from forecaster import Model, Series, threshold, velocity

SUNDAY = 29891040 + 600         # 2026-11-01, 10:00
PS = (.1, .5, .8, .9, .95, .975, .999)
HORIZONS = (.25, 1, 7.3, 28)


def days(count, units, every=1, first=0):
    """One event a day, from so many days ago to the newest of them."""
    return [(540 + 1440 * d, units(d)) for d in range(first, count)
            if d % every == 0]


def poisson(r, mean):
    left, k = r.expovariate(1), 0
    while left < mean:
        left += r.expovariate(1)
        k += 1
    return k


def make():
    """Names, moments and events."""
    r = random.Random(20261101)
    yield 'nothing', SUNDAY, []
    yield 'one, yesterday', SUNDAY, [(1500, 1)]
    yield 'one, today', SUNDAY, [(100, 1)]
    yield 'only a return', SUNDAY, [(3000, -2)]
    yield 'new: 954 in three days', SUNDAY, [
        (4000, 300), (2600, 354), (1100, 200), (300, 100)]
    yield 'new: two weeks', SUNDAY, days(15, lambda d: 1 + d % 4)
    yield 'new: three weeks and a show', SUNDAY, [
        *days(22, lambda d: 3 + d % 3), (9000, 900)]
    yield 'four weeks', SUNDAY, days(28, lambda d: 2 + (d * 5) % 7)
    yield 'two months', SUNDAY, days(61, lambda d: 1 + (d * 7) % 11)
    yield 'ten a day', SUNDAY, days(100, lambda d: 10)
    yield 'workdays only', SUNDAY, [
        e for e in days(140, lambda d: 6) if (e[0] // 1440 + 1) % 7 < 5]
    yield 'Poisson', SUNDAY, [e for e in days(200, lambda d: poisson(r, 2))
                              if e[1] > 0]
    yield 'lumpy', SUNDAY, [
        (540 + 1440 * d, 1 + int(r.expovariate(.2)))
        for d in range(300) if r.random() < .08]
    yield 'step up', SUNDAY, days(300, lambda d: 8 if d < 14 else 2, 2)
    yield 'step down to nothing', SUNDAY, days(250, lambda d: 5, 2, 30)
    yield 'a bulk order', SUNDAY, [
        *days(160, lambda d: 1 + d % 3), (30000, 300)]
    yield 'bulk orders again and again', SUNDAY, [
        (540 + 1440 * d, 40 if d % 17 == 0 else 10 if d % 5 == 0 else 2)
        for d in range(160)]
    yield 'a show yesterday', SUNDAY, [
        *days(200, lambda d: 4 + d % 5), *((1500 + m, 30) for m in range(20))]
    yield 'a show now', SUNDAY, [
        *days(120, lambda d: 4 + d % 5), *((1 + m, 5) for m in range(25))]
    yield 'a show until ten minutes ago', SUNDAY, [
        *days(120, lambda d: 4 + d % 5), *((10 + m, 7) for m in range(30))]
    yield 'more returned than sold', SUNDAY, [
        *days(60, lambda d: 2), (2000, -150)]
    yield 'two years', SUNDAY, [
        (1440 * 7 * w + 3000, 30 + 25 * (w % 52 in (44, 45, 46, 47, 48)))
        for w in range(104)]
    yield 'two years, seasonal and every day', SUNDAY, [
        e for e in days(730, lambda d: poisson(r, 6 + 5 * (d % 364 > 300)), 2)
        if e[1] > 0]
    yield 'long silent', SUNDAY, [
        (e[0] + 1440 * 200, e[1]) for e in days(100, lambda d: 3 + d % 4)]
    yield 'Monday, midnight', SUNDAY - 600 + 1440, days(
        60, lambda d: 1 + d % 5)
    yield 'forty a day', SUNDAY, days(
        150, lambda d: 35 + (d * 37) % 11)
    yield 'a millionth', SUNDAY, days(50, lambda d: 1e-6, 3)


def main():
    cases = []
    for name, as_of, events in make():
        at = [(as_of - ago, q) for ago, q in events]
        model = Model(Series(at, as_of))
        cases.append({
            'name': name, 'as_of': as_of, 'events': events,
            'velocity': velocity(model),
            'forecasts': [{
                'days': h, 'mean': f[0], 'variance': f[1],
                'threshold': threshold(at, as_of, h, 4, .95),
                'quantiles': [model.quantile(h, p) for p in PS],
            } for h, f in ((h, model.forecast(h)) for h in HORIZONS)]})
    print(json.dumps({'p': PS, 'lead_time_sd_days': 4, 'cases': cases},
                     separators=(',', ':')).replace('{"name', '\n{"name'))


if __name__ == '__main__':
    main()
