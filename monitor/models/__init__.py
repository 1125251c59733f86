"""Nouns: people, runs and their pings, watched hosts and their history; fields, constraints and querysets."""

from monitor.models.host import LONGEST, SHORTEST, Family, Host
from monitor.models.lease import Lease
from monitor.models.minute import Figures, Hour, Minute
from monitor.models.run import (
    SUMMARY_FIELDS,
    WITH_REPLIES,
    Outcome,
    Ping,
    Run,
    RunQuerySet,
    insert_pings,
    insert_runs,
    update_ends,
)
from monitor.models.user import User

__all__ = [
    "LONGEST", "SHORTEST", "SUMMARY_FIELDS", "WITH_REPLIES",
    "Family", "Figures", "Host", "Hour", "Lease", "Minute", "Outcome", "Ping", "Run", "RunQuerySet", "User",
    "insert_pings", "insert_runs", "update_ends",
]  # fmt: skip
