"""The command `csm-planner`: scenarios checked, run and compared, accounts at risk, stories, queues, the planner.

In: files and options. Out: results on stdout, progress and messages on stderr, files where asked for.
Exit codes: 0 done, 1 a replication, an output file, a row of `verify` or the program failed, 2 bad input (nothing
written), 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from sim import cli_design, cli_erlang, cli_size, cli_store, cli_trace, cli_verify
from sim.cli_errors import BadInput
from sim.cli_list import account_source
from sim.cli_options import (
    AccountsFile,
    ExecutorName,
    JsonFile,
    LedgerFile,
    MappingFile,
    NoStore,
    Only,
    Precision,
    Replications,
    ScenarioFile,
    Scheduler,
    Seed,
    StoreFolder,
    Workers,
    out_of_range,
    raise_for,
    read_day,
)
from sim.cli_study import Asked, carry_out, say
from sim.cli_text import printable

if TYPE_CHECKING:
    from sim.study.results import Comparison, RunResult
    from sim.study.risk import RiskReport
    from sim.study.worth import Worth

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="csm-planner",
    help="What a routing or headcount decision does to churn, cost and burnout.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

CsvFile = Annotated[
    Path | None,
    typer.Option("--csv", metavar="F", help="Write all accounts to a CSV file.", show_default=False),
]
AccountsJsonFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="F", help="Write accounts and calendar to a JSON file.", show_default=False),
]


def _show_version(wanted: bool) -> None:
    if wanted:
        from sim.study.provenance import package_version

        typer.echo(f"csm-planner {package_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    pass


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Scenario files.", show_default=False)],
    accounts: AccountsFile = None,
    mapping: MappingFile = None,
) -> None:
    """Checks scenario files and their lists of accounts; shows everything that is wrong at once."""
    from sim.scenario import Problem, ScenarioError, load_scenario
    from sim.scenario.doubts import doubts

    source = account_source(accounts, mapping)
    problems: dict[Problem, None] = {}
    told: set[tuple[str, ...]] = set()
    for file in files:
        try:
            scenario = load_scenario(file, accounts=source)
        except ScenarioError as error:
            problems |= dict.fromkeys(error.problems)
        else:
            weeks = f"{scenario.weeks} weeks from {scenario.start}"
            typer.echo(printable(f"{file}: valid ({scenario.name}, {weeks})"))
            for doubt in doubts(scenario):
                typer.echo(printable(f"{file}: warning: {doubt}"))
            if scenario.book is not None and scenario.book.summary not in told:
                told.add(scenario.book.summary)
                typer.echo("\n".join(printable(f"  {line}") for line in scenario.book.summary))
    if problems:
        raise ScenarioError(problems)


@app.command()
def run(
    scenario: ScenarioFile,
    replications: Replications = 30,
    seed: Seed = 1,
    workers: Workers = None,
    json: JsonFile = None,
    ledger: LedgerFile = None,
    accounts: AccountsFile = None,
    mapping: MappingFile = None,
    store: StoreFolder = None,
    no_store: NoStore = False,
    executor: ExecutorName = "local",
    scheduler: Scheduler = None,
    precision: Precision = None,
    only: Only = None,
    check_warm_up: Annotated[
        bool, typer.Option("--check-warm-up", help="Run it also with a longer warm-up: does that matter?")
    ] = False,
) -> None:
    """Simulates one scenario and shows its headline KPIs with 95 % intervals."""

    def compute(**how: Any) -> RunResult:
        from sim.study import experiment

        return experiment.run(
            scenario, ledger=ledger, precision=precision or [], only=only, check_warm_up=check_warm_up, **how
        )

    _alone(only, {"--check-warm-up": check_warm_up, "--precision": precision})
    asked = Asked(replications, seed, workers, accounts, mapping, store, no_store, executor, scheduler)
    carry_out(compute, [scenario], asked, json, ledger=ledger)


@app.command()
def compare(
    baseline: Annotated[Path, typer.Argument(metavar="BASELINE", help="Scenario file.", show_default=False)],
    scenarios: Annotated[
        list[Path],
        typer.Argument(metavar="SCENARIO…", help="Files to compare with it.", show_default=False),
    ],
    replications: Replications = 30,
    seed: Seed = 1,
    workers: Workers = None,
    json: JsonFile = None,
    ledger: LedgerFile = None,
    ends: Annotated[
        bool,
        typer.Option("--ends", help="Compare also with all assumptions at their low and at their high ends."),
    ] = False,
    accounts: AccountsFile = None,
    mapping: MappingFile = None,
    store: StoreFolder = None,
    no_store: NoStore = False,
    executor: ExecutorName = "local",
    scheduler: Scheduler = None,
    worlds: Annotated[
        int | None,
        typer.Option("--worlds", metavar="N", help="Compare also in N worlds, assumptions drawn.", show_default=False),
    ] = None,
    until_told: Annotated[
        bool,
        typer.Option("--until-told", help="Look after 10, 20, 40… replications; end when decided."),
    ] = False,
    precision: Precision = None,
    only: Only = None,
) -> None:
    """Compares scenarios with a baseline under the same luck and says whether they pay."""

    def compute(**how: Any) -> Comparison:
        from sim.study import experiment

        found = experiment.compare(
            baseline, scenarios, ledger=ledger, until_told=until_told, precision=precision or [], only=only, **how
        )
        if ends:
            found = _beside(found, "ends", partial(experiment.compare_at_ends, baseline, scenarios), how)
        if worlds is not None:
            found = _beside(
                found, "worlds", partial(experiment.compare_in_worlds, baseline, scenarios, worlds=worlds), how
            )
        return found

    if worlds is not None:
        from sim.study.worlds import WORLDS_RANGE

        raise_for(list(out_of_range("--worlds", worlds, WORLDS_RANGE)))
    _alone(only, {"--ends": ends, "--worlds": worlds, "--until-told": until_told, "--precision": precision})
    if until_told and precision:
        raise BadInput("--until-told and --precision: a study ends for one of them; leave out the other.")
    asked = Asked(replications, seed, workers, accounts, mapping, store, no_store, executor, scheduler)
    carry_out(compute, [baseline, *scenarios], asked, json, ledger=ledger)


def _alone(only: int | None, others: dict[str, object]) -> None:
    """Raises `BadInput` if one replication is wanted, and something that needs more of them."""
    if only is not None:
        raise_for(
            [
                f"--only: {name} needs more than one replication; leave one of them out."
                for name in others
                if others[name]
            ]
        )


def _beside(found: Comparison, what: str, compute: Callable[..., Any], how: dict[str, Any]) -> Comparison:
    """A comparison with its `ends` or `worlds`; whatever happens there, it is kept itself."""
    from sim.scenario import ScenarioError
    from sim.study.errors import Interrupted, PoolError, StudyFailed
    from sim.study.experiment import ENDS_REPLICATIONS, WORLDS_REPLICATIONS

    few = {"ends": min(found.replications, ENDS_REPLICATIONS), "worlds": WORLDS_REPLICATIONS}[what]
    try:
        more = compute(**how | {"replications": few})
    except Interrupted as interrupted:
        raise Interrupted(interrupted.done, interrupted.total, found) from None
    except (ScenarioError, StudyFailed, PoolError) as error:
        name = {"ends": "ends of the assumptions", "worlds": "plausible worlds"}[what]
        return replace(found, failures=(*found.failures, f"The {name} could not be computed: {error}"))
    return replace(found, **{what: more}, failures=(*found.failures, *more.failures))


@app.command()
def accounts(
    scenario: ScenarioFile,
    replications: Replications = 30,
    seed: Seed = 1,
    workers: Workers = None,
    csv: CsvFile = None,
    json: AccountsJsonFile = None,
    accounts: AccountsFile = None,
    mapping: MappingFile = None,
    store: StoreFolder = None,
    no_store: NoStore = False,
    executor: ExecutorName = "local",
    scheduler: Scheduler = None,
) -> None:
    """Lists the accounts at risk: would they sign today, why not, what to do next; and the renewals by month."""

    def compute(**how: Any) -> RiskReport:
        from sim.study import experiment

        return experiment.accounts_at_risk(scenario, **how)

    asked = Asked(replications, seed, workers, accounts, mapping, store, no_store, executor, scheduler)
    carry_out(compute, [scenario], asked, json, csv=csv)


app.command("trace")(cli_trace.trace)


@app.command()
def worth(
    scenario: ScenarioFile,
    replications: Replications = 30,
    seed: Seed = 1,
    workers: Workers = None,
    day: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="DATE", help="From when on it is left out.", show_default="a quarter of the run"
        ),
    ] = None,
    json: JsonFile = None,
    accounts: AccountsFile = None,
    mapping: MappingFile = None,
    executor: ExecutorName = "local",
    scheduler: Scheduler = None,
) -> None:
    """Tells what the team is worth: accounts kept and their cost by tier, prevention beside firefighting."""
    since = read_day(day)

    def compute(*, store: object, **how: Any) -> Worth:
        from sim.study import experiment

        return experiment.worth(scenario, day=since, **how)

    asked = Asked(replications, seed, workers, accounts, mapping, None, True, executor, scheduler)
    carry_out(compute, [scenario], asked, json)


app.command("erlang")(cli_erlang.erlang)
app.command("verify")(cli_verify.verify)
app.add_typer(cli_store.commands)
app.command("size")(cli_size.size)
app.command("study")(cli_design.study)


@app.command("app")
def open_planner(
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="P", help="First port tried.", show_default="8501"),
    ] = None,
) -> None:
    """Serves the planner on this machine, for the browser."""
    page = Path(__file__).resolve().parents[1] / "planner_app.py"
    if not page.is_file():
        raise BadInput(f"{page}: the planner's page is not there; install the package again.")
    os.chdir(page.parent)  # where `planner` is found, and nothing else by that name
    sys.stdout.flush()
    wanted = [] if port is None else ["--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "planner", *wanted])


def execute(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; messages go to stderr, never a traceback.

    arguments : the words after `csm-planner`; by default those of this process.
    """
    try:
        command = typer.main.get_command(app)
        words = sys.argv[1:] if arguments is None else list(arguments)
        code = command.main(args=words or ["--help"], prog_name="csm-planner", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads the results any more; without this Python would complain once more while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the last place where a message can still be made of it
        return _report(error)


def _report(error: Exception) -> int:
    """Prints an error in words and returns the exit code for it."""
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        return _report_usage(error)
    from sim.scenario.errors import ScenarioError
    from sim.study.errors import PoolError, StudyFailed, StudyInputError

    if isinstance(error, BadInput | ScenarioError | StudyInputError):
        say(str(error))
        return BAD_INPUT
    if isinstance(error, OSError | MemoryError):
        say(f"The machine refused: {error or type(error).__name__}.")
        return FAILED
    if isinstance(error, StudyFailed | PoolError):
        say(str(error))
        return FAILED
    say(f"This is a defect of the program: {type(error).__name__}: {error}")
    return FAILED


def _report_usage(error: Any) -> int:
    """Prints what is wrong with the command line, and where help is."""
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if not message:
        return int(error.exit_code)
    say(message)
    if context is not None:
        say(f"See '{context.command_path} --help'.")
    return int(error.exit_code)


def main() -> NoReturn:
    """The entry point of `csm-planner` and of `python -m sim`."""
    sys.exit(execute())
