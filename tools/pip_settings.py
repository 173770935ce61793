"""What pip is told about this machine (indexes, proxy, certificates), as the environment variables of uv.

    eval "$(python tools/pip_settings.py)"

uv reads neither pip's configuration files nor its variables. What its own variables tell it stays.
"""

import ast
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping

_LEVELS = ("global", "install", ":env:")  # the later one counts, as with pip
_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "proxy": "ALL_PROXY",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
}
_SEPARATORS = {"find-links": ","}


def variables(listed: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables to set for uv.

    Args:
        listed: what `pip config list` prints: lines of LEVEL.SETTING='VALUE'.
        environment: the variables that are set.
    """
    lines = (line.partition("=") for line in listed.splitlines() if "=" in line)
    settings = {name: ast.literal_eval(value) for name, _, value in lines}
    found = {}
    for level in _LEVELS:
        for setting, variable in _VARIABLES.items():
            if value := settings.get(f"{level}.{setting}"):
                found[variable] = _SEPARATORS.get(setting, " ").join(value.split())
    if "UV_INDEX" in found:  # pip asks every index for the locked version, too; the hashes make that safe
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    told = any(value and name.startswith("UV_") and "INDEX" in name for name, value in environment.items())
    return {
        name: value
        for name, value in found.items()
        if name not in environment and not (told and "INDEX" in name)
    }


def main() -> None:
    """Print a line of shell for each variable."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name, value in variables(listed, os.environ).items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
