"""The WebSocket's door: authorise, subscribe, translate. A run is a task that the consumer owns."""

import asyncio
import logging
import uuid

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from monitor.forms import Order, Resume, Stop, parse_frame
from monitor.runs import Runs
from monitor.sockets import Socket
from monitor.visitors import client_of_scope, visitor_of_scope
from monitor.wire import (
    UNKNOWN_PATH,
    GroupMessage,
    Refusal,
    finished_json,
    server_json,
    socket_group,
    started_json,
)

log = logging.getLogger(__name__)

ANSWER_SECONDS = 5.0


class PingConsumer(Socket):
    """One browser's socket: at most one run of its own at a time, and any number that it follows."""

    runs: Runs

    def __init__(self, runs: Runs) -> None:
        super().__init__()
        self.runs = runs
        self.group = socket_group(uuid.uuid4().hex)
        # The runs whose events this socket shows, each with the last index it has been told.
        self.shown: dict[str, int] = {}
        # Events wait while what was missed is sent, so that a run is heard in order.
        self.turn = asyncio.Lock()
        self.task: asyncio.Task[None] | None = None
        self.run_id: uuid.UUID | None = None

    async def connect(self) -> None:
        """Accept first: a channel layer that does not answer must not keep people out."""
        await self.accept()
        await self.join(self.group)

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

    def leave(self) -> None:
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
                await self.join(run.group)
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


class UnknownPath(AsyncWebsocketConsumer):
    """Whatever is not served here: a close code that says so, instead of an error of the server."""

    async def connect(self) -> None:
        """Accept, for a close before that would be a bare 403."""
        await self.accept()
        await self.close(UNKNOWN_PATH)
