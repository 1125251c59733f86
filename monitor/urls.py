"""The entrance of HTTP."""

from django.urls import path

from monitor import alert_views, host_forms, host_views, maintenance_views, report_views, views

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
    path("hosts/<slug:slug>/uptime/", report_views.show_uptime, name="host-uptime"),
    path("hosts/<slug:slug>/report/", report_views.find_report, name="host-reports"),
    path("hosts/<slug:slug>/report/<slug:month>", report_views.show_report, name="host-report"),
    path("hosts/<slug:slug>/report/<slug:month>.csv", report_views.export_report, name="host-report-csv"),
    path("reports/<slug:month>", report_views.show_group_report, name="report"),
    path("reports/<slug:month>.csv", report_views.export_group_report, name="report-csv"),
    path("maintenance/", maintenance_views.show_maintenance, name="maintenance"),
    path("maintenance/add", maintenance_views.add, name="maintenance-add"),
    path("maintenance/<int:pk>/edit", maintenance_views.edit, name="maintenance-edit"),
    path("maintenance/<int:pk>/cancel", maintenance_views.cancel, name="maintenance-cancel"),
    path("maintenance/<int:pk>/delete", maintenance_views.delete, name="maintenance-delete"),
    path("alerts/", alert_views.show_alerts, name="alerts"),
    path("alerts/add", alert_views.add_channel, name="channel-add"),
    path("alerts/<int:number>/edit", alert_views.edit_channel, name="channel-edit"),
    path("alerts/<int:number>/delete", alert_views.delete_channel, name="channel-delete"),
    path("alerts/<int:number>/test", alert_views.test_channel, name="channel-test"),
    path("docs/", views.show_docs, name="docs"),
    path("docs/<slug:page>/", views.show_docs, name="docs-page"),
    path("healthz", views.show_health, name="healthz"),
    path("readyz", views.show_readiness, name="readyz"),
]
