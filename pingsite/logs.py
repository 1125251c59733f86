"""What the log leaves out."""

import logging


class Untraced(logging.Filter):
    """Takes the traceback off requests that were answered with less than 500; strangers cause those at will."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True: the line itself stays."""
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
        return True
