"""The one test behind every metric: an e-value for "the canary is beyond the margin".

Sources:
    Lindon & Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022,
    arXiv 2011.03567: the conditional Poisson test, which is (1) with ratio 1 and excess 0.
    Robbins, Statistical methods related to the law of the iterated logarithm, 1970: mixtures.
    Ville, Étude critique de la notion de collectif, 1939: stopping at 1/alpha.
    Vovk & Wang, E-values, Annals of Statistics 2021, arXiv 1912.06116: means of e-values.
    Shin, Ramdas & Rinaldo, E-detectors, arXiv 2203.03532: restarts for faults that start late.
    The margin (`ratio`, `excess`) is derived below.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Number = float | Array

# What "worse" bets on: failures so many times as frequent as the margin allows. From a slow
# fault that needs a hundred thousand requests to one that needs three.
HARM: Final[Array] = np.log([1.1, 1.3, 1.7, 2.5, 4, 8, 20, 60, 250])
# What "better or equal" bets on: failures at these shares of the acceptance margin.
GOOD: Final[Array] = np.log([0.7, 0.5, 0.3, 0.1, 0.01])

PHI_PRIOR: Final = 10.0  # expected failures at which the estimate of phi counts half
PHI_MAX: Final = 25.0  # beyond this nothing would ever be decided
PHI_NOISE: Final = 1.3  # below this it cannot be told from 1 by an hour of quiet traffic
LOW_SHARE: Final = 0.5  # of the weight: a canary that gets this much is not starved
STARVED_SHARE: Final = 0.05  # of the weight: what a starved canary is supposed to get
CONFIDENCE: Final = 0.999  # of the bound on the stable version's rate, once it gets no traffic


@dataclass(frozen=True, slots=True)
class Seen:
    """What a stretch of time showed: bad ones of both versions, and the canary's trials."""

    bad_canary: Number
    bad_stable: Number
    trials_canary: Number


@dataclass(frozen=True, slots=True)
class Margin:
    """How much worse is not worth a rollback: p_canary <= ratio p_stable + excess."""

    ratio: Number
    excess: Number


def log_e(seen: Seen, share: Number, tilt: Number, margin: Margin) -> Number:
    """The logarithm of the e-value of one stretch, for a bet `tilt` (theta).

    With x, y bad ones of canary and stable, n canary trials, f the canary's share of the trials,
    rho and delta the margin, u = e^theta - 1 and q = rho f / (rho f + 1 - f):

        log E(theta) = x theta - (x + y) ln(1 + q u) - n delta (1 - q) u / (1 + q u)         (1)

    For theta > 0, E[E] <= 1 whenever p_c <= rho p_s + delta; for theta < 0, whenever
    p_c >= rho p_s + delta; whatever p_s is, and though it changes each second.

    Proof. Let A = e^theta / (1 + q u) and B = 1 / (1 + q u). Then
    E[A^x] = (1 + p_c (A - 1))^n_c <= exp(n_c p_c (A - 1)), and the same for B. By the choice of q,
    f rho (A - 1) = (1 - f)(1 - B), so p_s cancels and exp(n_c delta (A - 1)) remains, which the
    last term takes away. It needs only a^X <= 1 + X (a - 1), which convexity gives for every X in
    [0, 1]: a trial may be bad in part. share = 0 is the test of the canary alone, p_c <= delta.
    """
    odds = np.expm1(tilt)
    q = margin.ratio * share / (margin.ratio * share + 1 - share)
    both = seen.bad_canary + seen.bad_stable
    cost = seen.trials_canary * margin.excess * (1 - q) * odds / (1 + q * odds)
    found: Number = seen.bad_canary * tilt - both * np.log1p(q * odds) - cost
    return found


def log_mean(logs: Array, axis: int = -1) -> Array:
    """The logarithm of the mean of e^logs, without overflow."""
    highest = logs.max(axis=axis, keepdims=True)
    safe = np.where(np.isfinite(highest), highest, 0.0)
    with np.errstate(divide="ignore"):
        mean = np.log(np.exp(logs - safe).mean(axis=axis))
    return np.asarray(mean + safe.squeeze(axis))


def log_starved(canary: Number, both: Number, weight: Number) -> Number:
    """The log e-value against "the canary gets at least half of the share it was given".

    Shape: a binomial likelihood ratio, 5 % of `weight` against 50 % of it, of `canary` among
    `both` versions' requests.
    """
    low, starved = LOW_SHARE * weight, STARVED_SHARE * weight
    elsewhere = np.log1p(-starved) - np.log1p(-low)
    found: Number = canary * np.log(STARVED_SHARE / LOW_SHARE) + (both - canary) * elsewhere
    return found


def ceiling(bad: Array, trials: Array) -> Array:
    """The highest rate that so many bad ones of so many trials leave likely (one-sided).

    Source: the exact Poisson bound, Garwood, Biometrika 1936.
    """
    from scipy.special import gammaincinv  # noqa: PLC0415 -- slow to load, and no page needs it

    return np.asarray(gammaincinv(bad + 1, CONFIDENCE) / np.maximum(trials, 1))


def dispersion(bad: Array, trials: Array) -> Array:
    """How much more failures vary than independent ones would: phi, from 1 to 25.

    Shape: (..., instance, block) of the stable version before the release. The rate is pooled
    per block, so that what swings for all instances together cancels. An e-value to the power of
    1/phi is exact for clusters of at most phi failures: a^(G/phi) is convex in G.
    Source: Pearson's chi-squared over its degrees of freedom, as in quasi-likelihood
    (McCullagh & Nelder, Generalized Linear Models, 4.5), shrunk towards 1.
    """
    instances = bad.shape[-2]
    pooled = bad.sum(-2, keepdims=True) / np.maximum(trials.sum(-2, keepdims=True), 1e-9)
    expected = trials * pooled
    squares = ((bad - expected) ** 2).sum((-1, -2)) * instances / (instances - 1)
    phi = (squares + PHI_PRIOR) / (expected.sum((-1, -2)) + PHI_PRIOR)
    return np.clip(np.where(phi > PHI_NOISE, phi, 1.0), 1.0, PHI_MAX)
