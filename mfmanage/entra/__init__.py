"""The Entra simulator: a client that provisions a directory file as Entra's provisioning service does.

It speaks HTTP only and knows nothing of the server. What it imitates, and from which source, is in
``docs/entra-simulator.md``.
"""
