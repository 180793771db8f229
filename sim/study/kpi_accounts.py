"""KPIs of the accounts: churn, retention, ARR, revenue, states of the customers.

In: a `History` and the window. Out: KPI values by name. Money is in the scenario's currency.

Where a departure counts, the plain name uses its unbiased expectation e and `<name>_realised` what happened.
For a stock, the expected figure is the realised one plus the sum of w (left - e) over the decisions, w being
what the decision put at stake (known when it fell), so that both have the same mean.
"""

from __future__ import annotations

import numpy as np

from sim.model import ledger
from sim.model.inputs import Inputs
from sim.model.ledger import History, Table
from sim.study.kpi_parts import (
    CENTS,
    DRIVERS,
    HOURS_PER_WEEK,
    HOURS_PER_YEAR,
    ArrPath,
    BoolArray,
    Decisions,
    FloatArray,
    KpiValues,
    Span,
    ratio,
    total,
    where,
    winback_costs,
)

COHORT_WEEKS = 52


def account_kpis(history: History, inputs: Inputs, span: Span, ended: Decisions, path: ArrPath) -> KpiValues:
    """All KPIs of accounts but those that need costs."""
    weeks = where(history.tier_weeks, span.holds_week(history.tier_weeks["week"]))
    account_weeks = total(weeks["accounts"])
    account_years = account_weeks / span.weeks * span.years
    arr_years = total(weeks["arr_cents"]) / CENTS / span.weeks * span.years
    years_left = (span.end - ended.hours) / HOURS_PER_YEAR
    arr_end = total(path.before(span.end))
    revenue = path.revenue(span)
    values: KpiValues = {}
    for realised, suffix in ((False, ""), (True, "_realised")):
        e = ended.weight(realised)
        surprise = ended.left - e
        values[f"logo_churn_per_year{suffix}"] = ratio(total(e), account_years)
        values[f"arr_churn_per_year{suffix}"] = ratio(total(e * ended.arr), arr_years)
        values[f"arr_end{suffix}"] = arr_end + total(ended.arr * surprise)
        values[f"revenue{suffix}"] = revenue + total(ended.arr * years_left * surprise)
        values[f"cac_not_recouped{suffix}"] = total(e * _not_recouped(ended, inputs))
        looked_healthy = ended.seen_health > inputs.healthy_above
        values[f"unseen_churn_share{suffix}"] = ratio(total(e * looked_healthy), total(e))
        for i, driver in enumerate(DRIVERS):
            values[f"churn_share.{driver}{suffix}"] = ratio(total(e * ended.shares[:, i]), total(e))
            if not realised:
                values[f"churn_per_year.{driver}"] = ratio(total(e * ended.shares[:, i]), account_years)
    values |= _retention(ended, path, span)
    values["arr_at_risk_end"] = _at_risk_arr(history.accounts)
    inside = span.holds(path.hours)
    won, back = path.won & inside, path.won_back & inside
    new_arr, returned_arr = total(path.step[won]), total(path.step[back])
    cac = inputs.cac_per_new_arr * new_arr
    values["cac_spent"] = cac + total(winback_costs(path, back, inputs))
    values["cac_per_account_won"] = ratio(cac, total(won))
    values["won_back_share"] = ratio(total(back), total(ended.left))
    values["won_back_arr"] = returned_arr
    values |= _saves(ended)
    last = where(weeks, weeks["week"] == span.end_week - 1)
    values["adoption_end"] = ratio(total(last["adoption_sum"]), total(last["accounts"]))
    values["satisfaction_mean"] = ratio(total(weeks["satisfaction_sum"]), account_weeks)
    values["executive_contact_mean"] = ratio(total(weeks["executive_contact_sum"]), account_weeks)
    values["at_risk_share"] = ratio(total(weeks["at_risk"]), account_weeks)
    values["healthy_share"] = ratio(total(weeks["healthy"]), account_weeks)
    values["false_alarm_share"] = ratio(total(weeks["false_alarms"]), total(weeks["looks_at_risk"]))
    values["would_sign_mean"] = ratio(total(weeks["would_sign_sum"]), account_weeks)
    values["licence_use_mean"] = ratio(total(weeks["licences_used_sum"]), total(weeks["seats_sum"]))
    values["login_rate_mean"] = ratio(total(weeks["logins_sum"]), total(weeks["seats_sum"]))
    values["onboarding_failed_share"] = _onboarding_failed(history, span)
    return values


def _saves(ended: Decisions) -> KpiValues:
    """What became of announced departures, also by driver: each counts for a driver with its share in the intent."""
    announced = ended.announced.astype(np.float64)
    saved = announced * (1 - ended.left)
    return {
        "saves_share": ratio(total(saved), total(announced)),
        "firefighting_finished_share": ratio(total(announced * ended.finished), total(announced)),
        **{
            f"saves_share.{driver}": ratio(total(saved * share), total(announced * share))
            for driver, share in zip(DRIVERS, ended.shares.T, strict=True)
        },
    }


def _onboarding_failed(history: History, span: Span) -> float | None:
    """Failed onboardings over those judged in the window; a failed one that is made good later is not counted twice."""
    events = history.account_events
    inside = span.holds(events["time"])
    failed = (events["event"] == ledger.ONBOARDING_MISSED) & inside
    done = (events["event"] == ledger.ONBOARDING_DONE) & inside
    done &= ~np.isin(events["account"], events["account"][events["event"] == ledger.ONBOARDING_MISSED])
    return ratio(total(failed), total(failed) + total(done))


def mean_accounts(
    tier_weeks: Table, span: Span, ended: Decisions, realised: bool, members: BoolArray | None = None
) -> float:
    """Mean number of accounts over the window; the expected one gives back what luck took.

    tier_weeks : the window's rows of all tiers, or of one. members : the decisions of its accounts; None for all.
    """
    mean = total(tier_weeks["accounts"]) / span.weeks
    if realised:
        return mean
    surprise = (span.end - ended.hours) / (span.end - span.start) * (ended.left - ended.expected)
    return mean + total(surprise if members is None else surprise[members])


def _not_recouped(ended: Decisions, inputs: Inputs) -> FloatArray:
    """Per decision, CAC that the gross margin since the account was won would not have paid back."""
    margin = inputs.gross_margin * ended.arr * ended.tenure_years
    return np.asarray(np.maximum(0.0, inputs.cac_per_new_arr * ended.arr - margin))


def _at_risk_arr(accounts: Table) -> float:
    """ARR x (1 - exp(-intent not yet settled)), summed over the accounts at the end of the run."""
    intent = np.sum([accounts[driver] for driver in DRIVERS], axis=0, dtype=np.float64)
    return total(accounts["arr_cents"] / CENTS * -np.expm1(-intent))


def _retention(ended: Decisions, path: ArrPath, span: Span) -> KpiValues:
    """GRR and NRR over cohorts: the accounts present every 52 weeks, each followed for 52 weeks.

    A cohort that the window does not hold whole is left out; without any, all are None.
    """
    starts = range(span.first_week, span.end_week - COHORT_WEEKS + 1, COHORT_WEEKS)
    opening = 0.0
    kept = {"grr": 0.0, "nrr": 0.0}
    luck = {"grr": 0.0, "nrr": 0.0}
    for week in starts:
        year = Span(week, week + COHORT_WEEKS)
        at_start, at_end = path.before(year.start), path.before(year.end)
        member = at_start > 0
        opening += total(at_start[member])
        kept["grr"] += total(np.minimum(at_start, at_end)[member])
        kept["nrr"] += total(at_end[member])
        inside = (ended.hours >= week * HOURS_PER_WEEK) & (ended.hours < year.end) & member[ended.account]
        surprise = (ended.left - ended.expected)[inside]
        luck["grr"] += total(np.minimum(ended.arr, at_start[ended.account])[inside] * surprise)
        luck["nrr"] += total(ended.arr[inside] * surprise)
    values: KpiValues = {}
    for name in ("grr", "nrr"):
        values[name] = ratio(kept[name] + luck[name], opening)
        values[f"{name}_realised"] = ratio(kept[name], opening)
    return values
