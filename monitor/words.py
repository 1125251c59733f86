"""The sentences that the page's scripts fill in: codes and numbers come by the socket, words come with the page."""

import math

from django.utils.translation import gettext_lazy as _

from monitor import forms
from monitor.wire import Refusal

# A key that ends in `_one` is the singular, for languages that have one; holes in braces are filled by the page.
CONNECTION = {
    "connected": _("Websocket Connected"),
    "disconnected": _("Websocket Disconnected"),
    "connecting": _("Connecting…"),
    "reconnecting": _("Reconnecting in {s} s"),
    "lost_server": _("Lost the server. Trying again in {s} s."),
    "lost_server_trying": _("Lost the server. Trying again now."),
    "back": _("Back."),
    "back_none": _("Back. Nothing was missed."),
    "back_missed": _("Back. {n} missed results loaded."),
    "back_missed_one": _("Back. 1 missed result loaded."),
    "as_of": _("as of {time}"),
    "missed": _("you were disconnected"),
}

FORM = {
    "submit": _("Submit"),
    "loading": _("Loading.."),
    "chosen": _("{n} pings, {interval} s apart"),
    "chosen_one": _("1 ping"),
    "chosen_4": _("{n} pings, {interval} s apart, IPv4"),
    "chosen_4_one": _("1 ping, IPv4"),
    "chosen_6": _("{n} pings, {interval} s apart, IPv6"),
    "chosen_6_one": _("1 ping, IPv6"),
}

VERDICTS = {
    "empty": _("Press Submit to send {n} pings to {host}."),
    "empty_one": _("Press Submit to send one ping to {host}."),
    "empty_five": _("Press Submit to send five pings to {host}."),
    "empty_refused": _("Correct what is wrong, then press Submit."),
    "asking": _("Looking up {host}"),
    "running": _("Pinging {host}: {done} of {count}"),
    "good": _("{received} of {n} replies, {ms} ms on average"),
    "good_one": _("1 of 1 reply, {ms} ms"),
    "some": _("{lost} of {n} pings had no reply ({loss})"),
    "none": _("No reply to any of {n} pings. The host may be down, or may block ping."),
    "none_one": _("No reply to the ping. The host may be down, or may block ping."),
    "nothing": _("No ping was sent, so nothing was measured."),
    "all_late": _("{host} answers, but later than a ping waits."),
    "all_not_sent": _("This server could not send its pings in time, so nothing was measured."),
    "all_no_route": _("This server has no route to {host}."),
    "all_blocked": _("This server's own firewall blocks pings to {host}."),
    "all_host_unreachable": _("{host} is unreachable: no machine answers at this address."),
    "all_net_unreachable": _("The network of {host} is unreachable."),
    "all_port_unreachable": _("{host} is there, but does not answer ping."),
    "all_protocol_unreachable": _("{host} is there, but does not answer ping."),
    "all_prohibited": _("A firewall on the way to {host} forbids ping."),
    "all_time_exceeded": _("Pings to {host} go in circles, or have too far to go."),
    "all_too_big": _("The pings are too big for a link on the way to {host}."),
    "all_unreachable": _("{host} is unreachable, says a router on the way."),
    "all_corrupt": _("Every answer of {host} came back damaged."),
}

NOTES = {
    "hint_timeout": _("If other hosts do not reply either, this server may have no way out to them."),
    "hint_net_unreachable": _("A router on the way says so. This server may have no way out to the internet."),
    "hint_no_route": _(
        "No ping could leave it, which says nothing about the host. "
        "Addresses in this server's own network may still answer; 127.0.0.1 is the server itself."
    ),
    "hint_blocked": _("No ping could leave it, which says nothing about the host."),
    "some_not_sent": _("{n} pings could not be sent in time and are not counted."),
    "some_not_sent_one": _("1 ping could not be sent in time and is not counted."),
    "some_late": _("{n} replies came too late to count. A longer timeout would count them."),
    "some_late_one": _("1 reply came too late to count. A longer timeout would count it."),
    "outcome_stopped": _("Stopped after {n} of {count} pings."),
    "outcome_interrupted": _("The server stopped after {n} of {count} pings; the rest was never sent."),
    "outcome_failed": _("The run failed on the server after {n} of {count} pings."),
    "outcome_unknown": _("The run could not be continued after the connection broke. What came before stays."),
    "summary": _("{sent} sent, {received} received, {loss} loss"),
    "summary_times": _("min/avg/max/mdev {times} ms · jitter {jitter} ms"),
    "summary_duplicates": _("{n} duplicates"),
    "summary_duplicates_one": _("1 duplicate"),
    "percent": _("{number} %"),
    "readout": _("Ping {number}: {ms} ms"),
    "readout_lost": _("Ping {number}: {status}"),
}

STATUSES = {
    "status_reply": _("reply"),
    "status_timeout": _("no reply"),
    "status_host_unreachable": _("host unreachable"),
    "status_net_unreachable": _("network unreachable"),
    "status_port_unreachable": _("port unreachable"),
    "status_protocol_unreachable": _("protocol unreachable"),
    "status_unreachable": _("unreachable"),
    "status_prohibited": _("forbidden by a firewall"),
    "status_time_exceeded": _("too many hops"),
    "status_too_big": _("too big"),
    "status_corrupt": _("damaged answer"),
    "status_no_route": _("no route"),
    "status_blocked": _("blocked by this server"),
    "status_not_sent": _("not measured"),
}

PROBLEMS = {
    "bad_host": _('"{host}" is not an address or host name.'),
    "bad_host_empty": _("Type an address or a host name."),
    "bad_host_leading_dash": _('"{host}" is not an address or host name: it begins with a dash.'),
    "bad_host_too_long": _('"{host}" is not an address or host name: it has more than 253 characters.'),
    "bad_host_label": _('"{host}" is not an address or host name: a part of it has more than 63 characters.'),
    "bad_host_number_form": _('"{host}" is not an address. Write it as four decimal numbers, such as 192.0.2.1.'),
    "bad_host_zone": _("Addresses with a zone (after %) cannot be pinged from here."),
    "bad_host_multicast": _("{host} is a multicast address. Choose the address of one machine."),
    "bad_host_broadcast": _("{host} is a broadcast address. Choose the address of one machine."),
    "bad_host_unspecified": _("{host} is the address of no machine."),
    "unknown_host": _("No such host: {host}"),
    "name_timeout": _("The name service did not answer for {host}. Try again, or use its address."),
    "no_family": _("{host} has no address of the chosen kind. Choose IPv4, IPv6 or automatic."),
    "not_allowed": _("This site does not ping private addresses."),
    "not_allowed_nobody": _("Sign in to ping from this site."),
    "too_fast": _("Too many pings. Try again in {s} s."),
    "host_busy": _("Too many people are pinging {host}. Try again in {s} s."),
    "busy": _("A run is going on already. Stop it first."),
    "bad_value": _("One of the options makes no sense."),
    "bad_value_count": _("The number of pings is 1 to {max_count}."),
    "bad_value_interval": _("The interval is {min_interval} to {max_interval} seconds."),
    "bad_value_timeout": _("The timeout is {min_timeout} to {max_timeout} seconds."),
    "bad_message": _("The server did not understand this page. Reload it."),
    "unknown_event": _("The server did not understand this page. Reload it."),
    "too_large": _("That is too long for the server."),
    "unknown_run": _("This run is not known here."),
    "not_permitted": _("This server may not send pings. Run `manage.py doctor`."),
    "failed": _("The run failed; the server's log says why."),
    "unavailable": _("The server cannot write its history now. Try again in a moment."),
    "lost_before_start": _("The connection broke before the run began. Press Submit again."),
}

WATCHED = {
    "watched": _("It is watched already, as {name}."),
    "twice": _("It stands in the lines twice."),
    "bad_field": _("One of the values makes no sense."),
    "bad_file": _("That file makes no sense."),
    "bad_field_name": _("A name has at most 100 characters, and is given once."),
    "bad_field_group": _("A group has at most 100 characters."),
    "bad_field_tags": _("A host has at most 10 tags."),
    "bad_field_interval": _("The interval is 0.2 to 300 seconds."),
    "bad_field_timeout": _("The timeout is 0.1 to 30 seconds."),
    "bad_field_family": _("The kind of address is auto, 4, 6 or both."),
    "bad_field_parent": _("A host is reached through another one that is watched, and never through itself."),
    "bad_field_lines": _("At most 200 lines can be added at a time."),
    "not_allowed_board": _("Sign in to see the watched hosts."),
    "state_starting": _("starting"),
    "state_up": _("up"),
    "state_down": _("down"),
    "state_not_measured": _("not measured"),
    "state_paused": _("paused"),
    "problem_unknown_host": _("its name does not resolve"),
    "problem_name_timeout": _("the name service does not answer"),
    "problem_no_family": _("it has no address of the chosen kind"),
    "problem_not_permitted": _("this server may not send pings"),
    "looking_one": _("1 person is looking"),
    "looking": _("{n} people are looking"),
}

LIMITS = {
    "max_count": forms.MAX_COUNT,
    "min_interval": forms.MIN_INTERVAL,
    "max_interval": forms.MAX_INTERVAL,
    "min_timeout": forms.MIN_TIMEOUT,
    "max_timeout": forms.MAX_TIMEOUT,
}

SENTENCES = CONNECTION | FORM | VERDICTS | NOTES | STATUSES | PROBLEMS | WATCHED


def words() -> dict[str, str]:
    """Every sentence by its key, in the language of the request."""
    return {key: str(sentence) for key, sentence in SENTENCES.items()}


def refusal_words(refusal: Refusal) -> str:
    """The sentence for a refusal, as the page's scripts would say it, for pages that have none."""
    given = refusal.particulars
    sentences = (SENTENCES.get(key) for key in (f"{refusal.code}_{given.get('reason')}", refusal.code))
    sentence = next((found for found in sentences if found), refusal.message)
    seconds = max(1, math.ceil(float(given.get("retry_after", 1))))
    values: dict[str, object] = {name: f"{limit:g}" for name, limit in LIMITS.items()}
    return str(sentence).format_map(Holes({"host": ""} | values | given, s=seconds))


class Holes(dict[str, object]):
    """Values by name; a hole without a value stays as it is."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"
