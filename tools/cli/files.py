"""Reads files, with errors that name them, and writes them whole or not at all.
"""

from __future__ import annotations

import json
import os
from typing import Any

from cli.trouble import INFRASTRUCTURE, USAGE, Trouble, quote


def file_name(test: str) -> str:
    """The file name for a test, as the test binary forms it."""
    plain = "._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(
        chr(byte) if chr(byte) in plain else "-"
        for byte in os.fsencode(test))


def read_text(path: str, what: str) -> str:
    """The text of a file that a person or another program wrote.

    Bytes that are not UTF-8 become escapes. `what` says what was expected.
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise Trouble(f"cannot read {quote(path)}: {error.strerror}: "
                      f"expected {what}", USAGE) from error
    return content.decode("utf-8", "backslashreplace")


def parse_json(text: str, path: str, what: str) -> dict[str, Any]:
    """Parses `text`, from the file `path`, as a JSON object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = getattr(error, "lineno", None)
        reason = (f"line {where}: {error.msg}"
                  if where else "nested too deeply")
        ends = where and (error.pos >= len(text.rstrip())
                          or error.msg.startswith("Unterminated"))
        raise Trouble(
            f"{quote(path)} is not {what}: "
            f"{'it ends too early, at ' if ends else ''}{reason}") from error
    if not isinstance(value, dict):
        raise Trouble(f"{quote(path)} is not {what}: expected an object such "
                      f'as {{"...": ...}}')
    return value


def read_json(path: str, what: str) -> dict[str, Any]:
    """The JSON object in a file."""
    return parse_json(read_text(path, what), path, what)


def make_folder(path: str) -> None:
    """Makes a folder and its parents, if they do not exist."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise Trouble(f"cannot make the folder {quote(path)}: "
                      f"{error.strerror}", INFRASTRUCTURE) from error


def write_file(path: str, content: str | bytes) -> None:
    """Writes the file whole or not at all, by renaming a temporary file."""
    data = content if isinstance(content, bytes) else content.encode(
        "utf-8", "surrogateescape")
    unfinished = f"{path}.{os.getpid()}.tmp"
    try:
        with open(unfinished, "wb") as file:
            file.write(data)
        os.replace(unfinished, path)
    except OSError as error:
        try:
            os.remove(unfinished)
        except OSError:
            pass
        raise Trouble(f"cannot write {quote(path)}: {error.strerror}",
                      INFRASTRUCTURE) from error
