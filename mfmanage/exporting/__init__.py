"""What ``manage.py export`` can print: each module is one kind of file."""
