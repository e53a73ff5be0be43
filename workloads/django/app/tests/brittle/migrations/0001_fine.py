from django.db import migrations


class Migration(migrations.Migration):
    operations = [migrations.RunSQL("CREATE TABLE brittle_fine (id int)", migrations.RunSQL.noop)]
