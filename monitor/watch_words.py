"""The sentences that the scripts of the board and of a host's page fill in, beside those of `monitor.words`."""

from django.utils.translation import gettext_lazy as _

from monitor.words import words

SPANS = {
    "span_s": _("{s} s"),
    "span_min": _("{min} min"),
    "span_h": _("{h} h"),
    "span_h_min": _("{h} h {min} min"),
    "span_d": _("{d} d"),
    "span_d_h": _("{d} d {h} h"),
}

BOARD = {
    "all_answer": _("All {n} hosts answer."),
    "all_answer_one": _("The host answers."),
    "rest_idle": _("{n} of {all} hosts answer; the others are paused, or have just been added."),
    "rest_idle_one": _("{n} of {all} hosts answers; the others are paused, or have just been added."),
    "some_need": _("{n} of {number} hosts need attention."),
    "some_need_one": _("{n} of {number} hosts needs attention."),
    "none_judged": _("Nothing is judged yet: the first pings are on their way."),
    "all_paused": _("Every host is paused."),
    "gateway": _("the way out of this network"),
    "shown": _("{n} of {number} hosts shown"),
    "group_none": _("Without a group"),
    "state_degraded": _("degraded"),
    "state_maintenance": _("maintenance"),
    "maintained_until": _("in maintenance until {until}"),
    "short_looking": _("{n} looking"),
    "working": _("{work}: {share}"),
    "work_roll-up": _("Hours are added up"),
    "work_rebuild": _("Hours are built again"),
    "work_packets": _("Old packets are deleted"),
    "work_minutes": _("Old minutes are deleted"),
    "work_hours": _("Old hours are deleted"),
    "work_deleted": _("Deleted hosts are cleared away"),
    "waiting": _("Waiting for the watcher…"),
    "silent_ever": _("Nothing comes from the watcher. Is it running?"),
    "silent": _("Nothing has come from the watcher since {time}."),
    "lately": _("99 of 100 pings leave at most {late} ms late; {waiting} results wait to be written."),
    "label_now": _("now"),
    "label_median": _("median"),
    "label_jitter": _("jitter"),
    "label_loss": _("loss of an hour"),
    "label_since": _("since"),
}

HOST = {
    "host_up": _("Up for {span}: every one of the latest pings was answered"),
    "host_up_lossy": _("Up for {span}: {loss} of the latest pings had no reply"),
    "host_up_new": _("Up: it answers"),
    "host_up_since": _("Up for {span}"),
    "host_degraded": _("Degraded for {span}"),
    "host_degraded_loss": _("Degraded for {span}: {loss} of pings have no reply"),
    "host_degraded_p95": _("Degraded for {span}: one ping in twenty takes {limit} ms or longer"),
    "host_degraded_median": _("Degraded for {span}: half of the pings take {limit} ms or longer"),
    "host_degraded_jitter": _("Degraded for {span}: from ping to ping the round trip changes by {limit} ms or more"),
    "host_down": _("Down for {span}: {reason}"),
    "host_down_down_loss": _("Down for {span}: {loss} of pings have no reply"),
    "host_maintenance": _("In maintenance for {span}: it is measured, but neither counted nor told"),
    "host_maintenance_until": _("In maintenance until {until}: it is measured, but neither counted nor told"),
    "host_not_measured": _("Not measured for {span}: {reason}"),
    "host_starting": _("The first pings are on their way"),
    "host_paused": _("Paused for {span}: nothing is measured"),
    "no_reason": _("no reply"),
    "lines_soon": _("The next ping is on its way."),
    "lines_paused": _("No pings are sent while it is paused."),
    "lines_not_measured": _("No ping can be sent: {reason}."),
    "chart_empty": _("Nothing was measured in this time."),
    "chart_failed": _("The history could not be loaded. It is tried again."),
    "point": _("{time} · median {median} ms · 5–95 % {low}–{high} ms · loss {loss}"),
    "point_one": _("{time} · {ms} ms"),
    "point_lost": _("{time} · {lost} of {sent} pings lost"),
    "point_lost_one": _("{time} · no reply"),
    "point_unmeasured": _("{time} · not measured: {reason}"),
    "point_nothing": _("{time} · not measured: nobody was watching"),
    "each_point": _("Each point is {span}."),
    "each_ping": _("Each point is one ping."),
    "source_hours": _("From hours: percentiles are within 3.1 %."),
    "source_minutes": _("From minutes: percentiles are within 3.1 %."),
    "cell": _("{day} {hour}:00: median {ms} ms, loss {loss}"),
    "cell_lost": _("{day} {hour}:00: no reply at all"),
    "cell_nothing": _("{day} {hour}:00: nothing measured"),
    "spread": _("Half of {n} replies took {low} to {high} ms; the slowest {most} ms."),
    "spread_nothing": _("No reply in this time."),
}

REASONS = {
    "reason_-16": _("the watcher ended before the reply"),
    "reason_-17": _("the ping could not leave in time"),
    "reason_-18": _("this machine was asleep"),
    "reason_-19": _("its name did not resolve"),
    "reason_-20": _("this server might not send pings"),
    "problem_bad_host": _("this is not the address of one machine"),
    "problem_not_allowed": _("this site may not ping that address"),
    "problem_no_route": _("this server has no route to it"),
}

SENTENCES = SPANS | BOARD | HOST | REASONS


def watch_words() -> dict[str, str]:
    """Every sentence by its key, in the language of the request."""
    return words() | {key: str(sentence) for key, sentence in SENTENCES.items()}
