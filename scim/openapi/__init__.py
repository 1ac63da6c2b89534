"""The published description of the service (OpenAPI 3.1): see ``scim.openapi.document.describe``."""
