"""A served planner and a headless Chromium, for tests of the page, its timing and its pictures.

In: the project's folder. Out: context managers that start a server or a browser and end it again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic, sleep

from playwright.sync_api import Browser, sync_playwright
from plotly.graph_objects import Figure

from planner.__main__ import free_port

PROJECT = Path(__file__).resolve().parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",  # with its sandbox Chromium refuses to run as root, as build machines do
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS = 60


class NoBrowser(Exception):
    """There is no Chromium on this machine; the message says how to get it."""


@contextmanager
def served() -> Iterator[str]:
    """A server of the planner on this machine; gives its address. RuntimeError with its log if it does not start."""
    port = free_port(8600 + os.getpid() % 1000)
    url = f"http://127.0.0.1:{port}"
    with TemporaryFile() as log:
        command = [sys.executable, "-m", "planner", "--port", str(port)]
        server = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=subprocess.STDOUT)
        try:
            if not _healthy(url, server):
                log.seek(0)
                raise RuntimeError(f"the planner did not start:\n{log.read().decode(errors='replace')}")
            yield url
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _healthy(url: str, server: subprocess.Popen[bytes]) -> bool:
    deadline = monotonic() + START_SECONDS
    while monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            sleep(0.2)
    return False


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium. Raises NoBrowser."""
    if not Path(CHROMIUM).exists():
        raise NoBrowser("there is no Chromium (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def take_picture(figure: Figure, file: Path, width: int, height: int) -> None:
    """Draws a chart in Chromium, of that many pixels, into a PNG file. Raises NoBrowser."""
    text = figure.to_html(include_plotlyjs=True, full_html=True, config={"displayModeBar": False})
    with chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_content(text)
        page.wait_for_selector(".main-svg")
        page.wait_for_timeout(500)
        page.screenshot(path=file)
        page.close()
    print(f"wrote {file.name}")
