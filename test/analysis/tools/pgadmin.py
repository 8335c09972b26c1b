"""Prints what pgAdmin asks a server, as JSON, texts and names: its templates, each filled in twice.

pgadmin.py FOLDER: the folder holds the packages jinja2 and pgadmin4. Whatever a template is not told is once there, as
the OID of a schema, and once not.
"""

import glob
import json
import os
import sys

folder = sys.argv[1]
sys.path.insert(0, folder)
import jinja2  # noqa: E402  from that folder


class Given(jinja2.ChainableUndefined):
    def __bool__(self):
        return True

    def __iter__(self):
        return iter(())

    def __call__(self, *_, **__):
        return self

    def __str__(self):
        return "2200"

    __int__ = lambda self: 3  # noqa: E731
    __add__ = __radd__ = lambda self, other: str(other)  # noqa: E731
    __eq__ = lambda self, other: False  # noqa: E731
    __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True  # noqa: E731
    __hash__ = object.__hash__


class Missing(jinja2.ChainableUndefined):
    def __call__(self, *_, **__):
        return self

    def __str__(self):
        return "0"

    __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: False  # noqa: E731


folders = glob.glob(f"{folder}/pgadmin4/**/templates", recursive=True)
found = {}
for undefined in (Given, Missing):
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=undefined,
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
    )
    environment.globals["_"] = str
    for name in ("qtIdent", "qtTypeIdent"):
        environment.filters[name] = lambda _conn, *names: ".".join(f'"{one}"' for one in names)
    environment.filters["qtLiteral"] = lambda value, *_: f"'{value}'"
    environment.filters["hasAny"] = lambda *_: False
    environment.filters["prepareColumns"] = lambda value, *_: value
    for place in folders:
        for path in sorted(glob.glob(f"{place}/**/*.sql", recursive=True)):
            name = os.path.relpath(path, place)
            try:
                found.setdefault(environment.get_template(name).render(), name)
            except Exception:
                continue
print(json.dumps(list(found.items())))
