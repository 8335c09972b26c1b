"""What applications do with psycopg 2 and 3. The environment says where; prints "fine", or ends with an exception."""
import io

import psycopg
import psycopg2
import psycopg2.extras


def with_psycopg2():
    c = psycopg2.connect("")
    k = c.cursor()
    k.execute("drop table if exists py2; create table py2 (id serial primary key, t text, j jsonb, b bytea)")
    psycopg2.extras.execute_values(k, "insert into py2 (t) values %s", [(f"r{i}",) for i in range(1000)])
    psycopg2.extras.execute_batch(k, "update py2 set t = t || %s where id = %s", [("x", i) for i in range(100)])
    k.execute("insert into py2 (t, j, b) values (%s, %s, %s) returning id", ("ü'\\", psycopg2.extras.Json({"a": [1]}), b"\0\xff"))
    k.execute("select t, j, b from py2 where id = %s", (k.fetchone()[0],))
    t, j, b = k.fetchone()
    assert (t, j, bytes(b)) == ("ü'\\", {"a": [1]}, b"\0\xff")
    k.copy_expert("copy py2 (t) from stdin with csv", io.StringIO("eins\n\"zwei,drei\"\n"))
    out = io.StringIO()
    k.copy_expert("copy (select t from py2 where t like 'zwei%') to stdout", out)
    assert out.getvalue() == "zwei,drei\n"
    c.commit()
    n = c.cursor("named", scrollable=True)
    n.execute("select g from generate_series(1, 5000) g")
    assert len(n.fetchmany(10)) == 10
    n.scroll(-5)
    assert n.fetchone() == (6,)
    n.close()
    try:
        k.execute("select 1/0")
        raise SystemExit("no error")
    except psycopg2.errors.DivisionByZero:
        c.rollback()
    c.set_session(isolation_level="SERIALIZABLE", readonly=True)
    k.execute("select 1")
    c.commit()
    c.set_session(autocommit=True)
    k.execute("listen py2_news")
    k.execute("notify py2_news, 'hello'")
    c.poll()
    assert [(one.channel, one.payload) for one in c.notifies] == [("py2_news", "hello")]
    large = psycopg2.connect("")
    o = large.lobject(0, "wb")
    o.write(b"a large object" * 1000)
    oid = o.oid
    o.close()
    o = large.lobject(oid, "rb")
    o.seek(14)
    assert o.read(14) == b"a large object"
    o.unlink()
    large.commit()
    large.close()
    x = c.xid(1, "hoop", "branch")
    assert x is not None
    c.close()


def with_psycopg3():
    with psycopg.connect("") as c:
        c.execute("drop table if exists py3")
        c.execute("create table py3 (id int primary key, t text, at timestamptz default now(), n numeric, b bytea)")
        with c.cursor() as k:
            k.executemany("insert into py3 (id, t) values (%s, %s)", [(i, f"r{i}") for i in range(1000)])
        with c.cursor(binary=True) as k:
            k.execute("select id, t, at, 1.5::numeric, '\\x00ff'::bytea, '{1,2}'::int[] from py3 where id = %b", (7,))
            row = k.fetchone()
            assert (row[0], row[1], str(row[3]), row[4], row[5]) == (7, "r7", "1.5", b"\0\xff", [1, 2])
        with c.cursor().copy("copy py3 (id, t) from stdin (format binary)") as copy:
            copy.set_types(["int4", "text"])
            for i in range(1000, 2000):
                copy.write_row((i, f"c{i}"))
        with c.cursor().copy("copy py3 (id, t) to stdout (format binary)") as copy:
            copy.set_types(["int4", "text"])
            assert sum(1 for _ in copy.rows()) == 2000
        for i in range(12):
            assert c.execute("select %s::int + 1", (i,), prepare=True).fetchone() == (i + 1,)
        with c.cursor("server_side") as k:
            k.itersize = 100
            k.execute("select id from py3 order by id")
            assert [r[0] for r in k] == list(range(2000))
        pipeline(c)
        try:
            with c.transaction():
                c.execute("select nothing_there")
            raise SystemExit("no error")
        except psycopg.errors.UndefinedColumn as e:
            assert e.diag.statement_position == "8", e.diag.statement_position
    try:
        with psycopg.connect("") as c:
            c.execute("selec 1")
        raise SystemExit("no error")
    except psycopg.errors.SyntaxError as e:
        assert (e.diag.message_primary, e.diag.statement_position) == ('syntax error at or near "selec"', "1"), e


def pipeline(c):
    with c.pipeline() as p:
        results = [c.execute("select %s::int", (i,)) for i in range(100)]
        p.sync()
        assert [r.fetchone()[0] for r in results] == list(range(100))
        try:
            with c.transaction():
                c.execute("insert into py3 (id) values (1)")
                c.execute("select 'skipped'")
            raise SystemExit("no error")
        except psycopg.errors.UniqueViolation:
            pass
        assert c.execute("select count(*) from py3").fetchone() == (2000,)


with_psycopg2()
with_psycopg3()
print("fine")
