"""Shows: when people buy during one, minute by minute, and what they buy.

Some shapes are drawn, others are real audiences: viewers of live streams,
requests during a match, mentions of a brand in the news.  No public data ties
an audience to sales of the same item, so these are composites: the shape is
real, the item and the number of units are not.
"""

import numpy as np
import pandas as pd

USUAL = (14, 70, 350, 3500)     # units of a quiet week
TIMES = (1, 2, 4, 8)            # quiet weeks that a show sells
HISTORY = 28                    # days before a show
AFTER = 40                      # minutes after it
DAY = 1440
FIRST = pd.Timestamp("2026-01-05", tz="UTC")
SIZE = .3                       # units of an order beyond the first, mean


def drawn():
    """Shapes without data, by name."""
    minute = np.arange(120)
    pauses = np.ones(120)
    for begin in (17, 38, 60, 83, 101):
        pauses[begin:begin + 4] = 0
    return {
        "flash": np.ones(10), "flash with a ramp": np.minimum(
            1, np.arange(1, 11) / 4),
        "two hours": np.ones(120),
        "two hours with a ramp": np.minimum(1, (minute + 1) / 30) *
        np.minimum(1, (120 - minute) / 20),
        "two hours with pauses": pauses}


def viewers(context):
    with context.data("live_viewers_5s.csv.gz") as file:
        data = pd.read_csv(file, parse_dates=["at_utc"])
    return {"viewers " + str(name): stream.set_index("at_utc")["viewers"]
            .resample("1min").mean().interpolate().to_numpy(float)
            for name, stream in data.groupby("stream")}


def matches(context):
    """The hours in which requests were far above those before."""
    with context.data("worldcup98_rps.csv.gz") as file:
        data = pd.read_csv(file, parse_dates=["at"])
    rate = data.set_index("at")["requests"].resample("1min").mean().to_numpy()
    busy = np.convolve(rate, np.ones(10) / 10, "same") > 900
    edges = np.flatnonzero(np.diff(busy.astype(int)))
    return {"match %d" % number: np.maximum(
        rate[begin - 5:end] - rate[begin - 35:begin - 5].mean(), 0)
            for number, (begin, end) in enumerate(zip(edges, edges[1:]))
            if busy[end] and 40 < end - begin < 300 and begin >= 35}


def news(context):
    """The largest peak of each brand, down to a tenth of its height."""
    with context.data("tweet_volume_5min.csv.gz") as file:
        data = pd.read_csv(file)
    found = {}
    for brand, rows in data.groupby("brand"):
        mentions = rows["mentions"].to_numpy(float)
        high = np.maximum(mentions - np.median(mentions), 0)
        begin = end = high.argmax()
        line = .1 * high[begin]
        while begin > 1 and high[begin - 1] > line:
            begin -= 1
        while end < len(high) - 1 and high[end] > line:
            end += 1
        part = high[begin - 1:end + 1]
        minutes = np.arange(5 * (len(part) - 1))
        found["news " + str(brand)] = np.interp(
            minutes / 5 + .1, np.arange(len(part)), part)
    return {name: shape for name, shape in found.items() if len(shape) >= 8}


class Show:
    """A show, the item's history before it, and a quiet time after it."""

    def __init__(self, rng, shape, usual, times):
        self.length = len(shape)
        self.begin = HISTORY * DAY + int(rng.integers(12 * 60, 22 * 60))
        minutes = self.begin + self.length + AFTER
        # a day has its rhythm, and each item its own
        rhythm = np.maximum(.05, 1 + .9 * np.sin(
            (np.arange(DAY) / DAY - .375) * 2 * np.pi))
        rhythm *= np.repeat(np.exp(rng.normal(0, .2, 24)), 60)
        rate = rhythm[np.arange(minutes) % DAY] / rhythm.mean() * (
            usual / (7 * DAY) / (1 + SIZE))
        rate[self.begin:self.begin + self.length] += (
            shape / shape.sum() * usual * times / (1 + SIZE))
        orders = rng.poisson(rate)
        self.units = orders + rng.poisson(SIZE * orders)

    @property
    def sold(self):
        """Units by minute, from the show's first."""
        return self.units[self.begin:]


def all_shows(context):
    """Shows of each shape, size, and item that sell four units or more."""
    rng = np.random.default_rng(5)
    shapes = drawn() | viewers(context) | matches(context) | news(context)
    shows = [Show(rng, shape, usual, times)
             for shape in shapes.values() for usual in USUAL
             for times in TIMES for _ in range(1 if context.quick else 4)]
    return [s for s in shows if s.sold[:s.length].sum() >= 4]
