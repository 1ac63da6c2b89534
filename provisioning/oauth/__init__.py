"""The token endpoint: OAuth 2.0 client credentials (RFC 6749 §4.4) for identity providers."""
