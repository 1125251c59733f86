#!/usr/bin/env python3
"""The project's command line."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run a management command; a setting that makes no sense is one sentence, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pingsite.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(f"pingsite: {problem}")


if __name__ == "__main__":
    main()
