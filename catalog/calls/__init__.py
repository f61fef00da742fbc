"""The call store: every request to a model and its answer, written before the answer is used.

A call is known by what was asked of which model, not by where that model is served: the same question is never paid for
twice, by any process on the same home folder, or any machine on the same PostgreSQL catalogue, and a run that died goes
on where it stopped.
"""

from catalog.calls.call import (
    Attribution,
    Call,
    Known,
    as_json,
    attribution,
    current_attribution,
)
from catalog.calls.opening import calls_in_duckdb, calls_path, open_store
from catalog.calls.store import CallStore, Landed

__all__ = [
    "Attribution",
    "Call",
    "CallStore",
    "Known",
    "Landed",
    "as_json",
    "attribution",
    "calls_in_duckdb",
    "calls_path",
    "current_attribution",
    "open_store",
]
