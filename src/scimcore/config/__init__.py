"""What a server is told, from a file or in Python, and the provider that it makes.

`scimcore serve --config` is this with a command line around it; an application that brings its own server uses it
directly. A database needs the extra `sql`.
"""

from scimcore.config.configuration import Configuration
from scimcore.config.faults import ConfigurationError, Fault
from scimcore.config.policies import POLICIES
from scimcore.config.reading import configuration_of, read_configuration
from scimcore.config.service import Database, Service, database_of, service_of

__all__ = [
    "POLICIES",
    "Configuration",
    "ConfigurationError",
    "Database",
    "Fault",
    "Service",
    "configuration_of",
    "database_of",
    "read_configuration",
    "service_of",
]
