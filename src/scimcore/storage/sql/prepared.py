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

from sqlalchemy import ClauseElement, Connection, PoolProxiedConnection
from sqlalchemy.engine.interfaces import DBAPICursor, DBAPIModule
from sqlalchemy.engine.interfaces import Dialect as Driver
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Parameters: TypeAlias = Mapping[str, object] | list[dict[str, Any]]
"""The parameters of a statement; a list executes it once for each in it."""

Rows: TypeAlias = Sequence[Sequence[Any]]
"""What a statement returns, if it does: for each row the columns in their order."""

_NOTHING: Final[Rows] = ()

_Bind: TypeAlias = Callable[[Mapping[str, object]], Any]


class _Prepared(NamedTuple):
    text: str
    bind: _Bind
    """The parameters as the driver takes them."""


class Immediate:
    """A synchronous connection, for as many statements as are of one piece: who listens to it is found out once."""

    __slots__ = ("connection", "driver", "new_cursor")

    connection: Connection
    driver: Driver
    new_cursor: Callable[[], DBAPICursor] | None
    """What the driver makes cursors with; None if statements are SQLAlchemy's to hand on."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.driver = connection.dialect
        self.new_cursor = None
        self.look()

    def look(self) -> None:
        """Find out whether somebody listens to the engine by now, or has it log."""
        # The connection has listeners of its own too, but it is ours, and to ask it takes five times as long.
        engine = self.connection.engine
        listeners = engine.dispatch
        is_watched = engine.echo or listeners.before_cursor_execute or listeners.after_cursor_execute
        self.new_cursor = None if is_watched else _cursors_of(self.connection.connection)


def _cursors_of(pooled: PoolProxiedConnection) -> Callable[[], DBAPICursor]:
    connection = pooled.dbapi_connection
    return pooled.cursor if connection is None else connection.cursor


def asked(link: Immediate, statement: ClauseElement, parameters: Parameters) -> Rows:
    """What the database answers to *statement*, whose text no parameter changes.

    Raises:
        DBAPIError: The database refuses, or cannot be reached.
    """
    rows, _ = _put(link, statement, parameters)
    return rows


def altered(link: Immediate, statement: ClauseElement, parameters: Parameters) -> int:
    """How many rows *statement* writes, which returns none and whose text no parameter changes.

    Raises:
        DBAPIError: The database refuses, or cannot be reached.
    """
    # To have a written row returned takes SQLite as long as to write it.
    _, count = _put(link, statement, parameters)
    return count


def _put(link: Immediate, statement: ClauseElement, parameters: Parameters) -> tuple[Rows, int]:
    """The rows that *statement* returns, and to how many it applies."""
    text, bind = _prepared(statement, link.driver)
    bound = [bind(one) for one in parameters] if isinstance(parameters, list) else bind(parameters)
    if link.new_cursor is None:
        result = link.connection.exec_driver_sql(text, bound)
        count = result.rowcount
        return (result.all() if result.returns_rows else _NOTHING), count
    cursor = link.new_cursor()
    try:
        (cursor.executemany if isinstance(bound, list) else cursor.execute)(text, bound)
        return (cursor.fetchall() if cursor.description else _NOTHING), cursor.rowcount
    except link.driver.loaded_dbapi.Error as error:
        raise _fault(link.connection, cursor, error, text, bound) from error
    except BaseException as error:
        if not isinstance(error, Exception):
            # Cancelled in the middle of a statement: whatever the connection is in, nobody shall have it again.
            link.connection.invalidate()
        raise
    finally:
        cursor.close()


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
