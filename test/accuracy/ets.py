"""R's forecast::ets on a sample of the tasks."""

import os
import subprocess
import time

import numpy as np
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))
Z = np.array([0, .8416212336, 1.2815515655, 1.6448536270, 1.9599639845])


def there():
    """Whether R has the package."""
    try:
        return subprocess.run(
            ["Rscript", "-e", "library(forecast)"], check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode == 0
    except FileNotFoundError:
        return False


def sample(s, items):
    """The actual demand of so many items at an origin of each; NaN for the
    others."""
    some = np.full(s.A.shape, np.nan)
    rng = np.random.default_rng(2)
    for item in rng.choice(len(s.lab), min(items, len(s.lab)), False):
        ready = np.flatnonzero(np.isfinite(s.A[item]).any(1))
        if len(ready):
            some[item, rng.choice(ready)] = 1
    return some * s.A


def forecasts(s, some):
    """What ets says of the sampled tasks: the forecasts with quantiles of
    simulated paths, those with a normal distribution's, and seconds per item
    and origin."""
    item, origin = np.nonzero(np.isfinite(some).any(2))
    history = pd.concat([
        pd.DataFrame({"series": k, "units": s.Y[i, s.S[i]:s.org[o]]})
        for k, (i, o) in enumerate(zip(item, origin))])
    place = os.environ["PREFIX"]
    files = [os.path.join(place, name) for name in ("ets-in", "ets-out")]
    history.to_csv(files[0], index=False)
    begun = time.monotonic()
    # months stand for days in carparts
    subprocess.run(
        ["Rscript", os.path.join(HERE, "ets.R"), *files,
         "12" if s.name == "carparts" else "7", *map(str, s.H)], check=True)
    seconds = (time.monotonic() - begun) / len(item)
    found = pd.read_csv(files[1])
    k = found["series"].to_numpy()
    h = np.searchsorted(s.H, found["horizon"])
    simulated, normal = s.empty(), s.empty()
    values = found.iloc[:, 2:].to_numpy()
    values[:, 2:] = np.maximum(values[:, 2:], 0)
    simulated[item[k], origin[k], h] = values
    values[:, 2:] = np.maximum(values[:, :1] + values[:, 1:2] * Z, 0)
    normal[item[k], origin[k], h] = values
    return simulated, normal, seconds
