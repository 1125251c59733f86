"""What was measured of the watched hosts: minutes with every packet, and hours."""

from django.db import models

from monitor.models.host import Host


class Figures(models.Model):
    """The figures of a span of one host: times are microseconds, None where nothing came back.

    `reason` is the code (`monitor.packing`) of most of what was not measured, `jitter_sum_us` adds up the changes from
    one answered echo to the next, `histogram` is packed by `monitor.histogram`,
    narrow for a minute and wide for an hour. All are None for a minute that is
    under way. Who deletes a host leaves its history to the roll-up, which takes it away in small steps; so no
    constraint ties this to the host, and a minute that the watcher still writes cannot fail.
    """

    host = models.ForeignKey(Host, models.DO_NOTHING, db_constraint=False, db_index=False)
    sent = models.PositiveIntegerField(null=True)
    received = models.PositiveIntegerField(null=True)
    not_measured = models.PositiveIntegerField(null=True)
    reason = models.SmallIntegerField(null=True)
    min_us = models.PositiveIntegerField(null=True)
    median_us = models.PositiveIntegerField(null=True)
    max_us = models.PositiveIntegerField(null=True)
    jitter_sum_us = models.PositiveBigIntegerField(null=True)
    histogram = models.BinaryField(null=True)

    class Meta:
        abstract = True


class Minute(Figures):
    """A minute of one host (`minute` counts from 1970, UTC): its figures, and every packet while those are kept."""

    pk = models.CompositePrimaryKey("host_id", "minute")
    minute = models.PositiveIntegerField()
    packets = models.BinaryField(null=True)

    def __str__(self) -> str:
        return f"{self.host_id} {self.minute}"


class Hour(Figures):
    """An hour of one host (`hour` counts from 1970, UTC), for ever."""

    pk = models.CompositePrimaryKey("host_id", "hour")
    hour = models.PositiveIntegerField()
    sum_us = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.host_id} {self.hour}"
