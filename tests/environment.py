"""A pytest plugin, loaded before the settings are read: tests keep their data in a folder of their own."""

import atexit
import os
import shutil
import tempfile

FOLDER = tempfile.mkdtemp(prefix="pingsite-tests-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
os.environ["PINGSITE_DATA"] = FOLDER
os.environ["PINGSITE_DEFAULT_HOST"] = "127.0.0.1"
os.environ["DJANGO_SETTINGS_MODULE"] = "pingsite.settings"
