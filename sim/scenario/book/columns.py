"""Which column may be what: the standard names, and a guess by the names that exports usually have.

In: the header of an account list. Out: a `Mapping`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sim.scenario.book.cells import Unreadable, day_number
from sim.scenario.book.csv_table import TextTable, read_table
from sim.scenario.book.mapping import DATE_FORMATS, Columns, Drop, Mapping, TermRule
from sim.scenario.errors import ScenarioError

USUAL = {
    "account": (
        "account", "account_id", "accountid", "customer_id", "client_id", "company_id", "crm_id", "id", "customer",
        "client", "account_name",
    ),
    "name": ("name", "account_name", "company", "company_name", "customer_name", "client_name", "customer", "client"),
    "tier": ("tier", "segment", "plan", "plan_tier", "plan_name", "edition", "package"),
    "arr_per_year": (
        "arr_per_year", "arr", "arr_amount", "acv", "annual_recurring_revenue", "annual_value", "yearly_value",
    ),
    "mrr": ("mrr", "mrr_amount", "monthly_recurring_revenue", "monthly_value"),
    "seats": ("seats", "seat_count", "licenses", "licences", "users", "quantity"),
    "start": (
        "start", "start_date", "contract_start", "subscription_start", "customer_since", "signup_date", "created",
        "created_at",
    ),
    "end": ("end", "end_date", "cancelled_at", "canceled_at", "churn_date", "ended_at"),
    "term_months": ("term_months", "term", "contract_term", "contract_months", "contract_term_months"),
    "billing": ("billing", "billing_frequency", "billing_period", "billing_interval", "billing_cycle"),
    "renewal": ("renewal", "renewal_date", "next_renewal", "contract_end", "contract_end_date", "expiry_date"),
    "owner": ("owner", "csm", "csm_owner", "csm_name", "account_owner", "account_manager", "customer_success_manager"),
}  # fmt: skip
TRIALS = ("is_trial", "trial")


def standard_mapping(header: Sequence[str]) -> Mapping:
    """The mapping of a file whose columns are called as the mapping's fields are; what is needed is expected."""
    there = {name: name for name in Columns.model_fields if name in header}
    there["account"] = "account"
    if "arr_per_year" in there or "mrr" not in there:
        there["arr_per_year"] = "arr_per_year"
        there.pop("mrr", None)
    if not {"start", "renewal"} & set(there):
        there["start"] = "start"
    if "term_months" in there or "billing" not in there:
        there["term_months"] = "term_months"
        there.pop("billing", None)
    there["tier"] = "tier"
    return Mapping(columns=Columns(**there))


def guess_mapping(data: bytes, file_name: str) -> Mapping:
    """What the columns of a CSV file most likely are, by their names; a proposal to look through, not to trust.

    Raises ScenarioError if the bytes are no table.
    """
    table, problems = read_table(data, file_name)
    if table is None:
        raise ScenarioError(problems)
    by_name: dict[str, str] = {}
    for name in table.header:
        if len(name) <= 200:
            by_name.setdefault(re.sub(r"\W+", "_", name.casefold()).strip("_"), name)
    found: dict[str, str] = {}
    for field, names in USUAL.items():
        column = next((by_name[one] for one in names if one in by_name), None)
        if column is not None and column not in found.values():
            found[field] = column
    found.setdefault("account", table.header[0][:200] or "account")
    if "arr_per_year" in found:
        found.pop("mrr", None)
    if "term_months" in found:
        found.pop("billing", None)
    no_term = not {"term_months", "billing"} & set(found)
    trial = next((by_name[one] for one in TRIALS if one in by_name), None)
    accounts = table.column(found["account"]) if table.header.count(found["account"]) == 1 else []
    trials = [Drop.model_validate({"column": trial, "is": ["true", "yes", "1"]})] if trial else []
    return Mapping(
        columns=Columns(**found),
        term=TermRule(months=12) if no_term else None,
        drop=trials,
        date_format=_date_format(table, [found[name] for name in ("start", "end", "renewal") if name in found]),
        several_rows="sum" if len(set(accounts)) < len(accounts) else "refuse",
    )


def _date_format(table: TextTable, columns: Sequence[str]) -> str | None:
    """The only format in which all dates of some columns can be read; None if that is the usual one, or is unclear."""
    cells = {cell for column in columns if table.header.count(column) == 1 for cell in table.column(column)} - {""}
    fitting = [one for one in DATE_FORMATS if cells and all(_fits(cell, one) for cell in cells)]
    return fitting[0] if len(fitting) == 1 else None


def _fits(cell: str, date_format: str) -> bool:
    try:
        day_number(cell, date_format)
    except Unreadable:
        return False
    return True
