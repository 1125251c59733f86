"""The addresses of the site."""

from django.contrib import admin
from django.urls import include, path

handler500 = "monitor.views.show_failure"

urlpatterns = [
    path("", include("monitor.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
]
