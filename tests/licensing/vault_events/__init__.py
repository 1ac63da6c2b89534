"""What happens to a world of ``tests.licensing.vault_worlds``: each event is a function of it and two numbers."""
