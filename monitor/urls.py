"""The entrance of HTTP."""

from django.urls import path
from django.views.generic import RedirectView

from monitor import views

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="home"), name="index"),
    path("home", views.show_home, name="home"),
    path("runs/<uuid:identity>", views.show_run, name="run"),
    path("runs/<uuid:identity>.csv", views.export_run_csv, name="run-csv"),
    path("runs/<uuid:identity>.json", views.export_run_json, name="run-json"),
    path("docs/", views.show_docs, name="docs"),
    path("docs/<slug:page>/", views.show_docs, name="docs-page"),
    path("healthz", views.show_health, name="healthz"),
    path("readyz", views.show_readiness, name="readyz"),
]
