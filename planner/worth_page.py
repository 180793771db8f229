"""The page "What the team is worth": what each tier gains by it, prevention beside firefighting, in plain sentences.

In: the baseline that is chosen on the page "Decide". Out: two charts, sentences, a table, downloads. The comparison is
a job of its own, outside the script's run; whoever comes back to the same question finds it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from planner import charts, inputs, jobs, runs, slips, words, workers
from planner.inputs import Chosen
from planner.page_job import PageJob
from sim.study.csv_text import csv_text, harmless
from sim.study.next_action import plain_date
from sim.study.statistics import Estimate, Interval

if TYPE_CHECKING:
    from sim.study.worth import Gain, Piece, Worth

MOST_REPLICATIONS = 30  # five scenarios each: more of them take longer than a reader waits
WITH_PAYROLL = ("team", "one_person")
JOB = PageJob("worth", "It could not be told:")
WORTHS: runs.Store[Worth] = runs.Store()


def show() -> None:
    """Draws the page."""
    st.title("What is the team worth?")
    chosen = inputs.current()
    key = None if chosen is None else key_of(chosen)
    if st.session_state.get("worth question", key) != key:
        JOB.unsay()  # it was said of another company
    st.session_state["worth question"] = key
    JOB.collect()
    found = WORTHS.get(key) if key else st.session_state.get("worth shown")
    if found is None and key:
        JOB.find_again(key)
    if found is None:
        st.write(
            "The company against itself without the team, with one person fewer, without planned work (prevention) and"
            " without firefighting: accounts and ARR kept, what that costs, and the risk that is left, by tier. The"
            " company is the baseline chosen on the page Decide."
        )
        if JOB.asked() and chosen is not None and not JOB.job:
            JOB.start(key_of(chosen), work(chosen))
        with st.container(horizontal=True):
            JOB.buttons(ready=chosen is not None)
    if chosen is not None:
        slips.show({chosen.draft.baseline: chosen.before})
    JOB.show()
    if found is not None:
        st.session_state["worth shown"] = found
        if chosen is None:
            runs.mark_stale()
        _answer(found)


def key_of(chosen: Chosen) -> str:
    """Names the inputs of the answer: the baseline, how often, with which luck."""
    text = f"{chosen.before.model_dump_json()}\n{_replications(chosen)}\n{chosen.draft.seed}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _replications(chosen: Chosen) -> int:
    return min(chosen.draft.replications, MOST_REPLICATIONS)


# --- the job ----------------------------------------------------------------------------------------------


def work(chosen: Chosen) -> jobs.Work:
    """What a job does to answer the question."""

    def tell(report: Callable[[jobs.Progress], None], stop: threading.Event) -> Worth:
        from sim.study.experiment import worth

        found = worth(
            chosen.before,
            replications=_replications(chosen),
            seed=chosen.draft.seed,
            progress=report,
            cancel=stop.is_set,
            pool=workers.pool(),
        )
        WORTHS.keep(key_of(chosen), found)
        return found

    return tell


# --- the answer -------------------------------------------------------------------------------------------


def _answer(worth: Worth) -> None:
    if worth.failures:
        st.warning("Some replications could not be had; the numbers rest on the others.")
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown("**Accounts kept, by tier**")
        st.plotly_chart(charts.kept_by_tier(*_bars(worth)), key="kept", config=charts.CONFIG)
    with right:
        st.markdown(f"**Cost per account kept**, thousand {worth.currency}")
        if rows := _costs(worth):
            st.plotly_chart(charts.cost_per_account(rows), key="cost per account", config=charts.CONFIG)
        else:
            st.caption("It cannot be told of any of them.")
    st.markdown("\n".join(f"- {words.escape(sentence)}" for sentence in worth.sentences))
    many = words.counted(worth.replications, "paired replication")
    st.caption(
        f"{words.escape(worth.scenario)} against itself without each of these from {plain_date(worth.day)} on;"
        f" {many}. Departures are expected ones; intervals at 95 %, chance only. Costs of a tier are the hours and"
        " channels of its contacts; a whole team or person costs everything that is paid."
    )
    with st.expander("By tier, as a table"):
        frame = table(worth)
        st.dataframe(frame, hide_index=True, width="stretch")
        with st.container(horizontal=True):
            st.download_button(
                "Worth as CSV",
                lambda: csv_text(list(frame.columns), frame.itertuples(index=False, name=None)),
                file_name="team_worth.csv",
                mime="text/csv",
                on_click="ignore",
                icon=":material/table:",
            )
            st.download_button(
                "Worth as JSON",
                worth.to_json,
                file_name="team_worth.json",
                mime="application/json",
                on_click="ignore",
                icon=":material/data_object:",
                help="What `csm-planner worth --json` writes, provenance included.",
            )


def _bars(worth: Worth) -> tuple[list[str], list[str], list[list[float]], list[Interval | None], list[str]]:
    """Titles, tiers, accounts kept (pieces, tiers), intervals of the sums, and what is said of each piece."""
    titles = [piece.title for piece in worth.pieces]
    tiers = [gain.name for gain in worth.pieces[0].tiers]
    values = [[gain.kept.mean or 0.0 for gain in piece.tiers] for piece in worth.pieces]
    said = [f"{_accounts(piece.company.kept)} accounts kept" for piece in worth.pieces]
    return titles, tiers, values, [piece.company.kept.ci95 for piece in worth.pieces], said


def _costs(worth: Worth) -> list[charts.Dot]:
    """A row per piece whose cost per account kept can be told, in thousands."""
    rows = []
    for piece in worth.pieces:
        ratio = total(piece).cost_per_account
        if ratio.value is not None and ratio.ci95 is not None:
            low, high = ratio.ci95
            unit = f"{worth.currency} per account kept"
            text = f"{words.value(ratio.value, unit)} ({words.span(ratio.ci95, unit)})"
            rows.append(charts.Dot(piece.title, ratio.value / 1000, (low / 1000, high / 1000), "gray", text))
    return rows


def total(piece: Piece) -> Gain:
    """What the piece is as a whole: of a team or a person, with everything that is paid."""
    return piece.company if piece.what in WITH_PAYROLL else piece.work


def table(worth: Worth) -> pd.DataFrame:
    """A row per piece and tier, and one for all tiers, as texts."""
    unit, yearly = worth.currency, f"{worth.currency} per year"
    rows = []
    for piece in worth.pieces:
        for gain in (*piece.tiers, total(piece)):
            ratio = gain.cost_per_account
            cost = "cannot tell" if ratio.value is None else words.value(ratio.value, unit)
            rows.append(
                {
                    "Worth of": harmless(piece.title),
                    "Tier": harmless(gain.name),
                    "Accounts kept": _accounts(gain.kept),
                    "ARR kept": _money(gain.arr_kept, yearly),
                    "Cost": _money(gain.cost, unit),
                    "Cost per account kept": f"{cost} ({words.plain_span(ratio.ci95, unit)})" if ratio.ci95 else cost,
                    "ARR at risk in the end": _money(gain.risk_left, yearly),
                    "ARR at risk without it": _money(gain.risk_without, yearly),
                }
            )
    return pd.DataFrame(rows)


def _accounts(one: Estimate) -> str:
    text = words.plain(one.mean, "accounts")
    return f"{text} ({words.plain_span(one.ci95, 'accounts')})" if one.ci95 else text


def _money(one: Estimate, unit: str) -> str:
    text = words.value(one.mean, unit)
    return f"{text} ({words.plain_span(one.ci95, unit)})" if one.ci95 else text
