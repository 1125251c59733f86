"""What is to be told to whom, and when: a row in the outbox for each message."""

import datetime as dt


def plan(now: dt.datetime, *, storm: bool) -> int:
    """Plan the messages of what is new and of what is still bad, once each; how many are to be sent. It blocks, and
    raises what the database raises. In a `storm` news of the last seconds wait: it may be this server's own network."""
    return 0
