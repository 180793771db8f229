"""Who is at risk: figures by hand where hazards are constant, sums that agree with the KPIs, and what is shown."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import pickle
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from kpi_tables import decision, make_history
from small import NOTHING_HAPPENS, SCENARIOS, SMALL, inputs_of, put, run, small_inputs, values_of

import sim
from sim.model.compile import compile_inputs
from sim.model.inputs import DRIVERS, HOURS_PER_MONTH, HOURS_PER_WEEK, HOURS_PER_YEAR, Inputs
from sim.model.ledger import ANNOUNCED, MIDTERM, RENEWAL, History
from sim.scenario import Scenario, load_scenario_text
from sim.study.account_measures import AccountMeasures, account_measures, months
from sim.study.errors import Interrupted
from sim.study.executors import InThisProcess
from sim.study.experiment import Progress, accounts_at_risk, compare
from sim.study.kpis import compute
from sim.study.provenance import provenance
from sim.study.risk import RiskReport, risk_report

# Only the downturn's base hazard is left: it depends on nothing that happens to the account.
HAZARD_PER_YEAR = 0.4
CONSTANT_HAZARD: dict[str, Any] = {
    **NOTHING_HAPPENS,
    "mechanisms.churn": True,
    "weeks": 52,
    **{f"departures.drivers.{name}.hazard_per_year": 0 for name in DRIVERS if name != "downturn"},
    "departures.drivers.downturn.hazard_per_year": HAZARD_PER_YEAR,
    "departures.drivers.downturn.shock_probability_per_quarter": 0,
    "departures.announce_share": 0,
    "departures.midterm_share": 0,
    **{f"tiers.{name}.departure_factor": 1 for name in ("enterprise", "midmarket", "small")},
    **{f"tiers.{name}.term_months": {12: 1.0} for name in ("enterprise", "midmarket", "small")},
}
ALL_DECIDE = {"weeks": 52, "mechanisms.growth": False, "tiers.small.term_months": {1: 0.5, 12: 0.5}}


def scenario_of(overrides: dict[str, Any]) -> Scenario:
    import yaml

    values = put(put(values_of(), SMALL), overrides)
    return load_scenario_text(yaml.safe_dump(values, sort_keys=False), "small.yaml", SCENARIOS)


def report_of(overrides: dict[str, Any], replications: int = 2, seed: int = 1) -> RiskReport:
    return accounts_at_risk(scenario_of(overrides), replications=replications, seed=seed, pool=InThisProcess())


def measured(overrides: dict[str, Any], replication: int = 0) -> tuple[Inputs, History, AccountMeasures]:
    inputs = small_inputs(overrides)
    history = run(inputs, replication=replication)
    return inputs, history, account_measures(history, inputs)


def report_from(
    measures: list[AccountMeasures], overrides: dict[str, Any] | None = None, book: Any = None
) -> RiskReport:
    scenario = scenario_of(overrides or {})
    inputs = compile_inputs(scenario)
    stand_in = cast(Scenario, SimpleNamespace(currency=scenario.currency, book=book))
    return risk_report("Small", stand_in, inputs, measures, provenance([scenario], 1, len(measures)))


@pytest.mark.parametrize("warm_up_weeks", [0, 2])
def test_would_sign_is_exp_of_minus_the_hazard_times_the_weeks_since_the_last_renewal(warm_up_weeks: int) -> None:
    overrides = {**CONSTANT_HAZARD, "accounts.warm_up_weeks": warm_up_weeks}
    report = report_of(overrides)
    book = inputs_of(put(put(values_of(), SMALL), overrides)).book
    years = (12 * HOURS_PER_MONTH - book.renewal) / HOURS_PER_YEAR
    # Who joined in the week before the start begins with the first week: no hazard yet.
    there = (book.started <= -HOURS_PER_WEEK) | (warm_up_weeks == 0)
    assert there.sum() >= 25
    expected = np.where(there, np.exp(-HAZARD_PER_YEAR * years), 1.0)
    assert report.accounts.would_sign.mean == pytest.approx(expected, rel=1e-9)
    assert report.accounts.would_sign.low == pytest.approx(expected, rel=1e-9), "no luck, no interval"
    assert report.accounts.would_sign_middle == pytest.approx(np.array([expected, expected]), rel=1e-9)
    assert report.accounts.driver == tuple("downturn" if one else "" for one in there.tolist())
    assert report.accounts.driver_share == pytest.approx(there.astype(float))


def test_leaving_within_a_year_is_one_minus_exp_of_the_whole_terms_hazard() -> None:
    overrides = {**CONSTANT_HAZARD, "accounts.warm_up_weeks": 0}
    report = report_of(overrides)
    book = small_inputs(overrides).book
    assert (book.renewal < 52 * HOURS_PER_WEEK).any()
    weeks = np.ceil(book.renewal / HOURS_PER_WEEK) - (book.renewal - 12 * HOURS_PER_MONTH) / HOURS_PER_WEEK
    leaves = -np.expm1(-HAZARD_PER_YEAR * weeks * HOURS_PER_WEEK / HOURS_PER_YEAR)
    leaves *= book.renewal < 52 * HOURS_PER_WEEK
    assert report.horizon_weeks == 52
    assert report.accounts.leaves.mean == pytest.approx(leaves, rel=1e-9)
    assert report.accounts.arr_loss.mean == pytest.approx(leaves * book.arr_cents / 100, rel=1e-9)


@pytest.mark.slow
def test_monthly_contracts_leave_as_their_survival_curve_says() -> None:
    monthly = {
        **CONSTANT_HAZARD,
        "accounts.warm_up_weeks": 0,
        "tiers.enterprise.accounts": 0,
        "tiers.midmarket.accounts": 0,
        "tiers.small.accounts": 60,
        "tiers.small.term_months": {1: 1.0},
    }
    inputs = small_inputs(monthly)
    book, end = inputs.book, 52 * HOURS_PER_WEEK
    last = book.renewal + np.floor((end - book.renewal) / HOURS_PER_MONTH) * HOURS_PER_MONTH
    settled = np.ceil(last / HOURS_PER_WEEK) * HOURS_PER_WEEK
    hours = settled - (book.renewal - HOURS_PER_MONTH)
    leaves = -np.expm1(-HAZARD_PER_YEAR * hours / HOURS_PER_YEAR).mean()
    found = [account_measures(run(inputs, replication=i), inputs).departures.mean() for i in range(25)]
    error = np.std(found, ddof=1) / 5
    assert abs(np.mean(found) - leaves) < 3.75 * error, "the decisions of a year add up to the chance (99.9 %)"


def test_expected_departures_of_the_accounts_add_up_to_the_churn_kpis() -> None:
    inputs, history, measures = measured(ALL_DECIDE)
    kpis = compute(history, inputs)
    weeks, years = history.tier_weeks, 52 * HOURS_PER_WEEK / HOURS_PER_YEAR
    account_years = weeks["accounts"].sum() / 52 * years
    arr_years = weeks["arr_cents"].sum() / 100 / 52 * years
    assert measures.departures.sum() > 0.5, "the test needs departures"
    assert measures.departures.sum() == pytest.approx(cast(float, kpis["logo_churn_per_year"]) * account_years)
    assert measures.arr_loss.sum() == pytest.approx(cast(float, kpis["arr_churn_per_year"]) * arr_years)


def test_the_login_rate_is_read_off_adoption() -> None:
    """Nothing moves adoption before the first day, so that every account has the one of the opening."""
    still = {"weeks": 4, "accounts.warm_up_weeks": 0, "accounts.adoption.opening": 0.5}
    rates = [
        report_of(still | {"accounts.adoption.weekly_login_share": share}).columns["login_rate"] for share in (1, 0.6)
    ]
    assert rates == [pytest.approx([0.5] * 30), pytest.approx([0.3] * 30)]


@pytest.mark.slow
def test_expected_departures_agree_with_those_that_happened() -> None:
    inputs = small_inputs({**ALL_DECIDE, "departures.opening_intent_factor": 3.0})
    differences = []
    for replication in range(40):
        history = run(inputs, replication=replication)
        events = history.account_events
        gone = events["left"] & (events["time"] < 52 * HOURS_PER_WEEK)
        expected = account_measures(history, inputs).departures.sum()
        differences.append(expected - len(np.unique(events["account"][gone])))
    error = np.std(differences, ddof=1) / np.sqrt(len(differences))
    assert abs(np.mean(differences)) < 3.6 * error, "announcements and firefighting bias nothing (99.9 %)"


def test_one_history_gives_a_probability_where_counting_gives_yes_or_no() -> None:
    report = report_of({**ALL_DECIDE, "weeks": 60}, replications=1)
    due = np.array([day < report.start + dt.timedelta(weeks=50) for day in report.accounts.renewal])
    between = (report.accounts.leaves.mean > 0.001) & (report.accounts.leaves.mean < 0.999)
    assert between[due].all()


def test_customers_won_later_are_in_no_figure() -> None:
    overrides = {**ALL_DECIDE, "mechanisms.growth": True, "tiers.small.new_accounts_per_year": 200, "weeks": 30}
    overrides["tiers.small.term_months"] = {1: 1.0}
    inputs, history, measures = measured(overrides)
    late = history.account_events["account"] >= len(inputs.book.keys)
    renewals = history.account_events["event"] == RENEWAL
    assert (late & renewals).sum() > 50, "the test needs renewals of new customers"
    assert len(measures.departures) == len(measures.would_sign) == len(inputs.book.keys)
    assert measures.calendar[:, :, 0].sum() == (renewals & ~late).sum()


def test_a_short_run_says_how_far_it_sees() -> None:
    report = report_of({"weeks": 8})
    assert report.horizon_weeks == 8
    assert [f"{month:%Y-%m}" for month in report.calendar.months] == ["2026-01", "2026-02", "2026-03"]


def test_the_calendar_counts_renewals_in_their_month_and_tier() -> None:
    start = dt.date(2026, 1, 5)

    def hours(year: int, month: int, day: int) -> float:
        return (dt.date(year, month, day) - start).days * 24.0

    inputs = cast(
        Inputs, SimpleNamespace(start=start, weeks=110, tiers=("big", "little"), book=SimpleNamespace(keys=range(2)))
    )
    events = [
        decision(0, 0.0, False, 0.1, 1000),
        decision(1, hours(2026, 2, 1) - 0.1, False, 0.2, 500, tier=1),
        decision(1, hours(2026, 2, 1), False, 0.3, 500, tier=1),
        decision(0, hours(2026, 2, 28), False, 0.9, 1000, event=MIDTERM),
        decision(0, hours(2027, 12, 31), False, 0.1, 2000),
        decision(0, hours(2028, 1, 1), True, 0.1, 4000),
        decision(2, hours(2026, 2, 1), True, 1.0, 9999),
        decision(0, hours(2026, 3, 1), True, 1.0, 9999, event=ANNOUNCED),
    ]
    measures = account_measures(make_history(events=events, opening=[{"id": 1}, {"id": 2}]), inputs)
    months_of = months(start, 110)
    assert [months_of[0], months_of[-1], len(months_of)] == [dt.date(2026, 1, 1), dt.date(2027, 12, 1), 24]
    calendar = {
        (i, j): measures.calendar[i, j].tolist() for i, j in zip(*np.nonzero(measures.calendar[:, :, 0]), strict=True)
    }
    assert calendar == {
        (0, 0): [1, 1000, 100],
        (0, 1): [1, 500, 100],
        (1, 1): [1, 500, 150],
        (23, 0): [1, 2000, 200],
    }, "no mid-term exits, no later months, no customers won later, no announcements"
    assert measures.departures.tolist() == pytest.approx([1.0, 0.5]), "mid-term exits count, the second year does not"
    assert measures.arr_loss.tolist() == pytest.approx([1000, 250])


def test_calendar_and_mid_term_leaving_add_up_to_the_accounts() -> None:
    _, history, measures = measured(ALL_DECIDE)
    events = history.account_events
    midterm = events["event"] == MIDTERM
    loss = (events["expected"] * events["arr_before_cents"])[midterm].sum() / 100
    assert loss > 0
    assert measures.calendar[:, :, 2].sum() + loss == pytest.approx(measures.arr_loss.sum())


def test_the_whole_books_interval_is_that_of_its_sums_and_not_a_sum_of_intervals() -> None:
    _, _, one = measured({"weeks": 8})
    leaving = [np.full_like(one.departures, share) for share in (0.1, 0.2, 0.3, 0.4)]
    report = report_from([SimpleNamespace(**{**vars(one), "departures": x}) for x in leaving], {"weeks": 8})  # type: ignore[misc]
    count = len(report.accounts)
    half = 3.182446 * np.std([0.1, 0.2, 0.3, 0.4], ddof=1) / 2 * count
    assert float(report.leaving.mean) == pytest.approx(0.25 * count)
    assert float(report.leaving.high - report.leaving.mean) == pytest.approx(half, rel=1e-5)


def test_the_interval_is_that_of_the_mean_and_the_middle_that_of_the_histories() -> None:
    _, _, one = measured({"weeks": 8})
    would_sign = [np.full_like(one.would_sign, share) for share in (0.5, 0.6, 0.7, 0.8)]
    report = report_from([SimpleNamespace(**{**vars(one), "would_sign": x}) for x in would_sign], {"weeks": 8})  # type: ignore[misc]
    half = 3.182446 * np.std([0.5, 0.6, 0.7, 0.8], ddof=1) / 2
    accounts = report.accounts
    assert accounts.would_sign.mean == pytest.approx(0.65)
    assert accounts.would_sign.low == pytest.approx(0.65 - half, rel=1e-6)
    assert accounts.would_sign.high == pytest.approx(0.65 + half, rel=1e-6)
    assert accounts.would_sign_middle[:, 0] == pytest.approx([0.5075, 0.7925])


def test_one_history_has_no_interval() -> None:
    row = report_of({"weeks": 8}, replications=1).to_dict()["accounts"][0]
    assert [row[name] for name in ("would_sign_low", "leaves_high", "would_sign_middle_low")] == [None] * 3
    assert row["would_sign"] > 0.5


def test_what_is_shown_lies_between_0_and_1_and_what_is_kept_adds_up() -> None:
    _, _, one = measured({"weeks": 8})
    outside = np.linspace(-0.2, 1.2, len(one.departures))
    kept = cast(AccountMeasures, SimpleNamespace(**{**vars(one), "departures": outside, "arr_loss": outside * 10}))
    report = report_from([kept, kept], {"weeks": 8})
    assert report.accounts.leaves.mean == pytest.approx(outside), "clipping would bias sums"
    frame = report.to_frame()
    assert (frame["leaves"].min(), frame["leaves"].max()) == (0, 1)
    assert frame["expected_arr_loss"].min() == 0


def test_rows_have_an_id_an_owner_and_the_books_own_figures() -> None:
    overrides = {"weeks": 8, "teams.csm.headcount": 2, "accounts.warm_up_weeks": 0}
    report = report_of(overrides)
    book = small_inputs(overrides).book
    enterprise = tuple(f"enterprise-{i}" for i in range(1, 5))
    assert report.accounts.account[:5] == (*enterprise, "midmarket-1")
    assert report.accounts.account[-1] == "small-16"
    assert set(report.accounts.owner) == {"CSM 1", "CSM 2"}, "everybody has an owner, and both have customers"
    assert report.accounts.arr_per_year.tolist() == (book.arr_cents / 100).tolist()
    days = [(day - report.start).days for day in report.accounts.renewal]
    assert days == (book.renewal // 24).astype(int).tolist()


def test_owners_agree_with_the_engine_at_the_start() -> None:
    inputs, history, measures = measured({"weeks": 8, "mechanisms.turnover": False})
    count = len(inputs.book.keys)
    owned = measures.seat >= 0
    assert owned.tolist() == (inputs.book.started <= -HOURS_PER_WEEK).tolist(), "last week's customers have none yet"
    seats = history.accounts["seat"][:count][owned]
    assert measures.seat[owned].tolist() == seats.tolist(), "nobody quits, nothing moves"
    assert set(measures.team[owned].tolist()) == {inputs.teams.index("csm")}
    pooled = report_of({"weeks": 8, "teams.csm.named_owner": False})
    assert set(pooled.accounts.owner) == {""}, "a pooled team has no owners"


def test_an_account_list_gives_ids_names_and_owners() -> None:
    _, _, one = measured({"weeks": 8})
    count = len(one.would_sign)
    book = SimpleNamespace(
        account=tuple(f"A-{i}" for i in range(count)),
        name=("=1+1", *("",) * (count - 1)),
        owner=("Ann", *("",) * (count - 1)),
        owners=(),
    )
    report = report_from([one, one], {"weeks": 8}, book)
    assert report.accounts.account[:2] == ("A-0", "A-1")
    assert report.accounts.owner[:2] == ("Ann", "CSM 1"), "a seat is shown where the list names nobody"
    rows = list(csv.DictReader(io.StringIO(report.to_csv().removeprefix("\ufeff"))))
    assert "'=1+1" in {row["name"] for row in rows}, "a name never becomes a formula"


def test_a_listed_account_without_an_owner_shows_the_owner_whose_seat_it_was_dealt_to() -> None:
    _, _, one = measured({"weeks": 8})
    count = len(one.would_sign)
    team, seat = np.array(one.team), np.array(one.seat)
    csm, support = (small_inputs({"weeks": 8}).teams.index(name) for name in ("csm", "support"))
    team[:5], seat[:5] = (csm, csm, csm, support, -1), (0, 1, 2, 0, -1)
    dealt = cast(AccountMeasures, SimpleNamespace(**{**vars(one), "team": team, "seat": seat}))
    book = SimpleNamespace(
        account=tuple(f"A-{i}" for i in range(count)),
        name=("",) * count,
        owner=("Bob", *("",) * (count - 1)),
        owners=("Ann", "Bob"),
    )
    owner = report_from([dealt, dealt], {"weeks": 8}, book).accounts.owner
    assert owner[0] == "Bob", "the list's own word counts"
    assert owner[1] == "Bob", "the second seat is Bob's, so it is not shown as a nameless CSM 2"
    assert owner[2] == "CSM 3", "the list names nobody for the third seat"
    assert owner[3] == "Support 1", "the list's owners have no seat in another team"
    assert owner[4] == "", "nobody owns it yet"


def test_a_sponsor_or_an_announcement_counts_if_most_histories_have_it() -> None:
    _, _, one = measured({"weeks": 8})
    without, lost, told = (np.zeros(len(one.would_sign), dtype=bool) for _ in range(3))
    lost[0] = told[1] = True
    some = [SimpleNamespace(**{**vars(one), "sponsor_lost": lost, "announced": told})] * 2
    none = [SimpleNamespace(**{**vars(one), "sponsor_lost": without, "announced": without})]
    most = report_from(cast(list[AccountMeasures], [*some, *none]), {"weeks": 8})
    assert most.accounts.next_action[0].words == "Find a new executive sponsor"
    assert most.accounts.next_action[1].words.startswith("Save the contract")
    half = report_from(cast(list[AccountMeasures], [*some, *none, *none]), {"weeks": 8})
    words = {action.words for action in half.accounts.next_action}
    assert not any(one.startswith(("Find a new", "Save the contract")) for one in words)
    assert half.accounts.sponsor_lost_share[0] == 0.5


def test_without_churn_everybody_signs_and_nobody_has_a_driver() -> None:
    report = report_of({"weeks": 60, "mechanisms.churn": False})
    assert report.accounts.would_sign.mean.tolist() == [1.0] * len(report.accounts)
    assert set(report.accounts.driver) == {""}
    assert report.accounts.arr_loss.mean.sum() == 0
    assert report.calendar.renewals.sum() > 0, "contracts still end and are renewed"


def test_an_empty_book_gives_an_empty_report() -> None:
    report = report_of({"weeks": 8, **{f"tiers.{name}.accounts": 0 for name in ("enterprise", "midmarket", "small")}})
    assert len(report.to_frame()) == 0
    assert len(report.to_csv().splitlines()) == 1, "the header stands alone"


def test_workers_do_not_change_the_report() -> None:
    scenario = scenario_of({"weeks": 20})
    one, two = (accounts_at_risk(scenario, replications=4, workers=workers) for workers in (1, 2))
    assert one.to_json() == two.to_json()
    assert one.to_csv() == two.to_csv()


def test_a_comparison_tells_who_is_at_risk_in_each_scenario_if_asked() -> None:
    baseline, what_if = scenario_of({"weeks": 20}), scenario_of({"weeks": 20, "teams.csm.headcount": 2, "name": "Two"})
    both = compare(baseline, what_if, replications=2, pool=InThisProcess(), keep_accounts=True)
    assert both.risk is not None
    assert [report.scenario for report in both.risk] == ["Baseline", "Two"]
    alone = accounts_at_risk(baseline, replications=2, pool=InThisProcess())
    assert both.risk[0].columns == alone.columns, "the same luck, the same figures"
    assert set(both.risk[0].accounts.owner) - {""} == {"CSM 1"}
    assert set(both.risk[1].accounts.owner) - {""} == {"CSM 1", "CSM 2"}
    assert compare(baseline, what_if, replications=1, pool=InThisProcess()).risk is None
    assert "risk" not in both.to_dict(), "the JSON of a comparison stays as it is"


def test_an_interrupted_study_says_so_in_the_report() -> None:
    seen: list[Progress] = []
    scenario = scenario_of({"weeks": 8})

    def stop() -> bool:
        return seen[-1].done >= 2

    with pytest.raises(Interrupted) as caught:
        accounts_at_risk(scenario, replications=50, progress=seen.append, cancel=stop, pool=InThisProcess())
    report = caught.value.result
    assert isinstance(report, RiskReport)
    assert (report.provenance.interrupted, report.provenance.replications, report.replications) == (True, 2, 2)
    seen.clear()
    with pytest.raises(Interrupted) as caught:
        compare(scenario, scenario, replications=50, progress=seen.append, cancel=stop, pool=InThisProcess(),
                keep_accounts=True)  # fmt: skip
    assert all(report.provenance.interrupted for report in caught.value.result.risk)  # type: ignore[union-attr]


def test_json_is_plain_and_whole() -> None:
    report = report_of({"weeks": 8})
    plain = json.loads(report.to_json(), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert list(plain) == [
        *(
            "provenance",
            "scenario",
            "start",
            "currency",
            "horizon_weeks",
            "replications",
            "warnings",
            "leaving",
            "arr_leaving",
        ),
        *("accounts", "calendar"),
    ]
    assert plain["leaving"]["mean"] == pytest.approx(report.accounts.leaves.mean.sum())
    assert len(plain["accounts"]) == 30
    assert plain["accounts"][0]["renewal"] == report.accounts.renewal[0].isoformat()
    assert len(plain["calendar"]) == 3 * 3, "a row per month and tier"


def test_twenty_thousand_accounts_take_about_a_megabyte_a_replication() -> None:
    count = 20_000
    rng = np.random.default_rng(1)
    events = make_history(events=[decision(0, 1.0, False, 0.1, 1000)] * 3)
    many = {name: np.resize(column, 2 * count) for name, column in events.account_events.items()}
    many["account"] = np.tile(np.arange(count, dtype=np.int32), 2)
    opening = {name: np.resize(column, count) for name, column in make_history(opening=[{"id": 1}]).opening.items()}
    opening["service"] = rng.random(count)
    history = SimpleNamespace(account_events=many, opening=opening)
    inputs = cast(Inputs, SimpleNamespace(start=dt.date(2026, 1, 5), weeks=104, tiers=("big",)))
    measures = account_measures(cast(History, history), inputs)
    assert measures.departures.tolist() == pytest.approx([0.2] * count)
    assert len(pickle.dumps(measures)) < 60 * count, "arrays only: about 50 bytes per account"


def test_the_package_offers_it() -> None:
    assert sim.accounts_at_risk is accounts_at_risk
