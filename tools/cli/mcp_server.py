"""The Model Context Protocol on two streams: JSON-RPC 2.0, one message a line.

It knows the protocol and no tool: a Tools object lists them and runs them. Calls
run one after the other in a thread of their own, so that a ping is answered and
a cancellation is noticed while one runs.

Specification: https://modelcontextprotocol.io/specification
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

# Newest first: the answer to a client that asks for another one.
VERSIONS = ("2025-06-18", "2025-03-26", "2024-11-05")
# The first version without batches of messages.
_WITHOUT_BATCHES = "2025-06-18"

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

Message = dict[str, Any]
Reply = Callable[[Message | None], None]


class RpcError(Exception):
    """An error of the protocol, not of a tool."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Call(Protocol):
    """A call of a tool."""

    def run(self) -> Message:
        """Runs it; returns the result. Blocks."""

    def cancel(self) -> None:
        """Ends it soon, from another thread; also before it has begun."""


class Tools(Protocol):
    """The tools of a server."""

    def list(self) -> list[Message]:
        """Their descriptions, with input schemas."""

    def call(self, name: str, arguments: Message) -> Call:
        """A call that is ready to run. RpcError if there is no such tool, or
        the arguments do not fit its schema."""


class _Batch:
    """Collects the replies to a batch of messages."""

    def __init__(self, size: int, send: Callable[[Any], None]) -> None:
        self._left, self._send = size, send
        self._replies: list[Message] = []
        self._lock = threading.Lock()

    def reply(self, message: Message | None) -> None:
        with self._lock:
            if message is not None:
                self._replies.append(message)
            self._left -= 1
            if self._left == 0 and self._replies:
                self._send(self._replies)


class Server:
    """Serves one client, until its stream ends."""

    def __init__(self, tools: Tools, source: BinaryIO, sink: BinaryIO,
                 name: str, version: str, instructions: str) -> None:
        self._tools, self._source, self._sink = tools, source, sink
        self._info = {"name": name, "version": version}
        self._instructions = instructions
        self._version = ""  # As negotiated; "": not yet.
        self._write_lock = threading.Lock()
        self._lock = threading.Lock()
        self._calls: dict[int | str, Call] = {}  # Not ended, by request.
        self._cancelled: set[int | str] = set()
        self._todo: queue.Queue[tuple[int | str, Call, Reply] | None] = (
            queue.Queue())
        self._methods: dict[str, Callable[[Message], Message]] = {
            "initialize": self._initialize,
            "ping": lambda _: {},
            "tools/list": self._list,
        }

    def serve(self) -> None:
        """Reads messages until the end of the source; ends what runs then."""
        worker = threading.Thread(target=self._work, daemon=True)
        worker.start()
        try:
            for line in self._source:
                if line.strip():
                    self._receive(line)
        finally:
            self.cancel_all()
            self._todo.put(None)
            worker.join()

    def cancel_all(self) -> None:
        """Ends all calls, without replies."""
        with self._lock:
            self._cancelled |= self._calls.keys()
            calls = list(self._calls.values())
        for call in calls:
            call.cancel()

    # ---- Messages. ----

    def _send(self, value: Any) -> None:
        # (ASCII without line breaks.)
        line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        with self._write_lock:
            try:
                self._sink.write(line)
                self._sink.flush()
            except BrokenPipeError:
                pass  # The client is gone; the source ends, too.

    def _send_reply(self, message: Message | None) -> None:
        if message is not None:
            self._send(message)

    def _receive(self, line: bytes) -> None:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            self._send(_error(None, RpcError(
                PARSE_ERROR, f"not a line of JSON: {error}")))
            return
        if not isinstance(value, list):
            self._handle(value, self._send_reply)
        elif not value or self._version >= _WITHOUT_BATCHES:
            self._send(_error(None, RpcError(
                INVALID_REQUEST, "expected a message, not a list of them")))
        else:
            batch = _Batch(len(value), self._send)
            for one in value:
                self._handle(one, batch.reply)

    def _handle(self, message: Any, reply: Reply) -> None:
        """Calls `reply` once, now or later; with None if there is no reply."""
        number: int | str | None = None
        try:
            if not isinstance(message, dict) or (
                    message.get("jsonrpc") != "2.0"):
                raise RpcError(INVALID_REQUEST, "expected an object with "
                                                "\"jsonrpc\": \"2.0\"")
            if "method" not in message and (
                    "result" in message or "error" in message):
                reply(None)  # We ask nothing, so it is the answer to nothing.
                return
            if "id" in message:
                number = _number(message["id"])
            method, params = message.get("method"), message.get("params", {})
            if not isinstance(method, str):
                raise RpcError(INVALID_REQUEST, "expected a \"method\"")
            if number is None:
                if isinstance(params, dict):
                    self._notified(method, params)
                reply(None)
                return
            if not isinstance(params, dict):
                raise RpcError(INVALID_PARAMS, "expected an object as "
                                               "\"params\"")
            self._request(number, method, params, reply)
        except RpcError as error:
            reply(_error(number, error))

    def _request(self, number: int | str, method: str, params: Message,
                 reply: Reply) -> None:
        if not self._version and method not in ("initialize", "ping"):
            raise RpcError(INVALID_REQUEST,
                           f"{method} before initialize: expected initialize "
                           f"first")
        if method == "tools/call":
            self._call(number, params, reply)
            return
        if method not in self._methods:
            raise RpcError(METHOD_NOT_FOUND, f"there is no method {method}")
        reply(_result(number, self._methods[method](params)))

    def _notified(self, method: str, params: Message) -> None:
        """A notification: unknown ones, and what they refer to, are ignored."""
        if method != "notifications/cancelled":
            return
        number = params.get("requestId")
        with self._lock:
            call = (self._calls.get(number)
                    if isinstance(number, (int, str)) else None)
            if call is None:
                return
            self._cancelled.add(number)
        call.cancel()

    # ---- Requests. ----

    def _initialize(self, params: Message) -> Message:
        if self._version:
            raise RpcError(INVALID_REQUEST, "initialize was called before")
        asked = params.get("protocolVersion")
        if not isinstance(asked, str):
            raise RpcError(INVALID_PARAMS, "expected a \"protocolVersion\", "
                                           "such as " + VERSIONS[0])
        self._version = asked if asked in VERSIONS else VERSIONS[0]
        return {"protocolVersion": self._version,
                "capabilities": {"tools": {}},
                "serverInfo": self._info,
                "instructions": self._instructions}

    def _list(self, params: Message) -> Message:
        if params.get("cursor") is not None:
            raise RpcError(INVALID_PARAMS, "there is one page of tools: "
                                           "expected no \"cursor\"")
        return {"tools": self._tools.list()}

    def _call(self, number: int | str, params: Message, reply: Reply) -> None:
        name, arguments = params.get("name"), params.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise RpcError(INVALID_PARAMS, "expected a \"name\" and an object "
                                           "of \"arguments\"")
        call = self._tools.call(name, arguments)
        with self._lock:
            if number in self._calls:
                raise RpcError(INVALID_REQUEST,
                               f"request {number} is still running")
            self._calls[number] = call
        self._todo.put((number, call, reply))

    # ---- Calls. ----

    def _work(self) -> None:
        while (todo := self._todo.get()) is not None:
            number, call, reply = todo
            with self._lock:
                begins = number not in self._cancelled
            answer = self._run(number, call) if begins else None
            with self._lock:
                del self._calls[number]
                # A request that was cancelled gets no reply.
                if number in self._cancelled:
                    answer = None
                self._cancelled.discard(number)
            reply(answer)

    @staticmethod
    def _run(number: int | str, call: Call) -> Message:
        try:
            return _result(number, call.run())
        except Exception as error:  # pylint: disable=broad-exception-caught
            return _error(number, RpcError(
                INTERNAL_ERROR, f"{type(error).__name__}: {error}"))


def _number(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise RpcError(INVALID_REQUEST, "expected a number or a text as "
                                        "\"id\"")
    return value


def _result(number: int | str, value: Message) -> Message:
    return {"jsonrpc": "2.0", "id": number, "result": value}


def _error(number: int | str | None, error: RpcError) -> Message:
    return {"jsonrpc": "2.0", "id": number,
            "error": {"code": error.code, "message": str(error)}}
