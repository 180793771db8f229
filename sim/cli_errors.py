"""What a command raises when its words cannot be used."""


class BadInput(Exception):
    """Something that the user can repair; the message says how. The command ends with 2 and has written nothing."""
