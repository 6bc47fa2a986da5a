"""Statements that are always the same, given to the driver as text.

SQLAlchemy writes them, once for each engine. It also checks connections out, says what is a fault of the database, and
hands such statements on itself where somebody listens to an engine or has it log. Otherwise the cursor is asked
directly: what SQLAlchemy does around each statement was a third of the time of a GET on SQLite, and a quarter of that
of a create.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import ClauseElement, Connection
from sqlalchemy.engine.interfaces import DBAPICursor, DBAPIModule
from sqlalchemy.engine.interfaces import Dialect as Driver
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Parameters: TypeAlias = Mapping[str, object] | Sequence[Mapping[str, object]]
"""The parameters of a statement; a sequence executes it once for each."""

Rows: TypeAlias = Sequence[Sequence[Any]]
"""What a statement returns, if it does: for each row the columns in their order."""

_NOTHING: Final[Rows] = ()

_Bind: TypeAlias = Callable[[Mapping[str, object]], Any]


class _Prepared(NamedTuple):
    text: str
    bind: _Bind
    """The parameters as the driver takes them."""


def asked(connection: Connection, statement: ClauseElement, parameters: Parameters) -> Rows:
    """What the database answers to *statement*, whose text no parameter changes.

    Raises:
        DBAPIError: The database refuses, or cannot be reached.
    """
    text, bind = _prepared(statement, connection.dialect)
    bound = bind(parameters) if isinstance(parameters, Mapping) else [bind(one) for one in parameters]
    if _is_watched(connection):
        result = connection.exec_driver_sql(text, bound)
        return result.all() if result.returns_rows else _NOTHING
    cursor = connection.connection.cursor()
    try:
        (cursor.executemany if isinstance(bound, list) else cursor.execute)(text, bound)
        return cursor.fetchall() if cursor.description else _NOTHING
    except connection.dialect.loaded_dbapi.Error as error:
        raise _fault(connection, cursor, error, text, bound) from error
    except BaseException as error:
        if not isinstance(error, Exception):
            # Cancelled in the middle of a statement: whatever the connection is in, nobody shall have it again.
            connection.invalidate()
        raise
    finally:
        cursor.close()


def _is_watched(connection: Connection) -> bool:
    # The connection has listeners of its own too, but it is ours, and to ask it takes five times as long.
    engine = connection.engine
    listeners = engine.dispatch
    return bool(engine.echo or listeners.before_cursor_execute or listeners.after_cursor_execute)


def _fault(
    connection: Connection, cursor: DBAPICursor, error: DBAPIModule.Error, text: str, bound: Any
) -> BaseException:
    """What SQLAlchemy makes of *error*."""
    is_lost = connection.dialect.is_disconnect(error, connection.connection, cursor)
    if is_lost:
        # Once SQLAlchemy sees it for itself, it lets go of the other connections in the pool, which are lost too.
        with suppress(DBAPIError):
            connection.exec_driver_sql("SELECT 1")
    return DBAPIError.instance(
        text,
        bound,
        error,
        connection.dialect.loaded_dbapi.Error,
        hide_parameters=connection.engine.hide_parameters,
        connection_invalidated=is_lost,
        dialect=connection.dialect,
    )


@lru_cache(maxsize=1_000)
def _prepared(statement: ClauseElement, driver: Driver) -> _Prepared:
    compiled = statement.compile(dialect=driver)
    names = compiled.positiontup if isinstance(compiled, SQLCompiler) else None
    # What the statement itself says, such as a limit, is bound like everything else.
    said = {name: value for name, value in compiled.params.items() if value is not None}
    if names is None:
        return _Prepared(compiled.string, lambda given: {**said, **given})
    if len(names) > 1:
        in_order = itemgetter(*names)
        return _Prepared(compiled.string, lambda given: in_order({**said, **given}) if said else in_order(given))
    return _Prepared(compiled.string, lambda given: tuple([{**said, **given}[name] for name in names]))
