"""A pytest plugin, loaded before the settings are read: tests keep their data in a folder of their own."""

import os
import tempfile

FOLDER = tempfile.TemporaryDirectory(prefix="pingsite-tests-")
os.environ["PINGSITE_DATA"] = FOLDER.name
os.environ["PINGSITE_DEFAULT_HOST"] = "127.0.0.1"
os.environ["DJANGO_SETTINGS_MODULE"] = "pingsite.settings"
