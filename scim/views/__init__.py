"""SCIM's addresses: each view translates and makes one call of ``scim.resources`` or ``scim.discovery``."""
