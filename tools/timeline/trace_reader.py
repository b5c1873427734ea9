"""Reads the bytes of a trace.json into a trace_model.Trace.

One reader serves all classes of trace_model.py: it reads each member by its type
and metadata. It ignores members that it does not know and accepts missing ones,
so it can read traces of older versions. Whatever is wrong with a file becomes a
TraceError, whose text says what to do.
"""

import dataclasses
import functools
import json
import typing
from typing import Any, Callable, Optional

import trace_model as model
from trace_model import Trace, TraceError
from trace_text import printable

VERSION = 1

RUN_AGAIN = "run the test again with --clotho_out=DIR, and show DIR"

# The lists of a trace that other members have indices of.
_INDEXED = ("lanes", "stacks", "waits")


class _Reader:
    """Takes values out of JSON, and reports the path of an invalid one."""

    def __init__(self, source: str, root: dict[str, Any]):
        self.source = source
        self.sizes = {name: len(self.items(root.get(name, []), name))
                      for name in _INDEXED}

    def wrong(self, where: str, value: Any, expected: str) -> TraceError:
        shown = printable(json.dumps(value))
        if len(shown) > 60:
            shown = shown[:57] + "..."
        return TraceError(
            f"{self.source}: {where} is {shown}, expected {expected}: the "
            f"file was changed or damaged; {RUN_AGAIN}")

    def missing(self, where: str) -> TraceError:
        return TraceError(f"{self.source}: {where} is missing: the file was "
                          f"changed or damaged; {RUN_AGAIN}")

    # ---- One value. ----

    def items(self, value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            raise self.wrong(where, value, "a list")
        return value

    def text(self, value: Any, where: str) -> str:
        if not isinstance(value, str):
            raise self.wrong(where, value, "a text")
        return value

    def texts(self, value: Any, where: str) -> list[str]:
        for part in self.items(value, where):
            if not isinstance(part, str):
                raise self.wrong(where, part, "texts")
        return value

    def flag(self, value: Any, where: str) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(where, value, "true or false")
        return value

    def number(self, value: Any, where: str,
               least: Optional[int] = 0) -> int:
        if (isinstance(value, bool) or not isinstance(value, int) or
                least is not None and value < least):
            kind = "a whole number"
            if least is not None:
                kind += f" of at least {least}"
            raise self.wrong(where, value, kind)
        return value

    def index(self, value: Any, where: str, size: int,
              expected: str = "a number") -> int:
        if (isinstance(value, bool) or not isinstance(value, int) or
                not 0 <= value < size):
            raise self.wrong(where, value, f"{expected} below {size}")
        return value

    def indices(self, value: Any, where: str, size: int) -> list[int]:
        return [self.index(part, where, size, "numbers")
                for part in self.items(value, where)]

    # ---- Objects. ----

    def all(self, cls: type, value: Any, where: str) -> list[Any]:
        """A list of objects of a class of trace_model.py."""
        found: list[Any] = []
        for i, entry in enumerate(self.items(value, where)):
            at = f"{where}[{i}]"
            found.append(self.object(cls, entry, at))
            if cls in _CHECKS:
                _CHECKS[cls](self, found, f"{at}.")
        return found

    def object(self, cls: type, value: Any, where: str) -> Any:
        """An object of a class of trace_model.py."""
        if not isinstance(value, dict):
            raise self.wrong(where, value, "an object")
        prefix = f"{where}." if where else ""
        for name in getattr(cls, "REQUIRED", ()):
            if name not in value:
                raise self.missing(prefix + name)
        return cls(**{
            name: read(self, value[name], prefix + name)
            for name, read in _members(cls) if name in value
        })


_Read = Callable[[_Reader, Any, str], Any]


@functools.cache
def _members(cls: type) -> list[tuple[str, _Read]]:
    """How each member of a class is read."""
    types = typing.get_type_hints(cls)
    return [(field.name, _read_of(types[field.name], field.metadata))
            for field in dataclasses.fields(cls)
            if not field.metadata.get("derived")]


def _read_of(hint: Any, metadata: Any) -> _Read:
    """How a member of a type is read."""
    optional = type(None) in typing.get_args(hint)
    if optional:
        hint = next(part for part in typing.get_args(hint)
                    if part is not type(None))
    of = metadata.get("index")
    if hint is int and of is not None:
        # An execution in which no task ran has no lane, but its timers say 0.
        least = 0 if optional else 1
        return lambda reader, value, where: reader.index(
            value, where, max(reader.sizes[of], least))
    if hint is int:
        least = metadata.get("least", 0)
        return lambda reader, value, where: reader.number(value, where, least)
    if hint == list[int]:
        return lambda reader, value, where: reader.indices(
            value, where, reader.sizes[of])
    if hint == list[list[model.Frame]]:
        return lambda reader, value, where: [
            reader.all(model.Frame, stack, f"{where}[{i}]")
            for i, stack in enumerate(reader.items(value, where))]
    if typing.get_origin(hint) is list and hint != list[str]:
        cls = typing.get_args(hint)[0]
        return lambda reader, value, where: reader.all(cls, value, where)
    if dataclasses.is_dataclass(hint):
        return lambda reader, value, where: reader.object(hint, value, where)
    return {str: _Reader.text, bool: _Reader.flag,
            list[str]: _Reader.texts}[hint]


# ---- What holds between members. ----


def _check_step(reader: _Reader, steps: list[model.Step], where: str) -> None:
    step = steps[-1]
    step.candidates = step.candidates or 1
    if len(steps) > 1 and step.step <= steps[-2].step:
        raise reader.wrong(f"{where}step", step.step,
                           f"more than {steps[-2].step}")
    if step.choice >= step.candidates:
        raise reader.wrong(f"{where}choice", step.choice,
                           f"a number below {step.candidates}")


def _check_event(reader: _Reader, events: list[model.Event],
                 where: str) -> None:
    event = events[-1]
    if len(events) > 1 and event.step < events[-2].step:
        raise reader.wrong(f"{where}step", event.step,
                           f"at least {events[-2].step}")
    if event.kind in ("spawn", "wake") and event.other is None:
        raise reader.missing(f"{where}other")


# Checks of the last element of a list, by its class.
_CHECKS: dict[type, Callable[[_Reader, list[Any], str], None]] = {
    model.Step: _check_step,
    model.Event: _check_event,
}


# ---- The file. ----


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _json_of(content: bytes, source: str) -> Any:
    """The JSON value of a file."""
    if not content.strip():
        raise TraceError(
            f"{source} is empty: the run that should have written it was "
            f"killed, or the disk was full; {RUN_AGAIN}")
    wanted = "expected the trace.json that a failing test writes"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TraceError(
            f"{source} is not a trace: byte {error.start} is "
            f"0x{content[error.start]:02x}, which is not UTF-8; {wanted}"
        ) from None
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if text[error.pos:].strip() == "" or "Unterminated" in error.msg:
            raise TraceError(
                f"{source} ends too early, in line {error.lineno}: it was "
                "truncated, or the disk was full; copy it again, or "
                f"{RUN_AGAIN}") from None
        raise TraceError(
            f"{source} is not a trace: line {error.lineno}, column "
            f"{error.colno}: {error.msg}; {wanted}") from None
    except (ValueError, RecursionError) as error:
        raise TraceError(f"{source} is not a trace: {printable(str(error))}; "
                         f"{wanted}") from None


def parse(content: bytes, source: str) -> Trace:
    """Reads the bytes of a trace.json; `source` is for messages."""
    source = printable(source)
    value = _json_of(content, source)
    if isinstance(value, dict) and "traceEvents" in value and (
            "clotho_trace" not in value):
        raise TraceError(f"{source} is a trace for Perfetto: give the "
                         "trace.json beside it")
    if not isinstance(value, dict) or "clotho_trace" not in value:
        raise TraceError(
            f"{source} is not a trace: it has no \"clotho_trace\"; expected the "
            "trace.json that a failing test writes")
    version = value["clotho_trace"]
    if version != VERSION or isinstance(version, bool):
        if isinstance(version, int) and version > VERSION:
            raise TraceError(
                f"{source} is of version {version}, and this program reads "
                f"version {VERSION}: use the `clotho` of the checkout that "
                "wrote it")
        raise TraceError(
            f"{source}: \"clotho_trace\" is {printable(repr(version))}, "
            f"expected {VERSION}: {RUN_AGAIN}")
    trace = _Reader(source, value).object(Trace, value, "")
    trace.source = source
    return trace
