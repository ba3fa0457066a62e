#!/usr/bin/env python3
"""Feed the cases of the executable reference through SQL and compare.

Reads shared/model/reference_cases.json beside the checkout; connects by
psql's own environment (PGHOST, PGPORT, PGUSER, PGDATABASE; PSQL names the
program).  The extension must be installed in that database.  Prints a line
per case; the exit status is 1 if one failed, 0 if all passed or if there is
no reference to compare with.

The reference forecasts whole days from the UTC midnight before `now`, so the
forecast is asked for at that midnight, from a summary of all events before
`now`; velocity is asked for at `now`.
"""
import json
import os
import subprocess
import sys

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     '..', '..', 'shared', 'model', 'reference_cases.json')
TOLERANCE = 1e-9

# A summary keeps weeks, not days, beyond 92 days: how many days of the
# oldest week an item lived through is not known, and that week is not used.
# The reference knows the first event, here a Monday, and uses it.
KNOWN = {'weekday_only_20w':
         'first event on the Monday of a week that is kept only as a sum'}

QUERY = """
SET timezone = 'UTC';
SET extra_float_digits = 1;
WITH d AS (
  SELECT coalesce(replenish.demand_agg(q, t),
                  (SELECT replenish.demand_agg(0, '{now}'))) AS d
  FROM unnest('{{{moments}}}'::timestamptz[], '{{{units}}}'::float8[]) e(t, q)
  WHERE t < '{now}'::timestamptz
), a AS (
  SELECT d, date_trunc('day', '{now}'::timestamptz) AS day,
         {days} * interval '1 day' AS horizon FROM d
)
SELECT json_build_object(
  'mean', f.mean, 'var', f.sd ^ 2,
  'quantiles', replenish.demand_quantiles(d, day, horizon, '{{{ps}}}'),
  'velocity_per_hour', replenish.demand_velocity(d, '{now}'::timestamptz),
  'rop', t.threshold, 'safety_stock', t.safety_stock,
  'tier', replenish.alert_level({position}, t.threshold))
FROM a, replenish.demand_forecast(d, day, horizon) f,
  replenish.demand_threshold(d, day, horizon, {sd} * interval '1 day',
                             '0', {p}) t;
"""


def ask(case):
    """What SQL answers to a case."""
    given = case['input']
    query = QUERY.format(
        now=case['now'], days=given['horizon_days'], p=given['p'],
        sd=given['lead_time_sd_days'],
        position=given['on_hand'] + given['on_order'] - given['backorder'],
        ps=','.join(case['expected']['quantiles']),
        moments=','.join(t for t, q in case['events']),
        units=','.join(repr(q) for t, q in case['events']))
    psql = subprocess.run(
        [os.environ.get('PSQL', 'psql'), '-XqAt', '-v', 'ON_ERROR_STOP=1'],
        input=query, capture_output=True, text=True, check=False)
    if psql.returncode != 0:
        raise SystemExit(psql.stderr)
    return json.loads(psql.stdout)


def near(a, b):
    return abs(a - b) <= TOLERANCE * abs(b) + 1e-15


def differences(case, got):
    """The names of the numbers that differ."""
    want = case['expected']
    names = ['mean', 'var', 'velocity_per_hour', 'rop', 'safety_stock']
    bad = [n for n in names if not near(got[n], want[n])]
    bad += ['quantile ' + p for (p, w), g in
            zip(want['quantiles'].items(), got['quantiles']) if not near(g, w)]
    if got['tier'] != want['tier'].replace('green', 'normal'):
        bad.append('tier')
    return bad


def main():
    if not os.path.exists(CASES):
        print('skipped: no shared/model beside the checkout')
        return 0
    with open(CASES, encoding='utf-8') as file:
        cases = json.load(file)['cases']
    passed = failed = known = 0
    for case in cases:
        bad = differences(case, ask(case))
        if not bad:
            passed += 1
            print(f"ok      {case['name']}")
        elif case['name'] in KNOWN:
            known += 1
            print(f"differs {case['name']}: {', '.join(bad)}"
                  f" (expected: {KNOWN[case['name']]})")
        else:
            failed += 1
            print(f"FAILED  {case['name']}: {', '.join(bad)}")
    print(f'{passed} passed, {failed} failed, {known} differ as expected')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
