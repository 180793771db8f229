"""The commands that serve the page: on this machine only, on the first free port."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from planner.__main__ import free_port


def test_the_server_takes_the_next_free_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port, "the port asked for is in use"


@pytest.mark.parametrize("command", [("planner",), ("sim", "app")], ids=["python -m planner", "csm-planner app"])
def test_both_commands_serve_on_this_machine_only_and_step_over_a_taken_port(
    command: tuple[str, ...], project: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-m", *command, "--port", str(port)],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert server.stdout is not None
            assert f"Port {port} is taken" in server.stdout.readline(), "the reader learns why it is another port"
            found = re.search(r"http://127\.0\.0\.1:(\d+) ", server.stdout.readline())
            assert found, "the address is this machine's own"
            assert int(found[1]) > port
            wait_until_it_answers(f"http://127.0.0.1:{found[1]}/_stcore/health", server)
        finally:
            server.kill()
            server.communicate()


def wait_until_it_answers(address: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"nobody answers at {address}")
