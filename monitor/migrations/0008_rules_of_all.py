from django.db import migrations, models
from django.db.models.functions import Coalesce


def keep_newest(apps, schema_editor):
    """Two that saved the first rules of all hosts in the same moment left two rows: the later one applies."""
    rules = apps.get_model('monitor', 'Rules').objects.filter(host=None, group=None)
    if newest := rules.order_by('-changed_at', '-pk').first():
        rules.exclude(pk=newest.pk).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('monitor', '0007_judged_until'),
    ]

    operations = [
        migrations.RunPython(keep_newest, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='rules',
            constraint=models.UniqueConstraint(
                Coalesce('group', models.Value('')),
                condition=models.Q(('group__isnull', True), ('host__isnull', True)),
                name='rules_of_all',
            ),
        ),
    ]
