"""The page "Who is at risk": every account of the opening book with what to do next, and the calendar of renewals.

In: the risk reports of the comparison that the page "Decide" has run. Out: a table, a chart, downloads.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from planner import charts, inputs, runs, words
from planner.page_job import DECISION
from sim.study.csv_text import csv_text, harmless
from sim.study.kpis import tier_title
from sim.study.risk import Means, RiskReport

EVERYBODY = "Everybody"
TABLE_PIXELS = 560
PERCENT = "%.1f %%"
LOSS_ENDS = ["expected_arr_loss_low", "expected_arr_loss_high"]


def show() -> None:
    """Draws the page."""
    st.title("Who is at risk?")
    runs.collect()
    chosen = inputs.current()
    if chosen is not None:
        DECISION.find_again(chosen.key)
    answer = st.session_state.get("shown") if chosen is None else runs.ANSWERS.get(chosen.key)
    if answer is None:
        st.write(
            "Each account of the opening book: how likely it would sign a renewal today, why it might not, and what to"
            " do next. The figures come from the simulation of the scenarios chosen on the page Decide."
        )
        runs.buttons(chosen)
    DECISION.show()
    if answer is None:
        return
    if chosen is None:
        runs.mark_stale()
    if answer.comparison.failures:
        st.warning("Some replications could not be had; the numbers rest on the others.")
    reports: Mapping[str, RiskReport] = {report.scenario: report for report in answer.comparison.risk or ()}
    name = st.segmented_control(
        "Scenario", list(reports), default=next(iter(reports)), required=True, format_func=words.escape
    )
    report = reports[name or next(iter(reports))]
    _summary(report)
    _table(report)
    _calendar(report)


def _summary(report: RiskReport) -> None:
    unit = f"{report.currency} per year"
    count, arr = len(report.accounts), float(report.accounts.arr_per_year.sum())
    leaving, lost = report.leaving.clipped(), report.arr_leaving.clipped()
    histories = f"{report.replications:,} simulated {'history' if report.replications == 1 else 'histories'}"
    st.markdown(
        f"Of **{words.counted(count, 'account')}** with **{words.value(arr, unit)}**,"
        f" **{float(leaving.mean):.0f}**{_interval(leaving, '')} are expected to have left after"
        f" {report.horizon_weeks} weeks, and with them"
        f" **{words.value(float(lost.mean), unit)}**{_interval(lost, unit)}. From {histories}; intervals at 95 %,"
        " chance only."
    )


def _interval(total: Means, unit: str) -> str:
    """The interval of a figure of the whole book in brackets; empty after one history."""
    ends = [float(total.low), float(total.high)]
    return "" if np.isnan(ends).any() else f" ({words.span(ends, unit)})"


def _table(report: RiskReport) -> None:
    frame = report.to_frame().iloc[report.accounts.worst_first()]
    left, middle, right = st.columns([2, 2, 3])
    with left:
        tiers = st.multiselect("Tiers", list(report.tiers), format_func=tier_title, placeholder="All tiers")
    with middle:
        owners = sorted({owner for owner in frame["owner"] if owner})
        owner = st.selectbox("Owner", [EVERYBODY, *owners])
    with right:
        sought = st.text_input("Account or name", placeholder="part of an id or a name")
    if tiers:
        frame = frame[frame["tier"].isin(tiers)]
    if owner != EVERYBODY:
        frame = frame[frame["owner"] == owner]
    if sought:
        text = (frame["account"] + " " + frame["name"]).str.casefold()
        frame = frame[text.str.contains(sought.casefold(), regex=False)]
    st.dataframe(
        shown_rows(frame),
        hide_index=True,
        width="stretch",
        height=TABLE_PIXELS,
        column_config={
            "Account": st.column_config.TextColumn(pinned=True),
            "ARR": st.column_config.NumberColumn(f"ARR ({report.currency})", format="localized"),
            "Renewal": st.column_config.DateColumn(format="D MMM YYYY"),
            "Would sign": st.column_config.ProgressColumn(
                "Would sign today (%)",
                format=PERCENT,
                min_value=0,
                max_value=100,
                help="If a renewal contract were submitted on the first day: how likely would they sign?",
            ),
            "Interval": st.column_config.TextColumn(
                help="95 % interval of that mean over the simulated histories: chance only."
            ),
            "Left in a year": st.column_config.NumberColumn(
                f"Left in {report.horizon_weeks} weeks (%)",
                format=PERCENT,
                help="Expected share of the histories in which the account has left by then.",
            ),
            "Its interval": st.column_config.TextColumn("Interval", help="95 % interval of that mean: chance only."),
            "Expected loss": st.column_config.NumberColumn(
                f"Expected loss ({report.currency})",
                format="localized",
                help=f"ARR that is lost in {report.horizon_weeks} weeks by leaving, on average.",
            ),
            "Loss interval": st.column_config.TextColumn("Interval", help="95 % interval of that mean: chance only."),
            "Due": st.column_config.DateColumn(format="D MMM YYYY"),
        },
    )
    st.caption(
        f"{words.counted(len(frame), 'account')}, the largest expected loss first. An account with a high chance to"
        " sign today may still be at risk before its renewal: intent builds over the contract's term."
    )
    whole = len(frame) == len(report.accounts)
    st.download_button(
        "All accounts as CSV" if whole else "These accounts as CSV",
        lambda: csv_text(list(frame.columns), frame.itertuples(index=False, name=None)),
        file_name="accounts_at_risk.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/table:",
    )


def shown_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The report's columns as the page shows them: probabilities in per cent, money in whole units."""

    def percent(name: str) -> pd.Series:
        return 100 * frame[name].astype(float)

    def interval(name: str) -> list[str]:
        ends = zip(percent(f"{name}_low"), percent(f"{name}_high"), strict=True)
        return [words.MISSING if np.isnan([a, b]).any() else f"{a:.1f} to {b:.1f} %" for a, b in ends]

    return pd.DataFrame(
        {
            "Account": frame["account"].map(harmless),  # a table has a download button of its own
            "Name": frame["name"].map(harmless),
            "Tier": [tier_title(tier) for tier in frame["tier"]],
            "Owner": frame["owner"].map(harmless),
            "ARR": frame["arr_per_year"].round(),
            "Renewal": frame["renewal"],
            "Next action": frame["next_action"],
            "Due": frame["next_action_due"],
            "Would sign": percent("would_sign"),
            "Interval": interval("would_sign"),
            "Left in a year": percent("leaves"),
            "Its interval": interval("leaves"),
            "Expected loss": frame["expected_arr_loss"].astype(float).round(),
            "Loss interval": [
                words.MISSING if np.isnan(ends).any() else words.plain_span(ends, currency)
                for currency, *ends in frame[["currency", *LOSS_ENDS]]
                .astype(dict.fromkeys(LOSS_ENDS, float))
                .to_numpy()
            ],
            "Main driver": frame["main_driver_means"],
        }
    ).drop(columns=[] if frame["name"].any() else ["Name"])


def _calendar(report: RiskReport) -> None:
    st.subheader("Renewal calendar")
    calendar = report.calendar
    st.markdown(f"**ARR up for renewal by month and tier**, thousand {report.currency} a year")
    names = [tier_title(tier) for tier in calendar.tiers]
    st.plotly_chart(
        charts.stacked_months(calendar.months, names, calendar.arr_up / 1000, calendar.arr_loss.clipped().mean / 1000),
        key="calendar",
        config=charts.CONFIG,
    )
    st.caption(
        "Bars: contracts of the opening book that end in the month, later terms included, mean over the histories."
        " Line: ARR expected to be lost at these renewals."
    )
    with st.expander("The calendar as a table"):
        frame = calendar_rows(report)
        money = {name: st.column_config.NumberColumn(format="localized") for name in frame.columns[3:]}
        st.dataframe(frame, hide_index=True, width="stretch", column_config=money)
        st.download_button(
            "Calendar as CSV",
            lambda: csv_text(list(frame.columns), frame.itertuples(index=False, name=None)),
            file_name="renewal_calendar.csv",
            mime="text/csv",
            on_click="ignore",
            icon=":material/table:",
        )


def calendar_rows(report: RiskReport) -> pd.DataFrame:
    """The calendar as the page shows it: a row per month and tier, money in whole units of the currency."""
    frame, currency = report.calendar.to_frame(), report.currency
    return pd.DataFrame(
        {
            "Month": frame["month"],
            "Tier": [tier_title(tier) for tier in frame["tier"]],
            "Renewals": frame["renewals"].round(1),
            f"ARR up for renewal ({currency})": frame["arr_up_for_renewal"].round(),
            f"Expected loss ({currency})": frame["expected_arr_loss"].astype(float).round(),
            "95 % from": frame[LOSS_ENDS[0]].astype(float).round(),
            "95 % to": frame[LOSS_ENDS[1]].astype(float).round(),
        }
    )
