"""What ends the demo early."""


class DemoError(Exception):
    """A step failed; the message is for the person at the terminal."""
