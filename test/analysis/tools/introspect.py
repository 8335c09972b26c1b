"""Lets Python's tools look at a database, each as its users have it do.

introspect.py FOLDER TOOL: the folder holds the packages; where the database is, libpq's variables say.
"""

import os
import subprocess
import sys

folder, tool = sys.argv[1:]
sys.path.insert(0, folder)
os.environ["PYTHONPATH"] = folder
URL = "postgresql+psycopg2://"


def sqlalchemy():
    from sqlalchemy import MetaData, create_engine, inspect

    engine = create_engine(URL)
    look = inspect(engine)
    for schema in look.get_schema_names():
        if schema.startswith("pg_") or schema == "information_schema":
            continue
        MetaData().reflect(engine, schema=schema, views=True)
        look.get_sequence_names(schema), look.get_materialized_view_names(schema), look.get_domains(schema), look.get_enums(schema)
        look.get_multi_table_comment(schema), look.get_multi_check_constraints(schema), look.get_multi_unique_constraints(schema)
        for view in look.get_view_names(schema):
            look.get_view_definition(view, schema)
        for table in look.get_table_names(schema):
            look.has_table(table, schema), look.get_table_oid(table, schema), look.get_pk_constraint(table, schema)
            look.get_foreign_keys(table, schema), look.get_indexes(table, schema), look.get_columns(table, schema)


def sqlacodegen():
    subprocess.run([sys.executable, "-m", "sqlacodegen", URL], check=True, stdout=subprocess.DEVNULL)


def alembic():
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import MetaData, create_engine

    with create_engine(URL).connect() as connection:
        compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), MetaData())


def django():
    from django.conf import settings

    applications = ["auth", "contenttypes", "sessions", "admin", "messages", "postgres", "sites", "flatpages", "redirects"]
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"], "USER": os.environ["PGUSER"], "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"]}},
        INSTALLED_APPS=[f"django.contrib.{name}" for name in applications],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SITE_ID=1,
        SECRET_KEY="not one",
    )
    import django as package

    package.setup()
    from django.contrib.admin.models import LogEntry
    from django.contrib.auth import authenticate
    from django.contrib.auth.models import Group, Permission, User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.db import transaction
    from django.db.models import Avg, Case, Count, Exists, F, Max, OuterRef, Q, Subquery, Value, When, Window
    from django.db.models.functions import Coalesce, Concat, ExtractYear, Lower, RowNumber, TruncMonth

    call_command("migrate", verbosity=0)
    call_command("inspectdb", include_views=True, include_partitions=True, stdout=open(os.devnull, "w"))
    call_command("showmigrations", stdout=open(os.devnull, "w"))
    users = [User.objects.create_user(f"user{number}", f"user{number}@example.com", "secret") for number in range(3)]
    group, _ = Group.objects.get_or_create(name="people")
    group.permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    users[0].groups.add(group)
    authenticate(username="user0", password="secret")
    users[0].has_perm("auth.add_user"), list(users[0].get_all_permissions())
    User.objects.filter(username="user1").update(last_name=Concat(F("first_name"), Value("x")))
    User.objects.update_or_create(username="user9", defaults={"email": "nine@example.com"})
    User.objects.bulk_create([User(username="user5"), User(username="user6")], update_conflicts=True, unique_fields=["username"], update_fields=["email"])
    User.objects.in_bulk([1, 2])
    session = SessionStore()
    session["a"] = 1
    session.save(), session.load(), session.delete()
    with transaction.atomic():
        list(User.objects.select_for_update(of=("self",)).filter(pk=users[0].pk))
    newest = User.objects.filter(groups=OuterRef("pk")).order_by("-date_joined").values("username")[:1]
    querysets = [
        User.objects.filter(Q(username__icontains="us") | ~Q(email__endswith="org"), groups__name__in=["people"]).distinct(),
        User.objects.annotate(n=Count("groups"), last=Max("logentry__action_time")).filter(n__gt=0).order_by("-n", Lower("username")),
        Group.objects.annotate(newest=Subquery(newest), any=Exists(newest)).filter(any=True),
        User.objects.annotate(month=TruncMonth("date_joined")).values("month").annotate(n=Count("*"), mean=Avg("id")).order_by("month"),
        User.objects.annotate(row=Window(RowNumber(), partition_by=[ExtractYear("date_joined")], order_by="id")),
        User.objects.annotate(kind=Case(When(is_staff=True, then=Value("staff")), default=Value("other")), name=Coalesce("last_name", "username")),
        User.objects.filter(date_joined__year=2024, username__regex="^u", id__range=(1, 5)).exclude(groups__isnull=True).select_related().prefetch_related("groups__permissions"),
        User.objects.values_list("username").union(Group.objects.values_list("name"), all=True).order_by("username"),
        LogEntry.objects.select_related("user", "content_type").order_by("-action_time")[:10],
    ]
    for queryset in querysets:
        list(queryset)
    User.objects.filter(groups__isnull=True).exists(), User.objects.aggregate(Max("id"), n=Count("id", filter=Q(is_staff=True), distinct=True))
    call_command("clearsessions")
    User.objects.filter(username__startswith="user").delete()


def peewee():
    from playhouse.postgres_ext import PostgresqlExtDatabase
    from playhouse.reflection import Introspector

    database = PostgresqlExtDatabase(os.environ["PGDATABASE"])
    Introspector.from_database(database).generate_models()
    for table in database.get_tables():
        database.get_indexes(table), database.get_columns(table), database.get_primary_keys(table), database.get_foreign_keys(table)
    database.get_views(), database.sequence_exists("orders_id_seq")


def pgcli():
    from pgcli.pgexecute import PGExecute

    execute = PGExecute(database=os.environ["PGDATABASE"], user=os.environ["PGUSER"], host=os.environ["PGHOST"], port=os.environ["PGPORT"], password="")
    for question in ("search_path", "schemata", "tables", "views", "table_columns", "view_columns", "databases", "full_databases", "foreignkeys", "functions", "datatypes", "casing"):
        answer = getattr(execute, question)()
        if answer is not None:
            list(answer)
    execute.view_definition("named"), execute.function_definition("full_name"), execute.get_socket_directory()
    for command in open(os.path.join(os.path.dirname(__file__), "commands.psql")):
        for _ in execute.run(command.strip(), on_error_resume=True, exception_formatter=str):
            pass


def migra():
    from schemainspect import get_inspector
    from sqlalchemy import create_engine

    with create_engine(URL).connect() as connection:
        get_inspector(connection)


globals()[tool]()
