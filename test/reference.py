#!/usr/bin/env python3
"""Feed the cases of the executable reference through SQL and compare.

test/reference/cases.json is what forecaster.py beside it says, made by
cases.py.  The cases of shared/model beside the checkout are of an earlier
method: from the mean and variance that they give, their quantiles, reorder
point, safety stock and tier are compared; how mean, variance and velocity
come about differs deliberately, see doc/forecasting.md.

Connects by psql's own environment (PGHOST, PGPORT, PGUSER, PGDATABASE; PSQL
names the program).  The extension must be installed in that database.  Prints
a line per case; the exit status is 1 if one failed.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
OWN = os.path.join(HERE, 'reference', 'cases.json')
SHARED = os.path.join(HERE, '..', '..', 'shared', 'model',
                      'reference_cases.json')
TOLERANCE = 1e-9

FORECASTS = """
WITH d AS (
  SELECT coalesce(replenish.demand_agg(q, a.moment - ago * interval '1 minute'),
                  '{{}}') AS d
  FROM to_timestamp({as_of}::bigint * 60) a (moment),
    unnest('{{{ago}}}'::integer[], '{{{units}}}'::float8[]) e (ago, q)
)
SELECT json_build_object(
  'velocity', replenish.demand_velocity(d, a.moment),
  'forecasts', (SELECT json_agg(json_build_object(
    'mean', f.mean, 'variance', f.sd ^ 2, 'threshold', t.threshold,
    'quantiles', replenish.demand_quantiles(d, a.moment, h.span, '{{{ps}}}'))
    ORDER BY h.n)
    FROM unnest('{{{days}}}'::float8[]) WITH ORDINALITY g (days, n)
    CROSS JOIN LATERAL (SELECT g.n, g.days * interval '24 hours' AS span) h
    CROSS JOIN LATERAL replenish.demand_forecast(d, a.moment, h.span) f
    CROSS JOIN LATERAL replenish.demand_threshold(d, a.moment, h.span,
      {sd} * interval '1 day', '0', .95) t))
FROM d, to_timestamp({as_of}::bigint * 60) a (moment);
"""

MOMENTS = """
SELECT json_build_object(
  'quantiles', (SELECT json_agg(.5 * replenish.reorder_point(p, {mean},
      sqrt({var}::float8), 1, 0, 'negative_binomial')
    + .5 * greatest(0, replenish.reorder_point(p, {mean}, sqrt({var}::float8), 1, 0))
    ORDER BY n) FROM unnest('{{{ps}}}'::float8[]) WITH ORDINALITY q (p, n)),
  'rop', r.rop, 'safety_stock', r.rop - {mean},
  'tier', replenish.alert_level({position}, r.rop))
FROM (SELECT replenish.reorder_point({p}, {mean},
  sqrt({var}::float8 + ({mean}::float8 / {days} * {sd}) ^ 2), 1, 0,
  'negative_binomial') AS rop) r;
"""


def ask(query):
    """The answer to a query that gives one JSON value."""
    psql = subprocess.run(
        [os.environ.get('PSQL', 'psql'), '-XqAt', '-v', 'ON_ERROR_STOP=1'],
        input="SET timezone = 'UTC'; SET extra_float_digits = 1;" + query,
        capture_output=True, text=True, check=False)
    if psql.returncode != 0:
        raise SystemExit(psql.stderr)
    return json.loads(psql.stdout)


def near(got, want):
    return abs(got - want) <= TOLERANCE * abs(want) + 1e-12


def forecast_differences(case, ps, sd):
    """Where SQL and the project's own reference differ."""
    got = ask(FORECASTS.format(
        as_of=case['as_of'], sd=sd, ps=','.join(map(repr, ps)),
        ago=','.join(str(ago) for ago, units in case['events']),
        units=','.join(repr(units) for ago, units in case['events']),
        days=','.join(repr(f['days']) for f in case['forecasts'])))
    bad = [] if near(got['velocity'], case['velocity']) else ['velocity']
    for want, have in zip(case['forecasts'], got['forecasts']):
        of = f" of {want['days']:g} days"
        bad += [name + of for name in ('mean', 'variance', 'threshold')
                if not near(have[name], want[name])]
        bad += [f'quantile {p:g}{of}' for p, w, h in
                zip(ps, want['quantiles'], have['quantiles']) if not near(h, w)]
    return bad


def moment_differences(case):
    """Where SQL differs from what an earlier method made of its moments."""
    given, want = case['input'], case['expected']
    got = ask(MOMENTS.format(
        mean=repr(want['mean']), var=repr(max(want['var'], 0)),
        p=given['p'], days=given['horizon_days'],
        sd=given['lead_time_sd_days'], ps=','.join(want['quantiles']),
        position=given['on_hand'] + given['on_order'] - given['backorder']))
    bad = [n for n in ('rop', 'safety_stock') if not near(got[n], want[n])]
    bad += ['quantile ' + p for (p, w), g in
            zip(want['quantiles'].items(), got['quantiles']) if not near(g, w)]
    if got['tier'] != want['tier'].replace('green', 'normal'):
        bad.append('tier')
    return bad


def report(name, bad):
    print(f'FAILED  {name}: ' + ', '.join(bad) if bad else f'ok      {name}')
    return bool(bad)


def main():
    with open(OWN, encoding='utf-8') as file:
        own = json.load(file)
    results = [report(case['name'], forecast_differences(
        case, own['p'], own['lead_time_sd_days'])) for case in own['cases']]
    if os.path.exists(SHARED):
        with open(SHARED, encoding='utf-8') as file:
            cases = json.load(file)['cases']
        results += [report('from its moments: ' + case['name'],
                           moment_differences(case)) for case in cases]
    else:
        print('left out: the cases of shared/model, not beside the checkout')
    print(f'{results.count(False)} passed, {results.count(True)} failed')
    return any(results)


if __name__ == '__main__':
    sys.exit(main())
