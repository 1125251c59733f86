"""The entrance of HTTP."""

from django.urls import path

from monitor import host_forms, host_views, incident_views, rule_views, views

urlpatterns = [
    path("", host_views.show_board, name="board"),
    path("home", views.show_home, name="home"),
    path("runs/<uuid:identity>", views.show_run, name="run"),
    path("runs/<uuid:identity>.csv", views.export_run_csv, name="run-csv"),
    path("runs/<uuid:identity>.json", views.export_run_json, name="run-json"),
    path("hosts.json", host_views.export_hosts, name="hosts-json"),
    path("hosts/add", host_forms.add, name="host-add"),
    path("hosts/<slug:slug>/", host_views.show_host, name="host"),
    path("hosts/<slug:slug>/edit", host_forms.edit, name="host-edit"),
    path("hosts/<slug:slug>/pause", host_views.pause_host, name="host-pause"),
    path("hosts/<slug:slug>/delete", host_views.delete_host, name="host-delete"),
    path("hosts/<slug:slug>/series.json", host_views.export_series_json, name="host-series-json"),
    path("hosts/<slug:slug>/series.csv", host_views.export_series_csv, name="host-series-csv"),
    path("hosts/<slug:slug>/packets.csv", host_views.export_packets_csv, name="host-packets"),
    path("hosts/<slug:slug>/week.json", host_views.export_week, name="host-week"),
    path("hosts/<slug:slug>/distribution.json", host_views.export_distribution, name="host-distribution"),
    path("hosts/<slug:slug>/incidents.json", incident_views.export_host_incidents, name="host-incidents"),
    path("incidents/", incident_views.show_incidents, name="incidents"),
    path("incidents.csv", incident_views.export_incidents, name="incidents-csv"),
    path("incidents/<uuid:identity>/", incident_views.show_incident, name="incident"),
    path("incidents/<uuid:identity>/series.json", incident_views.export_incident_series, name="incident-series"),
    path("incidents/<uuid:identity>/note", incident_views.add_note, name="incident-note"),
    path("incidents/<uuid:identity>/share", incident_views.share_incident, name="incident-share"),
    path("rules", rule_views.edit_rules, name="rules"),
    path("groups/<path:group>/rules", rule_views.edit_group_rules, name="rules-group"),
    path("hosts/<slug:slug>/rules", rule_views.edit_host_rules, name="rules-host"),
    path("docs/", views.show_docs, name="docs"),
    path("docs/<slug:page>/", views.show_docs, name="docs-page"),
    path("healthz", views.show_health, name="healthz"),
    path("readyz", views.show_readiness, name="readyz"),
]
