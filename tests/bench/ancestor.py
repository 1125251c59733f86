"""The application that pingsite descends from, written anew: Flask-SocketIO, eventlet, a shell pipeline."""

# Flask is installed for the benchmark alone, not where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped, untyped-decorator"

import os
import subprocess

from flask import Flask
from flask_socketio import SocketIO, emit

HOST = os.environ.get("ANCESTOR_HOST", "8.8.8.8")
PAGE = """<!doctype html>
<title>ping</title>
<h1 id="header">Websocket Disconnected</h1>
<button id="checkbutton">Submit</button>
<div id="demo"></div>
"""

app = Flask(__name__)
socketio = SocketIO(app, async_mode="eventlet")


@app.get("/home")
def show_home() -> str:
    """The page; the benchmark brings its own client, so it carries no script."""
    return PAGE


@socketio.on("my_event")
def ping_five_times(_message: object = None) -> None:
    """Ping through a shell, emit the one line cut out of its output, sleep a second; five times over."""
    for count in range(5):
        pipeline = f"ping -c 1 {HOST} | head -n 2 | tail -n 1"
        answer = subprocess.run(pipeline, shell=True, check=False, capture_output=True, text=True)
        emit("server", {"data1": count, "data": answer.stdout})
        socketio.sleep(1)
