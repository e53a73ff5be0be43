import os

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("brittle", "0001_fine")]
    atomic = os.environ["BRITTLE"] == "atomic"
    operations = [
        migrations.RunSQL("CREATE TABLE brittle_half (id int)", migrations.RunSQL.noop),
        migrations.RunSQL("SELECT 1 FROM\n  brittle_nowhere", migrations.RunSQL.noop),
    ]
