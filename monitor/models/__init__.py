"""Nouns: people, runs and their pings, watched hosts and their history, incidents, messages; fields and constraints."""

from monitor.models.alert import Channel, Delivery, Fate, Kind, Occasion
from monitor.models.host import LONGEST, SHORTEST, Family, Host
from monitor.models.incident import Ending, Incident, Note, Transition
from monitor.models.lease import Lease
from monitor.models.maintenance import Maintenance
from monitor.models.minute import Figures, Hour, Minute
from monitor.models.rules import Rules
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
    "Channel", "Delivery", "Ending", "Family", "Fate", "Figures", "Host", "Hour", "Incident", "Kind", "Lease",
    "Maintenance", "Minute", "Note", "Occasion", "Outcome", "Ping", "Rules", "Run", "RunQuerySet", "Transition", "User",
    "insert_pings", "insert_runs", "update_ends",
]  # fmt: skip
