"""Resources in a SQL database, over SQLAlchemy 2: SQLite or PostgreSQL, with an event loop or without one.

It needs the extra `sql`. Nothing here knows the engine of scimcore; no session knows which driver it speaks through.
"""

from scimcore.storage.sql.storage import SqlStorage

__all__ = ["SqlStorage"]
