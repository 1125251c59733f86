"""The admin of maintenance windows."""

from django.contrib import admin

from monitor.maintenance_form import MaintenanceForm
from monitor.models import Maintenance
from monitor.tables import Table


@admin.register(Maintenance)
class MaintenanceAdmin(Table):
    """Every maintenance window, checked as everywhere else."""

    form = MaintenanceForm
    fields = (*MaintenanceForm.Meta.fields, "cancelled")
    list_display = ("name", "starts_on", "starts_at", "zone", "minutes", "recurrence", "group", "tag", "cancelled")
    list_filter = ("cancelled", "group")
    search_fields = ("name", "group", "tag")
    filter_horizontal = ("hosts",)
