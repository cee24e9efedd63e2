"""Looks at a control store without changing it."""

import time
from collections.abc import Iterator

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from burgee_server.causes import cause
from burgee_server.findings import Finding, ok, warning, wrong
from burgee_server.storage.sql.engine import MIGRATIONS

_CONNECT_SECONDS = 5
_SKEW_SECONDS = 2.0


def check_database(url: str) -> Iterator[Finding]:
    """Whether a database answers, and is at the newest migration. Blocks."""
    is_file = make_url(url).get_backend_name() == "sqlite"
    engine = create_engine(
        url, hide_parameters=True, connect_args={} if is_file else {"connect_timeout": _CONNECT_SECONDS}
    )
    try:
        yield from _look(engine)
    except SQLAlchemyError as error:
        yield wrong("control store", f"does not answer ({cause(error)})", "see that it runs, and that the URL is right")
    finally:
        engine.dispose()


def _look(engine: Engine) -> Iterator[Finding]:
    from alembic.migration import MigrationContext  # this module is part of every server, which seldom looks
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(MIGRATIONS))
    newest = scripts.get_current_head()
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if engine.dialect.name == "postgresql":
            its = float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
            if abs(skew := its - time.time()) > _SKEW_SECONDS:
                yield warning("clock", f"the control store's is {skew:+,.1f} s from ours", "keep both with NTP")
    if current == newest:
        yield ok("control store", f"{engine.dialect.name}, at the newest migration ({newest})")
    elif current is None:
        yield ok("control store", f"{engine.dialect.name}, empty: the first start makes its tables")
    elif current in {script.revision for script in scripts.walk_revisions()}:
        yield warning("control store", f"at migration {current} of {newest}", "the next start brings it up to date")
    else:
        yield wrong("control store", f"at migration {current}, which this Burgee does not know", "run the newer Burgee")
