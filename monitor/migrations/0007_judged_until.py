from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitor', '0006_incidents'),
    ]

    operations = [
        migrations.AddField(
            model_name='incident',
            name='judged_until',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
