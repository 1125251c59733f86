"""Watched hosts in the admin."""

import datetime as dt

import pytest
from django.test import Client

from monitor.lease import WATCHING, Claim
from monitor.models import Host, Note, Transition
from tests.watch.outages import add_incident
from tests.watch.sites import watch

pytestmark = pytest.mark.django_db
FORM = {
    "name": "alice",
    "slug": "alice",
    "host": "127.0.0.1",
    "family": "auto",
    "interval": "1",
    "timeout": "2",
    "tags": "[]",
}


def test_a_host_is_added_and_checked_as_on_the_pages(admin_client: Client) -> None:
    for wrong in ({"host": "127.1"}, {"interval": "0.1"}, {"tags": "1"}, {"timeout": "99"}):
        page = admin_client.post("/admin/monitor/host/add/", FORM | wrong)
        assert page.status_code == 200, wrong
    assert (
        "four decimal numbers"
        in admin_client.post("/admin/monitor/host/add/", FORM | {"host": "127.1"}).content.decode()
    )
    assert admin_client.post("/admin/monitor/host/add/", FORM).status_code == 302
    assert Host.objects.get().host == "127.0.0.1"


@pytest.mark.parametrize(
    "forged",
    [
        *({"parent": text} for text in ("garbage", "\0", "[", "-1", "9" * 19, "9" * 24, "9" * 5000, "1e400")),
        *(
            {"tags": text}
            for text in ("[" * 99_999, "[[1]]", '["\\ud800"]', '["\\u0000"]', "1" * 5000, '{"a": 1}', "NaN")
        ),
    ],
    ids=lambda forged: str(forged)[:24],
)
def test_what_no_form_sends_is_refused_beside_its_field(admin_client: Client, forged: dict[str, str]) -> None:
    page = admin_client.post("/admin/monitor/host/add/", FORM | forged)
    assert page.status_code == 200
    assert [*page.context["adminform"].form.errors] == [*forged]
    assert admin_client.get("/admin/monitor/host/add/", forged).status_code == 200
    assert not Host.objects.exists()


def test_a_host_with_another_address_begins_anew(admin_client: Client) -> None:
    (host,) = watch("alice")
    Host.objects.update(address="127.0.1.1", problem="x")
    admin_client.post(f"/admin/monitor/host/{host.pk}/change/", FORM | {"host": "127.0.0.9"})
    changed = Host.objects.get()
    assert (changed.host, changed.address, changed.problem) == ("127.0.0.9", None, "")
    assert changed.changed_at > host.changed_at


def test_hosts_are_paused_and_go_on_together(admin_client: Client) -> None:
    hosts = watch("alice", "bob")
    chosen = {"_selected_action": [host.pk for host in hosts]}
    admin_client.post("/admin/monitor/host/", {"action": "pause"} | chosen)
    assert Host.objects.filter(paused=True).count() == 2
    admin_client.post("/admin/monitor/host/", {"action": "go_on"} | chosen)
    assert Host.objects.filter(paused=False).count() == 2
    assert Host.objects.first().changed_at - hosts[0].changed_at > dt.timedelta(0)


def test_hours_are_built_again_only_while_somebody_watches(admin_client: Client) -> None:
    (host,) = watch("alice")
    asked = {"action": "rebuild", "_selected_action": [host.pk]}
    assert "Nobody watches" in admin_client.post("/admin/monitor/host/", asked, follow=True).content.decode()
    Claim(WATCHING, "somebody").hold()
    assert "The watcher was asked" in admin_client.post("/admin/monitor/host/", asked, follow=True).content.decode()


def test_a_host_has_its_state_and_its_last_day(admin_client: Client) -> None:
    (host,) = watch("alice")
    Host.objects.update(state="down")
    page = admin_client.get(f"/admin/monitor/host/{host.pk}/change/").content.decode()
    assert "✕</span> down" in page
    assert "the last day" in page.lower()
    assert 'href="/hosts/alice/"' in page


def test_a_host_cannot_be_reached_through_itself(admin_client: Client) -> None:
    alice, bob = watch("alice", "bob")
    Host.objects.filter(pk=bob.pk).update(parent=alice)
    page = admin_client.post(f"/admin/monitor/host/{alice.pk}/change/", FORM | {"parent": str(bob.pk)})
    assert "never through itself" in page.content.decode()
    assert Host.objects.get(pk=alice.pk).parent is None


def test_incidents_are_there_to_read_with_their_notes(admin_client: Client) -> None:
    (alice,) = watch("alice")
    incident, network = add_incident(alice), add_incident(None, reason="network")
    Note.objects.create(incident=incident, text="a cable was cut")
    Transition.objects.create(host=alice, at=incident.began_at, state="down")
    for path in ("incident/", f"incident/?q={incident.identity}", "transition/", f"incident/{network.pk}/change/"):
        assert admin_client.get(f"/admin/monitor/{path}").status_code == 200, path
    page = admin_client.get(f"/admin/monitor/incident/{incident.pk}/change/").content.decode()
    assert "a cable was cut" in page
    assert f"/incidents/{incident.identity}/" in page
    assert admin_client.post(f"/admin/monitor/incident/{incident.pk}/change/", {"state": "degraded"}).status_code == 403
    assert admin_client.get("/admin/monitor/incident/add/").status_code == 403
