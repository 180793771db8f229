"""Shows what a comparison found: the sentence, the headline numbers, why, when, who pays, what it costs, how sure.

In: an `Answer`. Out: elements on the page, in the order in which a decider asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from planner import charts, downloads, runs, tables, words
from planner.runs import Answer
from planner.view import View, view_of
from sim.scenario import phases
from sim.scenario.evidence import evidence
from sim.study.change_words import change_sentences
from sim.study.kpi_parts import DRIVERS
from sim.study.kpis import team_title, tier_title
from sim.study.results import Band, Ends

CARDS_PER_ROW = 4
VERDICT_BOXES = {
    "recommended": st.success,
    "pays, but": st.warning,
    "does not pay": st.error,
    "cannot tell yet": st.info,
}
DRIVER_WORDS = {
    "disconnection": "Management lost sight of the value",
    "disengagement": "Users do not use it",
    "service": "Bad service",
    "downturn": "The customer's own downturn",
    "competition": "A competitor",
}
ON_THE_WAY = (
    "proactive_completed_share",
    "executive_contact_mean",
    "adoption_end",
    "satisfaction_mean",
)
TEAM_ON_THE_WAY = ("occupancy", "overtime_hours", "wait_mean_minutes", "service_level")
MONEY = (
    ("revenue", "Revenue"),
    ("cost_labour", "Labour"),
    ("cost_channels", "Channels"),
    ("cost_turnover", "Hiring and replacement"),
    ("cac_spent", "Winning customers (CAC)"),
    ("contribution", "Contribution"),
)
CUSTOMERS_NOTICE = {
    "proactive_completed_share": "planned work done, %",
    "executive_contact_mean": "executive contact",
    "satisfaction_mean": "satisfaction",
}
NOT_DRAWN = ("arr_up_for_renewal", "arr_lost_at_renewal")
GUARDS = ("logo_churn_per_year",)
ASSUMPTIONS_SHOWN = 12


def show(answer: Answer) -> None:
    """The whole answer, from the sentence down to all indicators."""
    view = view_of(answer)
    if failures := answer.comparison.failures:
        st.warning("Some replications could not be had; the numbers rest on the others.")
        st.code("\n".join(failures), language=None, wrap_lines=True)
    _sentence(view)
    _headline(view)
    _why(view)
    _when(view)
    _who(view)
    _cost(view)
    _how_sure(view)
    _everything(view)
    downloads.show(answer)


def _sentence(view: View) -> None:
    decision = view.result["decision"][0]
    verdict = str(decision["verdict"])
    said = view.comparison.decisions[0].sentence
    box = VERDICT_BOXES.get(verdict, st.info)
    box(f"**{verdict[:1].upper()}{verdict[1:]}**  \n{words.escape(said)}")
    if (pays := view.comparison.quarters.paybacks[0]) is not None:
        st.markdown(f":material/savings: {words.escape(pays.sentence)}")
    for scenario, found in zip((view.after, view.before), reversed(view.comparison.alerts[:2]), strict=True):
        for alert in found:
            st.warning(
                f"**{words.escape(scenario['name'])}**: {words.escape(alert.sentence)}", icon=":material/warning:"
            )
    st.caption(
        f"{words.escape(view.after['name'])} against {words.escape(view.before['name'])},"
        f" {words.counted(view.after['replications'], 'paired replication')}. {words.escape(_change(view))}"
    )


def _change(view: View) -> str:
    """The change in words; without the share of the contacts, which the question's sentence has from a shorter look."""
    return " ".join(change_sentences(view.answer.chosen.before, view.answer.chosen.after))


def _headline(view: View) -> None:
    names = ["arr_churn_per_year", "contribution", *(f"{team}.burnout_mean" for team in view.teams)]
    names = [name for name in names if name in view.differences]
    for first in range(0, len(names), CARDS_PER_ROW):
        row = names[first : first + CARDS_PER_ROW]
        for column, name in zip(st.columns(CARDS_PER_ROW), row, strict=False):
            with column:
                _card(view, name)
    st.caption(
        "Each strip shows the difference to the baseline and its adjusted interval, against zero. Burnout is"
        " simulated, from 0 to 1; it is not a statement about a person."
    )


def _card(view: View, name: str) -> None:
    kpi, difference = view.kpis[name], view.differences[name]
    before, after = view.before["kpis"][name], view.after["kpis"][name]
    with st.container(border=True, height="stretch"):
        st.metric(
            kpi.label + (f", {view.weeks} weeks" if words.is_money(kpi.unit) and "per" not in kpi.unit else ""),
            words.value(after["mean"], kpi.unit),
            words.value(difference["mean"], kpi.unit, difference=True),
            delta_color=words.colour(difference),
            delta_arrow="off",
            delta_description=words.verdict(difference),
            help=f"{_upper(words.formula(kpi.definition))} Covers {kpi.covers}.",
        )
        row = view.dot(name, "")
        if row is not None:
            view.chart(f"strip {name}", lambda: charts.strip(row))
        st.caption(
            f"Baseline {words.value(before['mean'], kpi.unit)} ({words.span(before['ci95'], kpi.unit)})  \n"
            f"What-if {words.span(after['ci95'], kpi.unit)}  \n"
            f"Difference {words.span(difference['ci95_adjusted'], kpi.unit, difference=True)}"
            + (f"  \n{_upper(more)}" if (more := words.more_replications(difference)) else "")
        )


def _why(view: View) -> None:
    st.subheader("Why")
    st.markdown(words.escape(view.comparison.decisions[0].why))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Churn by what drives it**, percentage points a year")
        rows = [view.dot(f"churn_per_year.{driver}", DRIVER_WORDS[driver]) for driver in DRIVERS]
        _dot_plot(view, rows, "points a year", "drivers")
    with right:
        st.markdown("**What moves on the way there**")
        names = [*ON_THE_WAY, *(f"{team}.{name}" for team in view.teams for name in TEAM_ON_THE_WAY)]
        tables.show_few(view, [name for name in names if name in view.differences])


def _when(view: View) -> None:
    st.subheader("When")
    series, start = view.comparison.series, view.answer.chosen.before.start
    changes = sorted({phase.start for phase in phases(view.answer.chosen.after)[1:]})
    st.markdown(
        f":gray[**▬ {words.escape(view.before['name'])}**] &nbsp; :orange[**▬ {words.escape(view.after['name'])}**]"
        " &nbsp; week by week, with 95 % intervals; the dotted line is where the what-if begins."
    )

    def draw(title: str, bands: Sequence[Band], key: str, **look: Any) -> None:
        named = dict(zip((view.before["name"], view.after["name"] + "​"), bands, strict=True))
        view.chart(f"weekly {key}", lambda: charts.weekly(title, start, named, changes, **look))

    columns = st.columns(len(view.teams), gap="large")
    for column, team in zip(columns, view.teams, strict=True):
        title = team_title(team)
        with column:
            of = [
                {m: series.team(name, team, m) for m in ("load", "burnout", "wait_mean_minutes")} for name in view.names
            ]
            draw(f"{title}: load", [one["load"] for one in of], f"load {team}", unit="%", share=True, level=1.0)
            draw(f"{title}: simulated burnout", [one["burnout"] for one in of], f"burnout {team}", unit="0 to 1")
            waits = [one["wait_mean_minutes"] for one in of]
            draw(f"{title}: customers' wait", waits, f"wait {team}", unit="minutes")
    _arrivals(view)
    left, middle, right = st.columns(3, gap="large")
    with left:
        lost = [series.company(name, "departures") for name in view.names]
        draw("Accounts lost since the start", lost, "lost", unit="accounts")
    with middle:
        fewer = series.company_change(view.names[1], "departures")
        more = {"accounts lost more": fewer}
        look: dict[str, Any] = {"unit": "accounts", "level": 0.0, "colours": [charts.AFTER], "signed": True}
        title = "The difference in accounts lost"
        view.chart("weekly lost difference", lambda: charts.weekly(title, start, more, changes, **look))
    with right:
        done = [series.company(name, "planned_work_done_share") for name in view.names]
        draw("Planned work that got done", done, "planned", unit="%", share=True, level=1.0)
    st.caption(
        "Load: hours on contacts, overtime included, over hours on duty. Waits: minutes on the clock for live"
        " channels, working minutes for others, by the week in which the customer asked; the last weeks miss what is"
        " still open. Planned work of the last weeks is still open and has no verdict."
    )


def _arrivals(view: View) -> None:
    """The quarter in which each effect arrives, the earliest first."""
    quarters = view.comparison.quarters
    rows = [one for one in quarters.arrivals[0] if one.effect.name not in NOT_DRAWN]
    if all(change.ci95_adjusted is None for one in rows for change in one.changes):
        return
    rows.sort(key=lambda one: len(quarters.starts) if one.quarter is None else one.quarter)
    st.markdown("**When each effect arrives**: differences by quarter, the earliest first")
    view.chart("arrivals", lambda: charts.arrivals(rows, quarters.starts))
    st.caption(
        "Quarters of 13 weeks. Grey: it cannot be told from chance yet. Coloured from the first quarter whose interval"
        f" excludes 0, after which the difference keeps its side; the intervals allow for looking at all"
        f" {len(quarters.starts)}. Burnout is simulated; it is not a statement about a person."
    )


def _who(view: View) -> None:
    st.subheader("Who pays, who gains")
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**ARR churn by tier**, percentage points a year")
        rows = [view.dot(f"tier.{tier}.arr_churn_per_year", tier_title(tier)) for tier in view.tiers]
        _dot_plot(view, rows, "points a year", "tiers")
    with right:
        st.markdown("**What customers of each tier notice**, scores from 0 to 1")
        labels = {
            f"tier.{tier}.{kind}": f"{tier_title(tier)} {said}"
            for tier in view.tiers
            for kind, said in CUSTOMERS_NOTICE.items()
        }
        tables.show_few(view, [name for name in labels if name in view.differences], labels)
    st.markdown("**How burnout is spread over people**: simulated, not a statement about a person")
    people = tables.people_table(view.comparison)
    st.dataframe(
        people,
        hide_index=True,
        width="stretch",
        height=tables.whole(people),
        column_config={"People": st.column_config.TextColumn(width=tables.LABEL_PIXELS)},
    )
    st.caption(
        "The people of all replications together, each with the mean burnout of their weeks; 95 % intervals over"
        " replications. The mean of a team can hide its worst-off tenth."
    )


def _cost(view: View) -> None:
    st.subheader("What it costs")
    currency = view.answer.chosen.before.currency
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**Money over {view.weeks} weeks**, differences in thousand {currency}")
        rows = [row for name, label in MONEY if (row := view.dot(name, label)) is not None]
        rows = [_thousands(row) for row in rows]
        _dot_plot(view, rows, f"thousand {currency}", "money")
        st.caption(
            "Contribution is revenue × gross margin less all costs and CAC. More revenue is to the right, and so is"
            " more cost."
        )
    with right:
        st.markdown(f"**Where the costs move**, mean, thousand {currency}")
        tenths = {name: st.column_config.NumberColumn(format="%.1f") for name in ("Baseline", "What-if", "Difference")}
        st.dataframe(tables.cost_moves(view), hide_index=True, width="stretch", column_config=tenths)
        st.caption("Cost of a team's time by what it was spent on; idle time and shrinkage are paid too.")


def _how_sure(view: View) -> None:
    st.subheader("How sure")
    st.markdown(words.escape(view.comparison.decisions[0].note))
    if view.comparison.looks.number > 1:
        st.caption(words.escape(view.comparison.looks.sentence))
    runs.ends(view.answer, lambda found: _ends(view, found))
    rows = [row for row in evidence(view.answer.chosen.after).values() if row.label == "assumption" and row.is_estimate]
    rows.sort(key=lambda row: -row.relative_width)
    with st.expander(f"All {len(rows)} assumptions, the least known first"):
        frame = pd.DataFrame(
            {
                "Input": [row.path for row in rows],
                "Value": [_plain_number(row.value) for row in rows],
                "Low": [row.low for row in rows],
                "High": [row.high for row in rows],
                "Unit": [row.unit for row in rows],
                "Where it comes from": [row.source for row in rows],
            }
        )
        st.dataframe(frame, hide_index=True, width="stretch", height=36 * ASSUMPTIONS_SHOWN)


def _ends(view: View, ends: Ends) -> None:
    """The answer at both ends of the assumptions, beside the one as shipped."""
    corners = (
        ("As they are", view.comparison),
        (f"All {ends.moved} at their low ends", ends.low),
        (f"All {ends.moved} at their high ends", ends.high),
    )
    rows, dots = [], []
    for label, comparison in corners:
        difference = comparison.to_dict()["differences"][0]["kpis"]
        kpi = comparison.registry["contribution"]
        dots.append(charts.dot(kpi, label, difference["contribution"]))
        rows.append(
            {
                "Assumptions": label,
                "Decision": comparison.decisions[0].verdict,
                **{
                    comparison.registry[name].label: _with_interval(difference[name], comparison.registry[name].unit)
                    for name in ("contribution", *GUARDS, *(f"{team}.burnout_high_share" for team in view.teams))
                },
            }
        )
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    known = [_thousands(row) for row in dots if row is not None]
    _dot_plot(view, known, f"thousand {view.answer.chosen.before.currency} of contribution", "ends")
    st.caption(
        "All low and all high are two corners of what is possible, not its limits. Contact rates and the handle times"
        " of planned work are scaled there so that the teams begin with as much work as they have."
        f" {words.counted(ends.low.scenarios[0].replications, 'replication')} each;"
        f" {len(ends.left_out)} assumptions stay where they are, because they are profiles, because a scenario sets"
        " them, or because their ends would contradict something else."
    )


def _with_interval(difference: Mapping[str, Any], unit: str) -> str:
    """'+0.4 points (-0.2 to +1.0)': a difference with its adjusted interval."""
    mean = words.value(difference["mean"], unit, difference=True)
    return f"{mean} ({words.plain_span(difference['ci95_adjusted'], unit, difference=True)})"


def _everything(view: View) -> None:
    with st.expander("All indicators"):
        st.caption("Differences of shares (%) are in percentage points. The adjusted interval decides the verdict.")
        st.dataframe(
            tables.table(view.before, view.after, view.differences, view.kpis),
            hide_index=True,
            width="stretch",
            height=560,
            column_config={"Indicator": st.column_config.TextColumn(pinned=True, width="medium")},
        )


# --- parts ------------------------------------------------------------------------------------------------


def _dot_plot(view: View, rows: Sequence[charts.Dot | None], unit: str, key: str) -> None:
    known = [row for row in rows if row is not None]
    if known:
        view.chart(f"dots {key}", lambda: charts.dot_plot(known, unit))
    else:
        st.caption("One replication has no interval to draw.")


def _thousands(row: charts.Dot) -> charts.Dot:
    low, high = row.interval
    return charts.Dot(row.label, row.mean / 1000, (low / 1000, high / 1000), row.colour, row.text)


def _plain_number(value: Any) -> str:
    return ", ".join(f"{one:g}" for one in value) if isinstance(value, tuple) else f"{value:g}"


def _upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
