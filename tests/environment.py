"""A pytest plugin, loaded before the settings are read: data in a folder of its own, and Ctrl-C as in a terminal."""

import atexit
import os
import shutil
import signal
import tempfile

FOLDER = tempfile.mkdtemp(prefix="pingsite-tests-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
os.environ["PINGSITE_DATA"] = FOLDER
os.environ["PINGSITE_DEFAULT_HOST"] = "127.0.0.1"
os.environ["DJANGO_SETTINGS_MODULE"] = "pingsite.settings"

# What a shell starts in the background ignores it, and all that the tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
