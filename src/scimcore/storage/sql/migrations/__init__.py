"""How the tables came to be what they are: a chain of revisions that alembic applies.

The mechanism knows no table. Whoever keeps other tables beside the resources (tokens, an audit trail) gives it a
`History` of their own, with a folder of revisions and a version table of their own, so that each part changes when it
has to, and an application that does not use a part has none of its tables.

Revisions are numbered: `r0001_….py` has the revision `"0001"`, and the next one refers to it as its `down_revision`.
A revision repeats what it needs to know of the tables, because `tables.py` goes on changing and a revision that was
released does not.
"""

from pathlib import Path

import attrs
from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect, select

from scimcore.storage.sql.dialect import Dialect, alone


class UnfitDatabaseError(Exception):
    """What is in the database was written in another way than this program reads it, so answers would be wrong."""


@attrs.frozen
class History:
    """Tables that change together: what they are now, and the revisions that led there."""

    metadata: MetaData
    head: str
    """The last revision: the one that leaves the tables as *metadata* says."""
    revisions: Path
    """The folder of the revisions."""
    version_table: str
    """The table with the one row that says at which revision the tables are."""

    def revision(self, connection: Connection) -> str | None:
        """The revision that the tables are at; None if nothing says so."""
        if not inspect(connection).has_table(self.version_table):
            return None
        found: str | None = connection.execute(select(self._version().c.version_num)).scalar()
        return found

    def check(self, connection: Connection) -> None:
        """Make sure that the tables are not those of an earlier release.

        Later ones pass: while a new release is rolled out, processes of the one before still run.

        Raises:
            UnfitDatabaseError: A revision is still to be applied.
        """
        found = self.revision(connection)
        if found is not None and found < self.head:
            raise UnfitDatabaseError(
                f"the tables are at revision {found} and this release needs {self.head}: call migrate(), or run "
                "scimcore migrate"
            )

    def create(self, connection: Connection, dialect: Dialect) -> None:
        """Make the tables as they are now, if there are none, and note the revision.

        Several processes may do it at once: one does, the others wait for it.

        Raises:
            UnfitDatabaseError: There are tables, and a revision is still to be applied to them.
        """
        with alone(connection, dialect):
            self.check(connection)
            if self.revision(connection) is None:
                self.metadata.create_all(connection)
                version = self._version()
                version.create(connection, checkfirst=True)
                connection.execute(version.insert(), {"version_num": self.head})

    def upgrade(self, connection: Connection, dialect: Dialect, to: str = "head") -> None:
        """Apply the revisions that are still to be applied, up to *to*: all of them, or none if one fails.

        Several processes may do it at once: one does, the others wait for it and find nothing left to do.

        Raises:
            UnfitDatabaseError: There are tables, and nothing says at which revision they are.
        """
        if to == "head" and self.revision(connection) == self.head:
            return
        # It takes a quarter of a second to import, and most processes never need it.
        from alembic.operations import Operations
        from alembic.runtime.migration import MigrationContext, MigrationStep
        from alembic.script import ScriptDirectory

        scripts = ScriptDirectory(self.revisions, version_locations=[self.revisions])

        def steps(heads: tuple[str, ...], _: object) -> list[MigrationStep]:
            found = list(scripts.iterate_revisions(to, heads or None))
            return [MigrationStep.upgrade_from_script(scripts.revision_map, one) for one in reversed(found)]

        with alone(connection, dialect):
            if self.revision(connection) is None:
                self._check_empty(connection)
            options = {"fn": steps, "version_table": self.version_table}
            context = MigrationContext.configure(connection, opts=options)
            with Operations.context(context):
                context.run_migrations()

    def _check_empty(self, connection: Connection) -> None:
        there = set(inspect(connection).get_table_names()) & set(self.metadata.tables)
        if there:
            raise UnfitDatabaseError(f"nothing says which revision made {', '.join(sorted(there))}")

    def _version(self) -> Table:
        # As alembic makes it.
        return Table(
            self.version_table,
            MetaData(),
            Column("version_num", String(32), nullable=False),
            PrimaryKeyConstraint("version_num", name=f"{self.version_table}_pkc"),
        )
