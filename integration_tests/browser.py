"""Debian's Chromium without a window: what a page looks like to it."""

import json
import re
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from integration_tests.figures import note
from integration_tests.image import Unavailable, install

_CHROMIUM = "/usr/bin/chromium"
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)
# Reads the page after it was laid out, and writes what it found where --dump-dom prints it.
_MEASURE = """
<script>
addEventListener("load", () => {
  const box = (element) => {
    const {left, right, top, bottom} = element.getBoundingClientRect();
    return [left, top, right, bottom];
  };
  const shown = [...document.querySelectorAll("figure svg")].filter((svg) => svg.getClientRects().length);
  const drawn = shown.map((svg) => ({
    box: box(svg),
    marks: svg.querySelectorAll("rect, polyline").length,
    texts: [...svg.querySelectorAll("text")].map((text) => [text.textContent, ...box(text)]),
  }));
  const pre = document.createElement("pre");
  pre.id = "measured";
  pre.textContent = JSON.stringify({
    drawn, width: document.documentElement.scrollWidth, inside: innerWidth,
    fetched: performance.getEntriesByType("resource").length,
  });
  document.body.append(pre);
});
</script>
"""


@dataclass(frozen=True)
class Seen:
    """What a browser made of a page.

    Attributes:
        measured: the charts with their boxes and texts, and the page's width.
        complaints: what stands in the browser's console.
    """

    measured: dict[str, Any]
    complaints: list[str]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The program; where there can be none its tests are skipped."""
    try:
        return str(install("chromium", provides=_CHROMIUM))
    except Unavailable as reason:
        note(f"SKIPPED: no Chromium here, the report was NOT looked at: {reason}")
        warnings.warn(f"No Chromium: {reason}", stacklevel=1)
        pytest.skip(f"no Chromium: {reason}")


def look(chromium: str, page: Path, width: int) -> Seen:
    """Open a page in a window of this width."""
    with tempfile.TemporaryDirectory(prefix="source-linear-browser-") as folder:
        copy = Path(folder) / "page.html"
        text = page.read_text("utf-8")
        # The page forbids any script; what measures it has to be one.
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
        copy.write_text(text.replace("</body>", f"{_MEASURE}</body>"), "utf-8")
        plain = _chromium(chromium, folder, page, width)
        shown = _chromium(chromium, folder, copy, width)
    found = re.search(r'<pre id="measured">(.*?)</pre>', shown.stdout, re.S)
    assert found, shown.stdout[-500:] + shown.stderr[-500:]
    complaints = [line for line in plain.stderr.splitlines() if ":CONSOLE" in line]
    return Seen(json.loads(unescape(found[1])), complaints)


def _chromium(program: str, folder: str, page: Path, width: int) -> subprocess.CompletedProcess[str]:
    size = [f"--user-data-dir={folder}/profile", f"--window-size={width},1000", "--dump-dom"]
    return subprocess.run(
        [program, *_OPTIONS, *size, page.resolve().as_uri()], capture_output=True, text=True, timeout=120
    )
