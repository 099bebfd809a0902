"""What a PostgreSQL server or its driver complains about in, one line that says what to do out."""

from __future__ import annotations

_BY_STATE = {
    "55P03": "another sentinel is writing; try again when it is done",
    "57014": "the question took too long; narrow it and ask again",
    "53100": "the disk of the database server is full; nothing of this step was stored, free some space there",
    "53200": "the database server is out of memory; nothing of this step was stored",
    "53300": "the database server has no connection left; raise max_connections, or end some",
    "25006": "the database cannot be written: it was opened for reading, or the server is a standby",
    "57P01": "the database server is shutting down; nothing of this step was stored, try again later",
    "57P02": "the database server crashed; nothing of this step was stored, try again later",
    "40P01": "two processes waited for each other; nothing of this step was stored, try again",
}
_BY_WORDS = {
    "password authentication failed": (
        "the server refused the login; put the password into ~/.pgpass (mode 0600), PGPASSFILE or the systemd "
        "credential sentinel-database-password"
    ),
    "no password supplied": (
        "the server wants a password; put it into ~/.pgpass (mode 0600), PGPASSFILE or the systemd credential "
        "sentinel-database-password"
    ),
    "authentication failed": "the server refused the login; check the user and pg_hba.conf",
    "no pg_hba.conf entry": "the server lets this user in from nowhere near here; add a line to its pg_hba.conf",
    "Connection refused": "no server answers there; check host and port, and that PostgreSQL runs",
    "No such file or directory": "no server answers there; check host and port, and that PostgreSQL runs",
    "timeout": "the server does not answer; check host, port and the network",
    "failed to resolve host": "the server's name is unknown; check the host",
    "could not translate host name": "the server's name is unknown; check the host",
    "server closed the connection": "the connection was lost; nothing of this step was stored, try again",
    "the connection is lost": "the connection was lost; nothing of this step was stored, try again",
    "the connection is closed": "the connection was lost; nothing of this step was stored, try again",
}


def explain_error(error: BaseException) -> str:
    """Say in one line what is wrong and, where that is known, what to do; never with the values of a row in it.

    Takes a psycopg error: its `sqlstate` and the primary message; the detail would quote what was to be stored.
    """
    hint = _BY_STATE.get(getattr(error, "sqlstate", None) or "")
    if hint:
        return hint
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    text = str(primary or error)
    lines = [line.strip(" -\t") for line in text.splitlines() if line.strip()]
    line = lines[1] if len(lines) > 1 and lines[0].startswith("Multiple connection attempts") else (lines or ["?"])[0]
    hint = next((hint for word, hint in _BY_WORDS.items() if word in text), "")
    return f"{hint} ({line})" if hint else line
