"""A small account list and its mapping, for tests of reading lists.

In: cells that differ from a good row. Out: rows, and the lists read from them.
"""

from __future__ import annotations

import datetime as dt

from sim.scenario import AccountList, read_accounts, read_mapping

TIERS = ("enterprise", "midmarket", "small")
START = dt.date(2026, 1, 5)
HEADER = "id,company,plan,arr,seats,begin,ends,term,renews,csm,trial\n"
GOOD = "A-1,Alder Ltd,Pro,12000,10,2025-03-01,,12,,Ann,false\n"
MAPPING = """
columns:
  {account: id, name: company, tier: plan, arr_per_year: arr, seats: seats, start: begin, end: ends, term_months: term,
   renewal: renews, owner: csm}
tier: {Pro: midmarket, Basic: small}
drop: [{column: trial, is: [true]}]
"""


def read(data: str | bytes, mapping: str = MAPPING, look_up: bytes | None = None) -> AccountList:
    """The list in the bytes of a file, by a mapping in YAML."""
    found = read_mapping(mapping.encode(), "map.yaml")
    raw = data.encode() if isinstance(data, str) else data
    return read_accounts(
        raw, "list.csv", found, tiers=TIERS, start=START, currency="USD", look_up=look_up, mapping_name="map.yaml"
    )


def row(**cells: str) -> str:
    """The good row with some cells replaced."""
    names, values = HEADER.strip().split(","), GOOD.strip().split(",")
    return ",".join(cells.get(name, value) for name, value in zip(names, values, strict=True)) + "\n"


LOOK_UP = MAPPING.replace(", owner: csm", "") + "look_up: {file: crm.csv, account: aid, columns: {owner: rep}}\n"
ROWS = [
    row(id=f"A-{index}", arr=str(1000 * index + 500), plan="Pro" if index % 3 else "Basic", csm=f"Owner {index % 4}",
        begin=f"2025-0{index % 9 + 1}-11", seats=str(index))
    for index in range(1, 25)
] + [
    row(id="A-3", arr="77", csm="Owner 1", begin="2025-12-01"), row(id="A-4", arr="9", begin="2024-01-01", term="24"),
]  # fmt: skip
