"""Looks at a control store without changing it."""

import re
import time
from collections.abc import Iterator

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

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
        yield _fault(error)
    finally:
        engine.dispose()


def _fault(error: SQLAlchemyError) -> Finding:
    """What PostgreSQL or the system says to who asks for a connection; of a statement, its kind."""
    origin = getattr(error, "orig", None)
    if not isinstance(error, OperationalError) or getattr(origin, "sqlstate", None) is not None:
        return wrong("control store", f"answers with a fault ({cause(error)})", "look into its own log")
    said = str(origin)
    if refused := re.search(r"FATAL: +(.+)", said):
        advice = "see the user, the password and the database in BURGEE_DATABASE"
        return wrong("control store", f"refuses us: {refused[1]}", advice)
    why = re.search(r"failed: (?!.*failed: )(.+)", said)
    return wrong(
        "control store",
        f"cannot be reached: {why[1] if why else said.splitlines()[0]}",
        "see that it runs, and that BURGEE_DATABASE has its host and port",
    )


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
