"""Many operations in one request (RFC 7644 §3.7): read, put in order, carried out."""
