"""What the provider says about itself: configuration, resource types, schemas (RFC 7643 §5 to §7; RFC 7644 §4)."""

from collections.abc import Iterator

from scimcore.engine.answer import Answering
from scimcore.engine.environment import Environment
from scimcore.engine.http import Response
from scimcore.engine.operation import Discover, DiscoverConfig, DiscoverResourceTypes, DiscoverSchemas
from scimcore.errors import NotFoundError
from scimcore.rules.identifier import is_unique
from scimcore.schema.attribute import Attribute
from scimcore.schema.catalogue import ResourceType, Schema
from scimcore.schema.document import Json
from scimcore.schema.standard import (
    RESOURCE_TYPE_SCHEMA,
    SCHEMA_SCHEMA,
    SERVICE_PROVIDER_CONFIG_SCHEMA,
)

BUILT_IN = (SERVICE_PROVIDER_CONFIG_SCHEMA, RESOURCE_TYPE_SCHEMA, SCHEMA_SCHEMA)


def discovered(operation: Discover, environment: Environment, answering: Answering) -> Response:
    """The answer to a discovery request; sorting, paging and attribute selection are ignored (RFC 7644 §4).

    Raises:
        NotFoundError: There is no such resource type or schema.
    """
    match operation:
        case DiscoverConfig():
            return answering.document(_config(environment, answering.base_url))
        case DiscoverResourceTypes(name):
            if name is None:
                found = [_resource_type(one, answering.base_url) for one in environment.catalogue.resource_types]
                return answering.list(found, len(found), 1)
            resource_type = environment.catalogue.named(name)
            if resource_type is None:
                raise NotFoundError("resource type")
            return answering.document(_resource_type(resource_type, answering.base_url))
        case DiscoverSchemas(urn):
            schemas = list(_schemas(environment, answering.base_url))
            if urn is None:
                return answering.list(schemas, len(schemas), 1)
            for schema in schemas:
                if str(schema["id"]).lower() == urn.lower():
                    return answering.document(schema)
            raise NotFoundError("schema")


def _config(environment: Environment, base_url: str) -> dict[str, Json]:
    limits = environment.limits
    return {
        "schemas": [SERVICE_PROVIDER_CONFIG_SCHEMA.id],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": limits.max_page_size},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "pagination": {
            "cursor": False,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": limits.default_page_size,
            "maxPageSize": limits.max_page_size,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A token in the Authorization header, issued by the service provider.",
                "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
                "primary": True,
            }
        ],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": f"{base_url}/ServiceProviderConfig",
        },
    }


def _resource_type(resource_type: ResourceType, base_url: str) -> dict[str, Json]:
    shown: dict[str, Json] = {
        "schemas": [RESOURCE_TYPE_SCHEMA.id],
        "id": resource_type.name,
        "name": resource_type.name,
        "description": resource_type.description,
        "endpoint": resource_type.endpoint,
        "schema": resource_type.schema.id,
        "schemaExtensions": [
            {"schema": extension.schema.id, "required": extension.required} for extension in resource_type.extensions
        ],
        "meta": {
            "resourceType": "ResourceType",
            "location": f"{base_url}/ResourceTypes/{resource_type.name}",
        },
    }
    return {name: value for name, value in shown.items() if value not in ("", [])}


def _schemas(environment: Environment, base_url: str) -> Iterator[dict[str, Json]]:
    for schema in (*environment.catalogue.schemas, *BUILT_IN):
        shown = schema.as_json()
        shown["attributes"] = [_attribute(one, schema, environment) for one in schema.attributes]
        shown["meta"] = {"resourceType": "Schema", "location": f"{base_url}/Schemas/{schema.id}"}
        yield shown


def _attribute(attribute: Attribute, schema: Schema, environment: Environment) -> dict[str, Json]:
    """The definition, with the uniqueness that is really enforced (RFC 7643 §4.2 leaves that of group names open)."""
    shown = attribute.as_json()
    for resource_type in environment.catalogue.resource_types:
        if resource_type.schema is schema and is_unique(attribute, resource_type, environment.dialect.tolerance):
            shown["uniqueness"] = "server" if shown["uniqueness"] == "none" else shown["uniqueness"]
    return shown
