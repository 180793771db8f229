"""The guarantees of keyed luck, on ledger rows: what does not concern a row cannot change it by a bit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from small import SMALL, TABLES, put, rows_where, run, run_all, same_bits, small_inputs, tables_of, values_of
from small import inputs_of as inputs_of_values

from sim.model import departures, replication
from sim.model.accounts import drift
from sim.model.community import Forum
from sim.model.compile import compile_inputs
from sim.model.contacts import Wanted, make_contacts
from sim.model.health import health, seen
from sim.model.inputs import Inputs
from sim.model.ledger import EXPIRED, History, Table
from sim.model.luck import Luck, counts, exponential, key_of, lognormal, normal_quantile
from sim.model.queue import Contact
from sim.scenario import load_scenario

WHAT_IFS = ("reroute_support_calls.yaml", "reroute_and_hire.yaml", "one_more_csm.yaml")
WEEK = 168.0

IDLE_TIER: dict[str, Any] = {
    "accounts": 1,
    "arr_per_year_mean": 10_000,
    "arr_cv": 0.5,
    "arr_per_seat_per_year": 500,
    "term_months": {1: 1.0},
    "new_accounts_per_year": 0,
    "contact_rate_factor": 0,
    "departure_factor": 0,
}
# Mechanisms all on, load high, and people who come and go, so that much could change.
BUSY: dict[str, Any] = SMALL | {
    "weeks": 30,
    "accounts.executive_contact.sponsor_loss_per_year": 0.5,
    "mechanisms.action_plans": False,
    "tiers.small.new_accounts_per_year": 20,
    "tiers.small.term_months": {1: 0.5, 12: 0.5},
    "teams.csm.quit_rate_per_year": 1.0,
    "teams.csm.headcount": 2,
    "teams.csm.time_to_fill_weeks": 3,
    "departures.drivers.competition.hazard_per_year": 1.0,
}


def company(place: str | None) -> Inputs:
    """The busy company, with an idle tier first, last, or without it."""
    values = put(values_of(), BUSY)
    if place == "first":
        values["tiers"] = {"idle": IDLE_TIER, **values["tiers"]}
    elif place == "last":
        values["tiers"]["idle"] = IDLE_TIER
    return inputs_of_values(values)


def by_names(history: History, inputs: Inputs) -> dict[str, Table]:
    """The tables with tiers by name and accounts by id instead of by row, without the idle tier, in an order of
    their own: row numbers are all that may differ.
    """
    ids, result = history.accounts["id"], {}
    for name, table in tables_of(history).items():
        table = dict(table)
        if "account" in table:
            table["account"] = ids[table["account"]]
        if "tier" in table:
            table["tier"] = np.array([*inputs.tiers, ""])[table["tier"]]
            table = rows_where(table, table["tier"] != "idle")
            table["tier"] = table["tier"].astype("U20")
        order = np.lexsort([table[key] for key in ORDER[name]])
        result[name] = {key: column[order] for key, column in table.items()}
    return result


ORDER = {
    "contacts": ("leg", "attempt", "contact"),
    "account_events": ("event", "time", "account"),
    "people_weeks": ("seat", "team", "week"),
    "tier_weeks": ("tier", "week"),
    "accounts": ("id",),
    "opening": ("id",),
    "duty": ("began", "seat", "team"),
}


@pytest.mark.parametrize("place", ["first", "last"])
def test_one_more_idle_account_changes_nobody_elses_history(place: str) -> None:
    without, more = company(None), company(place)
    changed = run(more)
    idle = rows_where(changed.contacts, changed.contacts["tier"] == more.tiers.index("idle"))
    assert not len(idle["contact"]), "idle: it has no contacts (its sponsor stays, or he would have to be won back)"
    before, after = by_names(run(without), without), by_names(changed, more)
    assert len(before["contacts"]["contact"]) > 1500, "the company is busy enough for something to change"
    assert len(np.unique(before["account_events"]["event"])) >= 6, "nearly all kinds of events happen"
    for name in TABLES:
        assert len(before[name][next(iter(before[name]))]) == len(after[name][next(iter(after[name]))]), (
            f"{name}: the idle account adds or takes away rows of others"
        )
        assert same_bits(before[name], after[name]) == [], f"{name}: these columns of others' rows changed"


@pytest.mark.parametrize("what_if", WHAT_IFS)
def test_before_a_dated_rule_starts_both_scenarios_have_the_same_rows(what_if: str) -> None:
    start = dt.date(2026, 2, 18)  # a Wednesday
    baseline = small_inputs({"weeks": 14, "tiers.small.new_accounts_per_year": 60})
    changes = [{**change, "from": start} for change in values_of(what_if)["changes"]]
    changed = small_inputs({"weeks": 14, "tiers.small.new_accounts_per_year": 60, "changes": changes})
    begins = changed.phases[1].start_hour
    assert begins == 24.0 * (start - baseline.start).days, "the rule starts at 00:00 of its day"
    same_before(begins, *run_all(baseline, [baseline, changed]))


@pytest.mark.slow
@pytest.mark.parametrize("what_if", WHAT_IFS)
def test_before_their_dated_rules_start_the_shipped_what_ifs_have_the_rows_of_the_baseline(
    what_if: str, scenario_folder: Any
) -> None:
    baseline = compile_inputs(load_scenario(scenario_folder / "baseline.yaml"))
    changed = compile_inputs(load_scenario(scenario_folder / what_if))
    same_before(changed.phases[1].start_hour, *run_all(baseline, [baseline, changed]))


def same_before(begins: float, one: History, other: History) -> None:
    """All rows of the time before a rule begins are the same bits, in the same order; later ones are not."""
    last_tick = np.floor(begins / WEEK)  # the tick after it already knows the new rules
    early: list[tuple[str, Table, Table]] = [
        (
            "contacts",
            *(rows_where(h.contacts, (h.contacts["ended"] < begins) & ~settled_late(h.contacts)) for h in (one, other)),
        ),
        *(
            (name, *(rows_where(getattr(h, name), getattr(h, name)["week"] < last_tick) for h in (one, other)))
            for name in ("people_weeks", "tier_weeks")
        ),
    ]
    events = [h.account_events for h in (one, other)]
    early.append(("account_events", *(rows_where(table, table["time"] <= WEEK * (last_tick - 1)) for table in events)))
    for name, a, b in early:
        assert len(next(iter(a.values()))) > 0, f"{name}: there are rows before the rule starts"
        assert len(next(iter(a.values()))) == len(next(iter(b.values()))), f"{name}: as many rows in both scenarios"
        assert same_bits(a, b) == [], f"{name}: columns that differ although the rule had not started"
    late = [rows_where(h.contacts, ~(h.contacts["ended"] < begins)) for h in (one, other)]
    assert len(late[0]["contact"]) != len(late[1]["contact"]) or same_bits(*late), "afterwards the rule shows"


def settled_late(contacts: Table) -> np.ndarray:
    """Expired rows end at their window's end but are found at the next tick, in an order of their own."""
    return contacts["outcome"] == EXPIRED


def captured(inputs: Inputs, monkeypatch: pytest.MonkeyPatch, baseline: Inputs) -> dict[int, Contact]:
    """First attempts by key, as they were made in the run."""
    made: dict[int, Contact] = {}

    def keeping(wanted: Wanted, accounts: Any, given: Inputs, luck: Luck, forum: Forum) -> list[Contact]:
        contacts = make_contacts(wanted, accounts, given, luck, forum)
        made.update({contact.key: contact for contact in contacts})
        return contacts

    monkeypatch.setattr(replication, "make_contacts", keeping)
    run(inputs, baseline=baseline)
    monkeypatch.undo()
    return made


def test_rerouting_changes_the_route_of_the_rerouted_calls_and_no_ones_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    baseline = small_inputs()
    rule = [{"from": "csm", "to": "support", "share": 0.5, "how": "front_door"}]
    changed = small_inputs({"routing.rules": rule})
    before, after = captured(baseline, monkeypatch, baseline), captured(changed, monkeypatch, baseline)
    both = [(before[key], after[key]) for key in before.keys() & after.keys()]
    rerouted = [(a, b) for a, b in both if a.kind.team != b.kind.team]
    assert len(both) > 400, "most matters come up in both scenarios"
    assert rerouted, "some calls are rerouted"
    for a, b in both:
        luck_a = (a.draw, a.u_resolve, a.patience, a.born, a.kind.channel, a.account)
        assert luck_a == (b.draw, b.u_resolve, b.patience, b.born, b.kind.channel, b.account), (
            "the same matter has the same luck in handle time, resolution and patience"
        )
        for name in ("handle", "u_resolve", "patience", "weeks_until_back"):
            later_a, later_b = getattr(a.attempts, name)[1:, a.row], getattr(b.attempts, name)[1:, b.row]
            assert later_a.tolist() == later_b.tolist(), f"and the same luck at later attempts: {name}"
        if a.kind.team == b.kind.team:
            assert (a.kind.resolution, a.mean_hours) == (b.kind.resolution, b.mean_hours), (
                "a call that stays is as it was"
            )
    for a, _ in rerouted:
        assert baseline.phases[0].categories.support_call[a.kind.category], "only support calls move"
        assert baseline.teams[a.kind.team] == "csm", "only the CSMs' calls move"


def test_what_happens_to_an_account_does_not_depend_on_which_others_stand_beside_it() -> None:
    """The rules on arrays give each element the same bits alone and in any company; sums in blocks would not."""
    phase = small_inputs().phases[0]
    rules, n = phase.departures, 61
    u = Luck(1, 0).uniforms(("a", "b", "c", "d", "e", "f"), key_of(np.arange(n), 1))
    states, intent, done = u[:3], np.vstack([u[:5]]) / 3, (u[0] * 6).astype(np.int64)
    lost, arr = u[0] < 0.3, (u[1] * 1e7).astype(np.int64) + 1
    term = np.where(u[2] < 0.5, 12, 36)
    p = departures.leave_probability(intent.sum(axis=0))

    def everything(rows: np.ndarray) -> dict[str, np.ndarray]:
        shares = departures.driver_shares(intent[:, rows])
        return {
            "normal_quantile": normal_quantile(u[0][rows]),
            "exponential": exponential(u[0][rows], 2.0),
            "lognormal": lognormal(u[0][rows], 2.0, 0.7),
            "counts": counts(u[0][rows], 120 * u[1][rows], 1.3),
            "hazards": departures.hazards(
                states[:, rows], lost[rows], u[4][rows], lost[rows], lost[rows], u[3][rows], rules
            ),
            "leave_probability": departures.leave_probability(intent[:, rows].sum(axis=0)),
            "driver_shares": shares,
            "save": departures.save_probability(shares, done[rows], rules),
            "nominal save": departures.nominal_save_probability(shares, rules),
            "settle": np.array(
                departures.settle(
                    p[rows],
                    p[rows] / 2,
                    lost[rows],
                    u[3][rows],
                    u[4][rows],
                    np.full(len(rows), 0.5),
                    u[5][rows],
                    u[0][rows],
                )
            ),
            "renewed_arr_cents": departures.renewed_arr_cents(
                arr[rows], term[rows], states[0, rows], u[3][rows], u[4][rows], rules
            ),
            "renewed_seats": departures.renewed_seats(1 + u[1][rows], arr[rows], 2 * arr[rows], rules),
            "seen": seen(u[0][rows], u[1][rows], phase.health, 1.0),
            "drift": drift(states[:, rows], phase.states),
            "health": health(states[:, rows], phase.health),
        }

    together = everything(np.arange(n))
    differ = set()
    for first in range(n):
        for rows in (np.array([first]), np.arange(first, n), np.arange(first + 1)):
            for name, values in everything(rows).items():
                if values.tobytes() != np.ascontiguousarray(together[name][..., rows]).tobytes():
                    differ.add(name)
    assert not differ, f"{sorted(differ)}: the same element has other bits alone than among {n}"
