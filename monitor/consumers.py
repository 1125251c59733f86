"""The WebSocket's door: authorise, subscribe, translate. A run is a task that the consumer owns."""

import asyncio
import logging
import uuid
from typing import Any, cast

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketScope
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.db import DatabaseError

from monitor.forms import Order, Resume, Stop, parse_frame
from monitor.runs import Runs
from monitor.visitors import client_of_scope, visitor_of_scope
from monitor.wire import (
    EVENTS_FAILED,
    TOO_MANY,
    UNKNOWN_PATH,
    GroupMessage,
    Refusal,
    error_json,
    finished_json,
    server_json,
    socket_group,
    started_json,
)

log = logging.getLogger(__name__)

LAYER_SECONDS = 2.0
ANSWER_SECONDS = 5.0
MAX_REFUSALS = 500


class PingConsumer(AsyncWebsocketConsumer):
    """One browser's socket: at most one run of its own at a time, and any number that it follows."""

    runs: Runs

    def __init__(self, runs: Runs) -> None:
        super().__init__()
        self.runs = runs
        self.group = socket_group(uuid.uuid4().hex)
        self.joined = {self.group}
        # The runs whose events this socket shows, each with the last index it has been told.
        self.shown: dict[str, int] = {}
        # Events wait while what was missed is sent, so that a run is heard in order.
        self.turn = asyncio.Lock()
        self.task: asyncio.Task[None] | None = None
        self.run_id: uuid.UUID | None = None
        self.refusals = 0

    async def __call__(self, scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve the socket: frames in this task, events of runs in another. The inherited way makes a task and a hop
        through the database's thread for each message, where one blocking call freezes every socket."""
        self.scope, self.base_send = scope, send
        self.channel_layer = get_channel_layer()
        self.channel_name = await self.channel_layer.new_channel()
        events = asyncio.create_task(self.pass_events())
        try:
            while True:
                await self.dispatch(cast("dict[str, Any]", await receive()))
        except StopConsumer:
            pass
        finally:
            # Here and not in `disconnect()`, which is not called after an exception.
            events.cancel()
            self.leave_run()
            for group in self.joined:
                await self.ask_layer(self.channel_layer.group_discard(group, self.channel_name))
            self.channel_layer.forget(self.channel_name)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hand a frame to its method; nothing there touches the database without a hop of its own."""
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def pass_events(self) -> None:
        """Pass on what the groups of this socket hear; a failure ends the socket, and its page comes back."""
        try:
            while True:
                await self.run_event(await self.channel_layer.receive(self.channel_name))
        except Exception:
            log.exception("events are no longer passed on")
            await self.close(EVENTS_FAILED)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        """The browser is gone."""
        raise StopConsumer

    async def connect(self) -> None:
        """Accept first: a channel layer that does not answer must not keep people out."""
        await self.accept()
        await self.ask_layer(self.channel_layer.group_add(self.group, self.channel_name))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Translate a frame. Nothing long is awaited here: until this returns, no other frame of the socket is read."""
        match parse_frame(text_data):
            case Refusal() as refusal:
                await self.refuse(refusal)
            case Order() as order:
                await self.start_run(order)
            case Stop():
                await self.stop_run()
            case Resume() as resume:
                await self.resume_run(resume)

    async def start_run(self, order: Order) -> None:
        """Start the task that carries out the order, unless one is going on."""
        if self.task and not self.task.done():
            await self.refuse(Refusal("busy", "A run is going on."), self.run_id)
            return
        self.run_id = uuid.uuid4()
        self.shown[str(self.run_id)] = -2
        self.task = asyncio.create_task(self.carry_out(self.run_id, order))

    async def carry_out(self, run_id: uuid.UUID, order: Order) -> None:
        """The task of a run: whatever keeps it from beginning, the person is told."""
        try:
            await self.runs.carry_out(run_id, order, await visitor_of_scope(self.scope), self.group)
        except Refusal as refusal:
            self.shown.pop(str(run_id), None)
            await self.refuse(refusal)
        except DatabaseError as error:
            log.error("no run without the database: %s", error)
            await self.refuse(Refusal("unavailable", "The history cannot be written right now."))
        except Exception:
            log.exception("run %s did not begin", run_id)
            await self.refuse(Refusal("failed", "The run failed; the server's log says why."))

    async def stop_run(self) -> None:
        """End this socket's run, take back one that has not begun, or ask for the end of one that it came back to."""
        if self.run_id is None:
            return
        if self.task is None:
            await self.runs.stop_elsewhere(self.run_id, client_of_scope(self.scope))
        elif not self.runs.stop(self.run_id):
            self.task.cancel()

    def leave_run(self) -> None:
        """Let the run of a socket that is gone go on for a while; one that has not begun need not begin."""
        if self.task and self.run_id and not self.runs.leave(self.run_id):
            self.task.cancel()

    async def resume_run(self, resume: Resume) -> None:
        """Subscribe, then fetch, then apply: what was missed, in order, and from then on what happens."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.follow_run(resume)
        except Refusal as refusal:
            await self.refuse(refusal, resume.run)
        except Exception as error:  # the database or the layer is away; the page asks again
            log.warning("not resumed: %r", error)
            await self.refuse(Refusal("unavailable", "The history does not answer."), resume.run)

    async def follow_run(self, resume: Resume) -> None:
        """Join the group of a run and send what its follower has not seen; `Refusal` where there is no such run."""
        if (known := await self.runs.find(resume.run)) is None:
            raise Refusal("unknown_run", "There is no such run.")
        run, replies = known
        async with self.turn:
            if run.live:
                self.joined.add(run.group)
                await self.channel_layer.group_add(run.group, self.channel_name)
                run, replies = await self.runs.resume(resume.run) or known
            missed = [reply for reply in replies if reply.index > resume.after]
            await self.send(started_json(run, replayed=len(missed)))
            for reply in missed:
                await self.send(server_json(run, reply))
            self.shown[str(run.id)] = replies[-1].index if replies else -1
        if not run.live:
            await self.send(finished_json(run))
        elif (self.task is None or self.task.done()) and run.client == client_of_scope(self.scope):
            self.task, self.run_id = self.runs.adopt(run.id, run.client), run.id

    async def run_event(self, message: GroupMessage) -> None:
        """An event of a run, from its group: on to the browser, unless it was told already."""
        async with self.turn:
            if message["index"] > self.shown.get(message["run"], message["index"]):
                self.shown[message["run"]] = message["index"]
                await self.send(message["text"])

    async def refuse(self, refusal: Refusal, run: uuid.UUID | None = None) -> None:
        """Say no, and why; the log has it in ASCII, for what was typed may want to look like something else."""
        client = client_of_scope(self.scope)
        self.refusals += 1
        if self.refusals > MAX_REFUSALS:
            # Refusing costs a line of the log each time: somebody who asks for it without end is let go.
            log.warning("%s was refused %d times and is closed", client, MAX_REFUSALS)
            await self.close(TOO_MANY)
            return
        log.info("refused %s to %s: %s %a", refusal.code, client, refusal.message, refusal.particulars)
        await self.send(error_json(refusal, run))

    async def ask_layer(self, asked: Any) -> None:
        """Await a call of the channel layer for a limited time; one that fails is logged."""
        try:
            async with asyncio.timeout(LAYER_SECONDS):
                await asked
        except Exception as error:
            log.warning("the channel layer failed: %r", error)


class UnknownPath(AsyncWebsocketConsumer):
    """Whatever is not served here: a close code that says so, instead of an error of the server."""

    async def connect(self) -> None:
        """Accept, for a close before that would be a bare 403."""
        await self.accept()
        await self.close(UNKNOWN_PATH)
