"""Luck: uniform, independent from key to key, and the same number for the same key wherever it stands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from sim.model.luck import (
    Luck,
    counts,
    exponential,
    key_of,
    lognormal,
    name_key,
    normal_quantile,
    number_key,
)

N = 100_000
NEIGHBOURS = np.arange(N)
KEYS = key_of(NEIGHBOURS, 7)
# A correlation of independent uniforms has standard deviation 1 / sqrt(N); this is its 99.9 % interval.
LIMIT = stats.norm.ppf(0.9995) / np.sqrt(N)

NAME_KEY_OF_QUIT = 0xC306BA38E1BA25EF

STREAMS = {
    "neighbouring account numbers": Luck(1, 0).uniform("quit", KEYS),
    "neighbouring weeks of one account": np.array(
        [Luck(1, 0).uniform("quit", KEYS[:100], week) for week in range(1000)]
    ).ravel(),
    "neighbouring replications": np.concatenate([Luck(1, r).uniform("quit", KEYS[:1000]) for r in range(100)]),
    "neighbouring seeds": np.concatenate([Luck(s, 0).uniform("quit", KEYS[:1000]) for s in range(100)]),
    "several decisions": Luck(1, 0).uniforms(tuple(f"rule {i}" for i in range(100)), KEYS[:1000]).ravel(),
    "account, category, week, j": Luck(1, 0).uniform(
        "arrival time",
        key_of(np.repeat(NEIGHBOURS[:100], 1000), 7, np.tile(np.repeat(np.arange(100), 10), 100), NEIGHBOURS % 10),
    ),
}


@pytest.mark.parametrize("name", list(STREAMS))
def test_uniforms_are_uniform_in_a_chi_square_and_a_kolmogorov_smirnov_test_at_99_9_percent(name: str) -> None:
    u = STREAMS[name]
    found = np.bincount((u * 1000).astype(int), minlength=1000)
    chi_square = float(((found - len(u) / 1000) ** 2 / (len(u) / 1000)).sum())
    low, high = stats.chi2.ppf([0.0005, 0.9995], 999)
    assert low < chi_square < high, (
        f"{name}: chi-square {chi_square:.0f} of 1,000 cells outside [{low:.0f}, {high:.0f}]"
    )
    assert stats.kstest(u, "uniform").pvalue > 0.001, f"{name}: the distribution is not uniform"


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def luck_pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    one = Luck(1, 0)
    u = one.uniform("quit", KEYS)
    return {
        "neighbouring keys": (u[:-1], u[1:]),
        "keys two apart": (u[:-2], u[2:]),
        "neighbouring seeds": (u, Luck(2, 0).uniform("quit", KEYS)),
        "seed 0 and seed 1": (Luck(0, 0).uniform("quit", KEYS), u),
        "neighbouring replications": (u, Luck(1, 1).uniform("quit", KEYS)),
        "two decisions of one entity": (u, one.uniform("absent", KEYS)),
        "neighbouring k": (u, one.uniform("quit", KEYS, 1)),
        "k and -k": (one.uniform("quit", KEYS, 1), one.uniform("quit", KEYS, -1)),
        "seed and replication changed places": (Luck(1, 2).uniform("quit", KEYS), Luck(2, 1).uniform("quit", KEYS)),
        "parts of a key changed places": (
            one.uniform("quit", key_of(NEIGHBOURS, 5)),
            one.uniform("quit", key_of(5, NEIGHBOURS)),
        ),
        "a key's first part": (
            one.uniform("quit", key_of(NEIGHBOURS, 5)),
            one.uniform("quit", key_of(NEIGHBOURS + 1, 5)),
        ),
        "a key's last part": (one.uniform("quit", key_of(5, NEIGHBOURS)), one.uniform("quit", key_of(6, NEIGHBOURS))),
        "large seeds that agree in their low 64 bits": (u, Luck(1 + 2**64, 0).uniform("quit", KEYS)),
    }


@pytest.mark.parametrize("name", list(luck_pairs()))
def test_neighbouring_numbers_are_independent(name: str) -> None:
    a, b = luck_pairs()[name]
    for what, found in (
        ("values", correlation(a, b)),
        ("distances from the middle", correlation(np.abs(a - 0.5), np.abs(b - 0.5))),
        ("last digits", correlation(a * 2**20 % 1, b * 2**20 % 1)),
    ):
        assert abs(found) < LIMIT, f"{name}: the {what} correlate by {found:.4f}, outside ± {LIMIT:.4f}"
    assert not np.isin(a, b).all(), f"{name}: the same numbers again"


def test_one_changed_bit_of_a_key_changes_every_bit_of_the_number_with_probability_one_half() -> None:
    keys = key_of(np.arange(20_000))
    before = (Luck(1, 0).uniform("quit", keys) * 2.0**52).astype(np.uint64)
    limit = stats.binom.ppf([0.0005 / 52, 1 - 0.0005 / 52], len(keys), 0.5) / len(keys)  # 52 bits looked at at once
    for bit in (0, 1, 7, 31, 32, 50, 63):
        changed = (Luck(1, 0).uniform("quit", keys ^ np.uint64(1 << bit)) * 2.0**52).astype(np.uint64)
        flips = [float(((before ^ changed) >> np.uint64(i) & np.uint64(1)).mean()) for i in range(52)]
        assert min(flips) >= limit[0], f"input bit {bit}: an output bit flips too seldom ({min(flips):.3f})"
        assert max(flips) <= limit[1], f"input bit {bit}: an output bit flips too often ({max(flips):.3f})"


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=40), st.integers(-200, 600), st.randoms())
def test_a_key_gives_the_same_number_whatever_array_it_stands_in(numbers: list[int], k: int, random) -> None:
    luck = Luck(3, 4)
    keys = np.array(numbers, dtype=np.uint64)
    u = luck.uniforms(("save", "renew"), keys, k)
    row = random.randrange(len(keys))
    alone = luck.uniforms(("renew",), keys[row : row + 1], k)
    assert alone[0, 0] == u[1, row], "the number hangs on the key, not on the place, nor on the other decisions"
    assert (luck.uniforms(("save", "renew"), keys[::-1], k)[:, ::-1] == u).all(), "the order does not count"
    assert keys.tolist() == numbers, "drawing does not change the keys"


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.integers(1, 5))
def test_keys_of_entities_do_not_depend_on_the_shape_of_their_parts(first: int, second: int, n: int) -> None:
    alone = key_of(np.array([first]), second)
    assert (key_of(np.full(n, first), np.full(n, second)) == alone[0]).all(), "an element's key is that of its parts"
    assert int(alone[0]) == number_key(first, second), "a key of numbers is the same in arrays and alone"
    if first != second:
        assert key_of(second, np.array([first]))[0] != alone[0], "the order of the parts counts"


def test_numbers_are_strictly_inside_zero_and_one() -> None:
    u = STREAMS["neighbouring account numbers"]
    assert u.min() > 0.0, "0 would be minus infinity as a normal quantile"
    assert u.max() < 1.0, "1 would be infinity as a normal quantile"
    assert u.min() >= 2.0**-53, "the smallest number is half a step of 2^-52"


def test_seed_zero_is_a_seed_like_any_other() -> None:
    zero, one = Luck(0, 0).uniform("quit", KEYS), Luck(1, 0).uniform("quit", KEYS)
    assert (zero == Luck(0, 0).uniform("quit", KEYS)).all(), "seed 0 repeats itself"
    assert not (zero == one).any(), "seed 0 is not seed 1"


def test_replication_two_of_seed_one_is_not_replication_one_of_seed_two() -> None:
    roots = {(s, r): float(Luck(s, r).uniform("quit", KEYS[:1])[0]) for s in range(60) for r in range(60)}
    assert len(set(roots.values())) == len(roots), "seeds and replications are not added up"


def test_names_have_different_keys_and_those_do_not_change_between_runs() -> None:
    names = [f"{a} {b}" for a in ("quit", "absent", "rule", "contacts") for b in range(100)]
    assert len({name_key(name) for name in names}) == len(names), "each name has its own key"
    assert name_key("quit") == NAME_KEY_OF_QUIT, "a name's key is the same on every machine and in every version"


def test_an_entity_and_k_do_not_change_places() -> None:
    swapped = [(a, b) for a in range(20) for b in range(a)]
    one = [float(Luck(1, 0).uniform("quit", key_of(np.array([a])), b)[0]) for a, b in swapped]
    other = [float(Luck(1, 0).uniform("quit", key_of(np.array([b])), a)[0]) for a, b in swapped]
    same = sum(x == y for x, y in zip(one, other, strict=True))
    assert not same, f"{same} of {len(swapped)} times entity a in week b has the number of entity b in week a"


def test_normal_quantile_agrees_with_scipy_to_the_last_digits() -> None:
    tails = 10.0 ** -np.linspace(0.31, 15.9, 2000)
    u = np.concatenate([np.linspace(1e-4, 1 - 1e-4, 20_001), tails, 1 - tails[tails > 1e-15]])
    expected = ndtri(u)
    error = np.abs(normal_quantile(u) - expected) / np.maximum(1.0, np.abs(expected))
    assert error.max() < 1e-14, f"the largest error is {error.max():.2g} at u = {u[error.argmax()]}"


def test_exponential_and_lognormal_have_the_mean_and_the_spread_asked_for() -> None:
    u = (np.arange(1_000_000) + 0.5) / 1_000_000
    assert exponential(u, 3.0).mean() == pytest.approx(3.0, rel=1e-4), "the midpoint rule misses only the far tail"
    x = lognormal(u, 5.0, 0.8)
    assert x.mean() == pytest.approx(5.0, rel=1e-4), "mean"
    assert x.std() / x.mean() == pytest.approx(0.8, rel=2e-3), "coefficient of variation; its tail weighs more"
    assert (lognormal(u[:10], 5.0, 0.0) == 5.0).all(), "without spread it is the mean itself, to the bit"


@pytest.mark.parametrize("dispersion", [1.0, 1.3, 4.0, 20.0])
@pytest.mark.parametrize("mean", [1e-6, 0.03, 0.4, 3.0, 27.0, 99.9])
def test_counts_are_scipys_quantiles_of_the_same_uniforms(mean: float, dispersion: float) -> None:
    u = STREAMS["neighbouring account numbers"]
    found = counts(u, np.full(len(u), mean), dispersion)
    if dispersion == 1.0:
        expected = stats.poisson.ppf(u, mean)
    else:
        expected = stats.nbinom.ppf(u, mean / (dispersion - 1), 1 / dispersion)
    assert (found == expected).all(), f"{(found != expected).sum()} of {len(u)} counts differ from the inverse CDF"


@pytest.mark.parametrize("dispersion", [1.0, 1.3, 4.0, 20.0])
@pytest.mark.parametrize("mean", [0.05, 2.0, 40.0, 150.0, 505.0, 3000.0])
def test_counts_have_the_mean_and_variance_asked_for(mean: float, dispersion: float) -> None:
    u = (np.arange(N) + Luck(5, 0).uniform("quit", KEYS)) / N  # stratified: the error is far below 1 / sqrt(N)
    found = counts(u, np.full(N, mean), dispersion)
    half = stats.norm.ppf(0.9995) * np.sqrt(dispersion * mean / N)
    # Large means use a quantile of another kind, rounded: that adds 1/12 to the variance.
    slack = 1 / 12 if mean > 100 else 0.0
    assert abs(found.mean() - mean) < half, f"mean {found.mean():.4f} instead of {mean} ± {half:.4f}"
    variance = dispersion * mean
    excess = max(variance * variance * 2, variance * dispersion**2 * 2)  # bounds the fourth moment of these families
    room = stats.norm.ppf(0.9995) * np.sqrt(excess / N) * 2 + slack
    assert abs(found.var() - variance) < room, f"variance {found.var():.4f} instead of {variance:.4f} ± {room:.4f}"


@given(st.floats(1e-6, 400), st.floats(1.0, 8.0), st.floats(1e-6, 1 - 1e-6), st.floats(1.0, 1.2))
def test_raising_the_mean_never_lowers_a_count(mean: float, dispersion: float, u: float, factor: float) -> None:
    lower, higher = counts(np.array([u, u]), np.array([mean, mean * factor]), dispersion)
    assert lower <= higher, "a scenario with more demand has a superset of contacts"


@pytest.mark.parametrize("dispersion", [1.0, 1.3, 8.0])
@pytest.mark.parametrize("mean", [99.99, 199.99, 499.99, 999.99])
def test_counts_do_not_fall_where_the_method_changes_with_the_mean(mean: float, dispersion: float) -> None:
    u = (np.arange(10_000) + 0.5) / 10_000
    below, above = counts(u, np.full(len(u), mean), dispersion), counts(u, np.full(len(u), mean + 0.02), dispersion)
    fallen = int((above < below).sum())
    assert not fallen, f"{fallen} of {len(u)} counts fall by up to {(below - above).max()} although the mean rises"


@given(st.lists(st.tuples(st.floats(1e-9, 1 - 1e-9), st.floats(0, 150)), min_size=1, max_size=12), st.integers(0, 11))
def test_a_count_hangs_on_its_own_uniform_and_mean_only(pairs: list[tuple[float, float]], row: int) -> None:
    u, mean = (np.array(column) for column in zip(*pairs, strict=True))
    row %= len(u)
    together = counts(u, mean, 1.3)
    assert counts(u[row : row + 1], mean[row : row + 1], 1.3)[0] == together[row], "its neighbours do not matter"
    assert (together[mean == 0] == 0).all(), "no mean, no contacts"
