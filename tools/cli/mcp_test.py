"""Tests of `clotho mcp`, with a client, and of the session in docs/mcp.md. The
argument is //examples:job_queue_hunt."""

import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent.parent))
# pylint: disable=wrong-import-position
from cli import testing
from cli.mcp_tools import TOOLS

HUNT = "./job_queue_hunt"
TEST = "JobQueueTest.NoJobIsLost"
FAILS = "c1/0/4:1"
PAGE = (testing.TOOLS.parent / "docs" / "mcp.md").read_text()


class Client:
    """A client that sends and receives lines."""

    def __init__(self, command, folder, environment):
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.received = queue.Queue()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        self.number = 0

    def _read(self):
        for line in self.process.stdout:
            self.received.put(line)

    def send_line(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def send(self, value):
        self.send_line(json.dumps(value).encode())

    def receive(self, seconds=60):
        return json.loads(self.received.get(timeout=seconds))

    def ask(self, method, **params):
        """Sends a request; returns the response."""
        self.number += 1
        self.send({"jsonrpc": "2.0", "id": self.number, "method": method,
                   "params": params})
        response = self.receive()
        assert response["id"] == self.number, response
        assert response["jsonrpc"] == "2.0", response
        return response

    def start(self, version="2025-06-18"):
        response = self.ask("initialize", protocolVersion=version,
                            capabilities={}, clientInfo={"name": "test",
                                                         "version": "1"})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return response["result"]

    def call(self, tool, **arguments):
        return self.ask("tools/call", name=tool, arguments=arguments)

    def end(self):
        """Closes its input; returns its exit code."""
        self.process.stdin.close()
        return self.process.wait(timeout=30)


def mismatch(shown, real, path="message"):
    """Where a message differs from the page's; "" if nowhere."""
    if isinstance(shown, str) and isinstance(real, str):
        pattern = ".*".join(map(re.escape, shown.split("...")))
        if re.fullmatch(pattern, real, re.S):
            return ""
    elif isinstance(shown, dict) and isinstance(real, dict):
        missing = shown.keys() - real.keys() - {"..."}
        if missing:
            return f"{path} has no {missing}"
        return next((found for name in shown.keys() - {"..."} if (
            found := mismatch(shown[name], real[name], f"{path}.{name}"))), "")
    elif isinstance(shown, list) and isinstance(real, list):
        if len(shown) == len(real):
            return next((found for i, one in enumerate(shown) if (
                found := mismatch(one, real[i], f"{path}[{i}]"))), "")
    elif type(shown) is type(real) and shown == real:
        return ""
    return f"{path}: {json.dumps(real)[:300]} is not {json.dumps(shown)}"


class McpTest(testing.ClothoTestCase):

    def client(self, *arguments):
        client = Client(self.command("mcp", *arguments), self.folder,
                        self.environment())
        self.addCleanup(client.process.stdout.close)
        self.addCleanup(client.thread.join)
        self.addCleanup(client.process.wait)
        self.addCleanup(client.process.kill)
        self.addCleanup(client.process.stdin.close)
        return client

    def started(self):
        client = self.client()
        client.start()
        return client

    def assert_error(self, response, code, text=""):
        self.assertEqual(response["error"]["code"], code, response)
        self.assertIn(text, response["error"]["message"])
        self.assertNotIn("result", response)

    # ---- The page. ----

    def test_the_session_of_the_page(self):
        (self.folder / "bazel-bin" / "examples").mkdir(parents=True)
        (self.folder / "bazel-bin/examples/job_queue_hunt").symlink_to(
            self.programs[0])
        self.write("examples/job_queue_hunt.cc", "// Where the test is.\n")
        client = self.client()
        blocks = re.findall(r"<!-- (client|server) -->\n```json\n(.*?)```",
                            PAGE, re.S)
        self.assertEqual([who for who, _ in blocks].count("server"), 5)
        for who, text in blocks:
            if who == "client":
                client.send(json.loads(text))
            else:
                real = client.receive()
                self.assertEqual(mismatch(json.loads(text), real), "", real)
        self.assertEqual(client.end(), 0)

    def test_the_page_names_every_tool_and_version(self):
        for tool in TOOLS:
            self.assertIn(f"| `{tool.name}` |", PAGE)
        for version in ("2024-11-05", "2025-03-26", "2025-06-18"):
            self.assertIn(version, PAGE)

    # ---- The protocol. ----

    def test_versions(self):
        for asked, got in (("2024-11-05", "2024-11-05"),
                           ("2025-03-26", "2025-03-26"),
                           ("2025-06-18", "2025-06-18"),
                           ("1999-01-01", "2025-06-18")):
            client = self.client()
            result = client.start(asked)
            self.assertEqual(result["protocolVersion"], got)
            self.assertEqual(result["capabilities"], {"tools": {}})
            self.assertEqual(client.end(), 0)

    def test_what_comes_before_initialize(self):
        client = self.client()
        self.assertEqual(client.ask("ping")["result"], {})
        self.assert_error(client.ask("tools/list"), -32600, "initialize")
        self.assert_error(client.ask("initialize"), -32602, "protocolVersion")
        client.start()
        self.assert_error(client.ask("initialize",
                                     protocolVersion="2025-06-18"), -32600)

    def test_malformed_messages(self):
        client = self.started()
        for line, code in ((b"{", -32700), (b"\xff", -32700),
                           (b"[" * 100_000, -32700), (b"1", -32600),
                           (b"[]", -32600), (b"{}", -32600),
                           (b'{"jsonrpc":"2.0","id":7}', -32600),
                           (b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
                            -32600),
                           (b'{"jsonrpc":"1.0","id":7,"method":"ping"}',
                            -32600),
                           (b'{"jsonrpc":"2.0","id":7,"method":"nothing"}',
                            -32601),
                           (b'{"jsonrpc":"2.0","id":7,"method":"ping",'
                            b'"params":[]}', -32602)):
            client.send_line(line)
            self.assert_error(client.receive(), code)
        # These get no response.
        client.send_line(b"")
        client.send({"jsonrpc": "2.0", "method": "notifications/unknown"})
        client.send({"jsonrpc": "2.0", "method": "notifications/cancelled",
                     "params": {"requestId": [1]}})
        client.send({"jsonrpc": "2.0", "id": 1, "result": {}})
        self.assertEqual(client.ask("ping")["result"], {})

    def test_ids_are_numbers_or_texts(self):
        client = self.started()
        client.send({"jsonrpc": "2.0", "id": "a-1", "method": "ping"})
        self.assertEqual(client.receive(),
                         {"jsonrpc": "2.0", "id": "a-1", "result": {}})

    def test_batches_in_the_versions_that_have_them(self):
        batch = [{"jsonrpc": "2.0", "id": 1, "method": "ping"},
                 {"jsonrpc": "2.0", "method": "notifications/x"},
                 {"jsonrpc": "2.0", "id": 2, "method": "tools/call",
                  "params": {"name": "list_tests",
                             "arguments": {"target": HUNT}}}, 5]
        client = self.client()
        client.start("2025-03-26")
        client.send(batch)
        replies = client.receive()
        self.assertEqual({reply["id"] for reply in replies}, {1, 2, None})
        self.assertEqual(len(replies), 3)
        client.send([batch[1]])  # No reply at all.
        client.send(batch[0])
        self.assertEqual(client.receive()["id"], 1)
        client = self.started()
        client.send(batch)
        self.assert_error(client.receive(), -32600)

    def test_the_list_of_tools(self):
        client = self.started()
        tools = client.ask("tools/list")["result"]["tools"]
        self.assertEqual([tool["name"] for tool in tools],
                         ["list_tests", "hunt", "replay", "explain", "shrink",
                          "save"])
        for tool in tools:
            schema = tool["inputSchema"]
            self.assertEqual(schema["type"], "object")
            self.assertFalse(schema["additionalProperties"])
            self.assertLessEqual(set(schema["required"]),
                                 schema["properties"].keys())
            for value in schema["properties"].values():
                self.assertIn(value["type"], ("string", "integer", "boolean"))
                self.assertTrue(value["description"])
        self.assert_error(client.ask("tools/list", cursor="x"), -32602)

    # ---- Calls. ----

    def test_a_whole_loop(self):
        client = self.started()
        self.write("examples/job_queue_hunt.cc", "")
        listed = client.call("list_tests", target=HUNT)["result"]
        self.assertEqual(listed["structuredContent"]["tests"][0]["test"], TEST)
        self.assertEqual(json.loads(listed["content"][0]["text"]),
                         listed["structuredContent"])
        found = client.call("hunt", target=HUNT, test=TEST, schedules=100,
                            seed=1, strategy="random", seconds=60)["result"]
        self.assertFalse(found["isError"], found)
        replay = found["structuredContent"]["failures"][0]["replay"]
        self.assertTrue(replay.startswith(FAILS))
        for tool, code in (("replay", 1), ("explain", 1), ("shrink", 1),
                           ("save", 0)):
            result = client.call(tool, replay=replay, target=HUNT,
                                 test=TEST)["result"]
            self.assertFalse(result["isError"], result)
            self.assertEqual(result["structuredContent"]["exit_code"], code)
        self.assertIn(replay, self.read(
            f"examples/testdata/clotho/{TEST}.saved"))
        passes = client.call("replay", replay="c1/0/fifo")["result"]
        self.assertEqual(passes["structuredContent"]["exit_code"], 0)
        shrunk = client.call("shrink", replay=replay, isolate=True)["result"]
        self.assertFalse(shrunk["isError"], shrunk)
        fixed = client.call("save", replay="c1/0/fifo", fixed=True,
                            note="a note")["result"]
        self.assertFalse(fixed["isError"], fixed)
        self.assertIn("a note", self.read(
            f"examples/testdata/clotho/{TEST}.saved"))

    def test_a_command_that_fails(self):
        client = self.started()
        for tool, arguments, code, text in (
                ("list_tests", {"target": "./nothing"}, 2, "no file"),
                ("list_tests", {"target": "/bin/false"}, 2, "does not list"),
                ("replay", {"replay": "c1/0/4:9", "target": HUNT}, 3, ""),
                ("explain", {"replay": "c1/0/fifo", "target": HUNT}, 3,
                 "does not fail"),
                ("hunt", {"target": HUNT, "strategy": "no such"}, 2, ""),
                ("hunt", {"target": HUNT, "test": "No.Such"}, 4, "")):
            result = client.call(tool, **arguments)["result"]
            self.assertTrue(result["isError"], result)
            document = result["structuredContent"]
            self.assertEqual(document["exit_code"], code, result)
            if text:
                self.assertIn(text, document["error"]["message"])
            self.assertTrue(result["content"][1]["text"])  # Standard error.

    def test_arguments_that_do_not_fit(self):
        client = self.started()
        for tool, arguments, text in (
                ("frobnicate", {}, "no tool"),
                ("hunt", {}, "\"target\" is missing"),
                ("hunt", {"target": 1}, "a text"),
                ("hunt", {"target": "--help"}, "does not begin with -"),
                ("hunt", {"target": HUNT, "schedules": 0}, "from 1"),
                ("hunt", {"target": HUNT, "schedules": True}, "from 1"),
                ("hunt", {"target": HUNT, "schedules": "5"}, "from 1"),
                ("hunt", {"target": HUNT, "depth": 5}, "no argument"),
                ("replay", {"test": TEST}, "needs a"),
                ("save", {"fixed": "yes"}, "true or false")):
            self.assert_error(client.call(tool, **arguments), -32602, text)
        self.assert_error(client.ask("tools/call", name=1), -32602)
        self.assert_error(client.ask("tools/call", name="hunt",
                                     arguments=[]), -32602)

    def slow(self):
        """A target that does not end by itself, and the file with its id."""
        self.write("slow", "#!/bin/sh\necho $$ > slow.pid\nexec sleep 600\n")
        (self.folder / "slow").chmod(0o755)
        return "./slow", self.folder / "slow.pid"

    def assert_ends(self, path):
        """The process whose id is in a file ends soon."""
        number = int(path.read_text())
        for _ in range(100):
            try:
                os.kill(number, 0)
            except ProcessLookupError:
                return
            time.sleep(0.1)
        os.kill(number, signal.SIGKILL)
        self.fail("the process was still running")

    def wait_for(self, path):
        for _ in range(200):
            if path.exists() and path.read_text().strip():
                return
            time.sleep(0.05)
        self.fail(f"{path} was not written")

    def request(self, number, target):
        return {"jsonrpc": "2.0", "id": number, "method": "tools/call",
                "params": {"name": "list_tests",
                           "arguments": {"target": target}}}

    def test_cancelling(self):
        client = self.started()
        target, path = self.slow()
        client.send(self.request("slow", target))
        self.wait_for(path)
        # It is not deaf meanwhile.
        self.assertEqual(client.ask("ping")["result"], {})
        # One that waits is cancelled before it begins.
        client.send(self.request("waits", target))
        for number in ("waits", "slow"):
            client.send({"jsonrpc": "2.0", "method": "notifications/cancelled",
                         "params": {"requestId": number, "reason": "enough"}})
        self.assert_ends(path)
        # Neither gets a response; the next one does.
        client.send(self.request("next", HUNT))
        self.assertEqual(client.receive()["id"], "next")
        self.assertEqual(client.end(), 0)

    def test_what_ignores_an_interrupt_is_killed(self):
        client = self.started()
        target, path = self.slow()
        self.write("slow", "#!/bin/sh\ntrap '' INT\necho $$ > slow.pid\n"
                           "exec sleep 600\n")
        client.send(self.request(7, target))
        self.wait_for(path)
        client.send({"jsonrpc": "2.0", "method": "notifications/cancelled",
                     "params": {"requestId": 7}})
        self.assert_ends(path)

    def test_the_end_of_the_input_ends_what_runs(self):
        client = self.started()
        target, path = self.slow()
        client.send(self.request(7, target))
        self.wait_for(path)
        self.assertEqual(client.end(), 0)
        self.assert_ends(path)

    def test_a_signal_ends_it_and_what_runs(self):
        client = self.started()
        target, path = self.slow()
        client.send(self.request(7, target))
        self.wait_for(path)
        client.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.process.wait(timeout=30), 143)
        self.assert_ends(path)

    def test_flags_go_to_every_command(self):
        client = self.client("--out=elsewhere")
        client.start()
        client.call("replay", replay=FAILS, target=HUNT)
        self.assertTrue((self.folder / "elsewhere" / TEST).is_dir())
        self.assertFalse((self.folder / "clotho-out").exists())

    def test_has_no_json_flag(self):
        ended = self.clotho("mcp", "--json")
        self.assertEqual(ended.code, 2)
        self.assertIn("no --json", json.loads(ended.out)["error"]["message"])


if __name__ == "__main__":
    testing.main()
