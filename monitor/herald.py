"""The process that talks to services: `python -m monitor.herald` reads an order a line, and forks for each one.

So whatever Apprise loads stays out of the watcher, a service that hangs holds nobody, and each message is said by a
process that may reach only what the channel may. An order is JSON: `id`, `kind`, `address`, `seconds`, `anywhere`, and
what the kind needs; its answer is `id`, `ok`, `final` (trying again would change nothing) and `said`.
"""

import hashlib
import hmac
import http
import json
import logging
import os
import resource
import signal
import smtplib
import socket
import sys
import textwrap
import time
from collections.abc import Callable
from typing import Any

import apprise
import requests
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.utils.translation import gettext_noop
from requests.adapters import HTTPAdapter

from monitor.confinement import Refused, confine
from monitor.hypertext import is_hypertext, read_text
from monitor.mask import mask
from monitor.ping.host import Policy

# What these would tell is the server's own desktop, or its log.
LOCAL = {"dbus", "kde", "qt", "glib", "gio", "gnome", "macosx", "windows", "syslog", "blink1"}
DATAGRAMS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
FINAL = {400, 401, 403, 404, 410}
# A line of so many characters is written at once, however many processes write.
MOST_SAID = 500
# Of an answer.
MOST_READ = 20_000
MOST_SHOWN = 300
MOST_MEMORY = 1 << 30
AGENT = "pingsite"

Order = dict[str, Any]
Answer = dict[str, Any]


def main() -> None:
    """Fork for each line until there are no more; then wait for those under way."""
    settings.configure()
    # Its hundred and ninety plugins are read here, once, and not by each process.
    apprise.Apprise.instantiate("json://localhost")
    if sys.argv[1:]:
        # Somebody had it started who may need it, and may not.
        signal.alarm(int(sys.argv[1]))
    # Nobody waits for the processes one by one.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        if os.fork() == 0:
            _serve(json.loads(line))
            os._exit(0)
    try:
        os.wait()
    except ChildProcessError:
        pass
    # To take down all that was read would keep whoever waits for the end.
    os._exit(0)


def _serve(order: Order) -> None:
    # The default action of the signal ends a process that hangs, whatever it hangs in.
    signal.alarm(int(order["seconds"]))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    answer = _obey(order)
    said = mask(" ".join(str(answer["said"]).split()), order.get("address", ""), order.get("secret", ""))
    answer["said"] = said[:MOST_SAID]
    os.write(1, json.dumps({"id": order["id"]} | answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def _obey(order: Order) -> Answer:
    kind = order["kind"]
    # The mail server is the operator's own; it is in the settings, not in a channel.
    refusals = confine(None if kind == "email" else Policy.UNICAST if order.get("anywhere") else Policy.GLOBAL)
    try:
        answer = KINDS[kind](order)
    except Exception as error:  # whatever a service or a plugin does is an outcome
        answer = _explain(error)
    # Plugins swallow what is raised in them.
    return {"ok": False, "final": True, "said": str(refusals[0])} if refusals and not answer["ok"] else answer


def check(order: Order) -> Answer:
    """Whether Apprise knows this URL, and it is one of a service."""
    _find_service(order["address"])
    return {"ok": True, "final": True, "said": ""}


def notify(order: Order) -> Answer:
    """Say it through Apprise, which tells only whether that worked; what the service answered is heard on the way."""
    service = _find_service(order["address"])
    heard, datagrams = _listen(), _count_datagrams()
    speaker = apprise.Apprise(asset=service.asset)
    speaker.add(service)
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as log:
        ok = bool(speaker.notify(title=order["title"], body=order["body"], body_format=apprise.NotifyFormat.TEXT))
        complaints = log.getvalue()
    if heard:
        answer = heard[-1] if ok else next((each for each in heard if not each["ok"]), heard[-1])
        return answer | {"ok": ok, "said": answer["said"] if not answer["ok"] or ok else complaints or answer["said"]}
    said = gettext_noop("Handed over; this service gives no answer.") if datagrams else gettext_noop("Sent.")
    return {"ok": ok, "final": False, "said": complaints or (said if ok else "")}


def post(order: Order) -> Answer:
    """Post a signed webhook: HMAC-SHA256 of "timestamp.body" under the channel's secret."""
    body, stamp = order["payload"].encode(), str(int(time.time()))
    signature = hmac.new(order["secret"].encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "Idempotency-Key": order["key"],
        "X-Pingsite-Timestamp": stamp,
        "X-Pingsite-Signature": f"sha256={signature}",
    }
    with requests.Session() as session:
        # No password of some .netrc, no proxy.
        session.trust_env = False
        timeout = order["seconds"]
        with session.post(
            order["address"], data=body, headers=headers, timeout=timeout, allow_redirects=False, stream=True
        ) as response:
            # At most four bytes a character, so that a text that was cut is at least so long.
            answer = response.raw.read(4 * MOST_READ, decode_content=True)
            return _judge(response.status_code, answer.decode(errors="replace"))


def send_mail(order: Order) -> Answer:
    """Send an e-mail through the server of the settings."""
    backend = EmailBackend(**order["server"])
    to = order["address"].replace(",", " ").replace(";", " ").split()
    headers = {"Auto-Submitted": "auto-generated", "X-Pingsite-Key": order["key"]}
    mail = EmailMessage(order["title"], order["body"], order["sender"], to, connection=backend, headers=headers)
    mail.send()
    return {"ok": True, "final": True, "said": gettext_noop("The mail server took it.")}


def _find_service(address: str) -> Any:
    """The service of an Apprise URL; ValueError where there is none, or it is no service."""
    if address.partition(":")[0].strip().lower() in LOCAL:
        raise ValueError("This tells only somebody who sits at the server.")
    asset = apprise.AppriseAsset(
        app_id=AGENT, app_desc=AGENT, app_url="", async_mode=False, secure_logging=True,
        allow_templates=False, service_timeout=0, http_redirects=False,
    )  # fmt: skip
    service = apprise.Apprise.instantiate(address, asset=asset)
    if not isinstance(service, apprise.NotifyBase):
        raise ValueError("Apprise knows no service of this address.")
    return service


def _listen() -> list[Answer]:
    """From now on, what services answer; and nobody is sent on elsewhere, whatever a URL wishes."""
    heard: list[Answer] = []
    send = HTTPAdapter.send

    def hear(self: Any, request: Any, *args: Any, **options: Any) -> Any:
        try:
            response = send(self, request, *args, **options)
        except Exception as error:
            heard.append(_explain(error))
            raise
        heard.append(_judge(response.status_code, response.text))
        return response

    HTTPAdapter.send = hear  # type: ignore[method-assign]
    requests.Session.get_redirect_target = lambda *_: None  # type: ignore[method-assign]
    return heard


def _count_datagrams() -> list[str]:
    """From now on, whenever one is sent: nobody answers these."""
    sent: list[str] = []

    def listen(event: str, args: tuple[Any, ...]) -> None:
        if event in DATAGRAMS and args[0].type == socket.SOCK_DGRAM:
            sent.append(event)

    sys.addaudithook(listen)
    return sent


def _judge(status: int, text: str) -> Answer:
    try:
        words = f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        words = str(status)
    if 300 <= status < 400:
        return {"ok": False, "final": True, "said": f"{words}: redirects are not followed."}
    text = _shorten(text)
    said = f"{words}: {text}" if text.strip() else words
    return {"ok": 200 <= status < 300, "final": status in FINAL, "said": said}


def _shorten(text: str) -> str:
    """What of an answer is worth saying: of a page its text."""
    if not is_hypertext(text):
        return text
    words = read_text(text[:MOST_READ])
    if len(text) >= MOST_READ:
        # It was cut in the midst of a word, which may be the first half of a secret.
        words = words.rpartition(" ")[0]
    return textwrap.shorten(words, MOST_SHOWN, placeholder=" …")


def _explain(error: BaseException) -> Answer:
    """The innermost reason: the outer ones repeat the address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        return {"ok": False, "final": code >= 500, "said": f"{code} {_text(words)}"}
    if isinstance(error, smtplib.SMTPResponseException):
        return {"ok": False, "final": error.smtp_code >= 500, "said": f"{error.smtp_code} {_text(error.smtp_error)}"}
    while inner := error.__cause__ or error.__context__:
        error = inner
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return {"ok": False, "final": isinstance(error, Refused | ValueError), "said": said}


def _text(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else words


KINDS: dict[str, Callable[[Order], Answer]] = {
    "apprise": notify, "check": check, "email": send_mail, "webhook": post,
}  # fmt: skip

if __name__ == "__main__":
    main()
