"""What all parts of the property test share."""

import threading

# What a shop's own statements may run into: its own locks, its own unique
# key, its own serialization conflicts, a value its own column refuses.
ALLOWED = {
    "55P03",  # lock_not_available: another session of the shop holds the row
    "40P01",  # deadlock_detected: two multi-row updates of the shop
    "40001",  # serialization_failure
    "23505",  # unique_violation
    "21000",  # ON CONFLICT or MERGE meets a row twice
    "23514",  # no partition takes the row, or it does not fit the one named
}
# A statement that was made before a table was changed, and sent after it.
OUTDATED = {
    "42P01",  # undefined_table
    "42703",  # undefined_column
    "42809",  # wrong_object_type: not a partition any more
    "0A000",  # a cached plan's result changed
    "42P07",  # duplicate_table: two sessions give it the same new name
}


class Failure(Exception):
    """Something that must never happen."""


class Log:
    """The statements of one round, in the order they were sent."""

    def __init__(self):
        self.lines = []
        self.lock = threading.Lock()

    def add(self, who, text):
        with self.lock:
            self.lines.append("%s: %s" % (who, text))
