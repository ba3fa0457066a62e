"""The sets of accuracy.py, whole, of few items, or one half."""

import copy

import numpy as np


def load(name, quick, half):
    """A set with its items cut down to what is wanted.

    Which item is in which half is drawn, always the same way.
    """
    import accuracy
    s = accuracy.Set(name)
    keep = np.random.default_rng(1).permutation(len(s.lab))
    if half:
        keep = keep[half == "second"::2]
    keep = np.sort(keep[:60] if quick else keep)
    s.Y, s.S, s.A, s.SC = (np.ascontiguousarray(x[keep])
                           for x in (s.Y, s.S, s.A, s.SC))
    s.lab = [s.lab[i] for i in keep]
    s.place = keep              # of each item in the whole set
    s.name = name
    return s


def longer(s, horizons):
    """The same items with other horizons, and origins that leave room."""
    from peers import actuals
    other = copy.copy(s)
    other.H = np.array(horizons)
    last = s.Y.shape[1] - max(horizons)
    other.org = np.unique(np.linspace(min(s.org[0], last), last,
                                      len(s.org)).astype(int))
    shape = len(s.lab), len(other.org)
    other.A = np.empty((*shape, len(horizons)))
    other.SC = np.zeros(shape)
    actuals(s.Y, s.S, other.org, other.H, other.A, other.SC)
    return other


def days(s, frame):
    """Day numbers of a frame with items and days, as moments for SQL."""
    import pandas as pd
    frame["at"] = (s.d0 + pd.to_timedelta(frame.pop("day"), "D")) \
        .dt.strftime("%Y-%m-%d")
    return frame


def demand(context, s):
    """Load what was sold into a table, a row for each item and day with
    sales."""
    import pandas as pd
    item, day = np.nonzero(s.Y)
    context.table("demand", "int,float8,timestamptz", days(s, pd.DataFrame(
        {"item": item, "units": s.Y[item, day], "day": day})))
