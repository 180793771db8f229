"""Serves the planner on this machine: `python -m planner [--port N]`.

In: the port wanted. Out: the server, on the first free port from there on, which prints its address.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

ADDRESS = "127.0.0.1"
FIRST_PORT = 8501
PORTS_TRIED = 50
PROJECT = Path(__file__).resolve().parent.parent


def free_port(first: int = FIRST_PORT) -> int:
    """The first port from `first` on that nobody listens on; OSError if 50 in a row are taken."""
    for port in range(first, min(first + PORTS_TRIED, 65_536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {first} on; name another with --port")


def main() -> None:
    """Replaces this process by the server, so that ctrl-C and signals reach it."""
    parser = argparse.ArgumentParser(prog="python -m planner", description="Serves the planner.")
    parser.add_argument("--port", type=int, default=FIRST_PORT, help="first port tried (default: %(default)s)")
    wanted = parser.parse_args().port
    if not 1 <= wanted <= 65_535:
        parser.error(f"--port {wanted}: use a number from 1 to 65535")
    try:
        port = free_port(wanted)
    except OSError as error:
        parser.error(str(error))
    if port != wanted:
        print(f"Port {wanted} is taken; using {port}.", flush=True)
    print(f"The planner: http://{ADDRESS}:{port} (stop with ctrl-C)", flush=True)
    os.chdir(PROJECT)  # Streamlit reads .streamlit/config.toml from the current folder
    command = [sys.executable, "-m", "streamlit", "run", "planner_app.py"]
    os.execv(sys.executable, [*command, f"--server.port={port}", f"--server.address={ADDRESS}"])


if __name__ == "__main__":
    main()
