"""Text for terminals.

In: names and messages that people wrote. Out: text that a terminal shows and does not obey.
"""


def printable(text: str) -> str:
    """The text on one line, with ? for each character that a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)
