"""Filters (RFC 7644 §3.4.2.2): text → tree (``parser``), tree over a document (``match``)."""
