"""Looking often is paid for, studies end when they know enough, and an early end changes no figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml
from small import SCENARIOS, SMALL, put, values_of

from sim.scenario import Scenario, load_scenario_text
from sim.study import studies
from sim.study.errors import StudyInputError
from sim.study.executors import InThisProcess
from sim.study.experiment import compare, run
from sim.study.kpis import Kpi
from sim.study.looks import Looks, Precision, planned_looks, precision_looks, reached, read_precision
from sim.study.results import Comparison
from sim.study.statistics import ALPHA, compare_kpis, spent
from sim.study.store import Store
from sim.study.worker import Job

KPI = Kpi("money", "Money", "USD", "all", "higher", "", matters=2.0)


@cache
def small(name: str = "small", csms: int = 1) -> Scenario:
    values = put(values_of(), SMALL | {"weeks": 4, "teams.csm.headcount": csms})
    return load_scenario_text(yaml.safe_dump(values | {"name": name}, sort_keys=False), "small.yaml", SCENARIOS)


class Counting(InThisProcess):
    """Notes which replications are computed, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.replications: list[int] = []

    def submit(self, job: Job, replications: Iterable[int]) -> None:
        wanted = list(replications)
        self.replications += wanted
        super().submit(job, wanted)


def test_the_errors_of_all_looks_together_are_five_in_a_hundred() -> None:
    shares = [spent(look) for look in range(1, 10_001)]
    assert ALPHA * 0.9999 < sum(shares) < ALPHA, "the rest is that of later looks"
    assert shares == sorted(shares, reverse=True)


def test_looks_are_at_ten_twenty_forty_and_at_the_end() -> None:
    assert planned_looks(100) == (range(10), range(10, 20), range(20, 40), range(40, 80), range(80, 100))
    assert planned_looks(40) == (range(10), range(10, 20), range(20, 40))
    assert planned_looks(7) == (range(7),)


def test_precision_is_first_looked_at_after_twenty() -> None:
    assert precision_looks(45) == (range(20), range(20, 30), range(30, 40), range(40, 45))
    assert precision_looks(20) == (range(20),)


def test_a_later_look_at_the_same_figures_has_wider_intervals() -> None:
    luck = np.random.default_rng(1)
    before = {"money": luck.normal(100, 5, 10)}
    after = {"money": before["money"] + luck.normal(3, 2, 10)}
    first, second = (compare_kpis({"money": KPI}, before, [after], look)[0]["money"] for look in (1, 2))
    assert first.ci95 == second.ci95, "the pointwise interval is for who looks once"
    assert first.ci95_adjusted is not None
    assert second.ci95_adjusted is not None
    assert second.ci95_adjusted[0] < first.ci95_adjusted[0]
    assert second.ci95_adjusted[1] > first.ci95_adjusted[1]


@pytest.mark.parametrize(("mean", "wanted"), [(-200.0, 10.0), (200.0, 10.0), (0.0, 2.0), (-1.0, 2.0)])
def test_relative_precision_is_of_the_size_and_never_finer_than_what_matters(mean: float, wanted: float) -> None:
    assert Precision("money", 0.05, relative=True).wanted(KPI, mean) == pytest.approx(wanted)


def test_a_negative_mean_does_not_end_a_study() -> None:
    values = np.array([[-300.0, -100.0, -200.0, -200.0]])
    (one,) = reached([Precision("money", 0.05, relative=True)], {"money": KPI}, ["a"], {"money": values})
    assert not one.met


def test_several_figures_are_known_at_once_only_with_wider_intervals() -> None:
    values = np.random.default_rng(2).normal(0, 1, (3, 30))
    asked = [Precision("money", 1.0)]
    alone = reached(asked, {"money": KPI}, ["a", "b"], {"money": values[:2]})
    beside = reached(asked, {"money": KPI}, ["a", "b", "c"], {"money": values})
    assert alone[0].half_width is not None
    assert beside[0].half_width is not None
    assert beside[0].half_width > alone[0].half_width


def test_precision_asked_for_badly_says_how_to_write_it() -> None:
    with pytest.raises(StudyInputError) as raised:
        read_precision(["mony=5%", "money=much", "money=-1"], {"money": KPI})
    how = (
        "cannot be read; write KPI=HALF_WIDTH in the KPI's unit (USD), such as money=0.005, or in per cent of its "
        "mean, such as money=5%."
    )
    assert str(raised.value).splitlines() == [
        "precision: there is no KPI 'mony'; did you mean 'money'?",
        f"precision: money=much {how}",
        f"precision: money=-1 {how}",
    ]


def test_a_study_ends_when_its_decision_is_told() -> None:
    pool = Counting()
    found = compare(small(), small("three more", 4), replications=60, until_told=True, pool=pool)
    assert found.decisions[0].verdict == "does not pay", "three people for thirty accounts"
    assert pool.replications == list(range(10)), "the first look was enough"
    assert (found.looks, found.provenance.replications) == (Looks(1, (10,)), 10)


def test_a_study_that_cannot_tell_looks_again_and_again_and_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "is_told", lambda contribution: False)
    pool = Counting()
    found = compare(small(), small("hire", 2), replications=45, until_told=True, pool=pool)
    assert pool.replications == list(range(45))
    assert found.looks == Looks(4, (10, 20, 40, 45))


def test_an_early_end_gives_the_same_figures_as_asking_for_so_many() -> None:
    early = compare(small(), small("three more", 4), replications=60, until_told=True, pool=InThisProcess())
    asked = compare(small(), small("three more", 4), replications=10, pool=InThisProcess())
    assert early.to_json() == asked.to_json()


def test_a_study_ends_when_it_is_precise() -> None:
    pool = Counting()
    found = run(small(), replications=60, precision=["logo_churn_per_year=5"], pool=pool)
    assert pool.replications == list(range(20)), "anything is precise enough, but nothing before 20"
    assert found.precision[0].met
    assert found.to_dict()["precision"][0]["kpi"] == "logo_churn_per_year"


def test_a_study_that_is_never_precise_ends_with_its_replications() -> None:
    pool = Counting()
    found = run(small(), replications=25, precision=["logo_churn_per_year=0.000001"], pool=pool)
    assert pool.replications == list(range(25))
    assert not found.precision[0].met


def test_one_replication_alone_is_the_one_of_the_whole_study() -> None:
    whole, alone = (
        run(small(), replications=3, pool=InThisProcess()),
        run(small(), only=2, pool=InThisProcess()),
    )
    assert alone.table.replications == (2,)
    np.testing.assert_array_equal(alone.table.values[:, 0], whole.table.values[:, 2])


def look(store: Store | None, replications: int, *others: Scenario) -> Comparison:
    what_ifs = others or (small("hire", 2),)
    return compare(small(), what_ifs, replications=replications, store=store, pool=InThisProcess())


def test_the_store_counts_looks_and_a_second_one_is_paid_for(tmp_path: Path) -> None:
    kept = Store(tmp_path)
    first, again, second = (look(kept, count) for count in (3, 3, 4))
    assert (first.looks.number, again.looks.number, second.looks.number) == (1, 1, 2)
    assert second.looks.at == (3, 4)
    assert look(kept, 3).looks.number == 1, "what was seen is the same when it is seen again"
    assert look(None, 4).looks.number == 1, "without a store nobody counts"
    alone, paid = (one.differences[0].kpis for one in (look(None, 4), second))
    wider = [name for name in alone if alone[name].ci95_adjusted != paid[name].ci95_adjusted]
    assert "revenue" in wider
    assert all(alone[name].ci95 == paid[name].ci95 for name in alone), "the pointwise ones are for who looks once"


def test_another_scenario_beside_does_not_forget_the_looks(tmp_path: Path) -> None:
    kept = Store(tmp_path)
    look(kept, 3)
    look(kept, 4)
    assert look(kept, 5, small("hire", 2), small("two more", 3)).looks.number == 3
    assert look(kept, 5, small("two more", 3)).looks.number == 1, "asked once, at 5"


def test_pruning_takes_the_looks_with_what_was_looked_at(tmp_path: Path) -> None:
    kept = Store(tmp_path)
    look(kept, 3)
    kept.prune(unused_days=0)
    assert look(kept, 4).looks.number == 1, "the looks go with what was looked at"
    assert list(tmp_path.glob("looks/*.txt"))


def test_looks_that_cannot_be_counted_or_read_are_told(tmp_path: Path) -> None:
    kept = Store(tmp_path)
    look(kept, 3)
    (file,) = tmp_path.glob("looks/*.txt")
    file.write_text(file.read_text() + "9" * 5000 + "\n")
    assert look(kept, 4).looks.number == 2, "what can be read counts"
    assert any("is damaged" in problem for problem in kept.problems)
    for path in (file, file.parent):
        path.unlink() if path.is_file() else path.rmdir()
    file.parent.write_text("no folder")
    again = Store(tmp_path)
    look(again, 4)
    assert any("This look is not counted" in problem for problem in again.problems)


def test_a_what_if_that_brings_a_team_forgets_no_look(tmp_path: Path) -> None:
    kept = Store(tmp_path)
    look(kept, 3)
    brought = small("with a partner", 2)
    team = brought.teams["support"].model_copy(update={"opening_burnout": 0.0})
    other = brought.model_copy(update={"teams": {**brought.teams, "partner": team}})
    assert look(kept, 4, small("hire", 2), other).looks.number == 2


def test_earlier_looks_are_told() -> None:
    assert Looks(1, (30,)).sentence == ""
    assert "look 2 at this question (after 10, 30 replications)" in Looks(2, (10, 30)).sentence
    assert f"{100 * spent(2):.2g} %" in Looks(2, (10, 30)).sentence


def test_two_ways_to_end_are_one_too_many() -> None:
    with pytest.raises(StudyInputError, match="only one can be meant"):
        compare(small(), small("hire", 2), until_told=True, precision=["contribution=5%"])


def test_looks_of_the_ends_are_their_own() -> None:
    found = look(None, 3)
    assert replace(found, looks=Looks(2, (2, 3))).to_dict()["looks"] == {"number": 2, "at": [2, 3], "alpha": spent(2)}
