"""What does a command cost before it does anything?"""

import json
import re
import statistics
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from benchmarks.pictures import OTHERS, OURS, bars, target_line
from benchmarks.process import ROOT, python, run
from benchmarks.sections import Section, Target, median_and_range, say, table
from benchmarks.sizes import Sizes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PYTHON, _CDK, _SOURCE = "python", "import airbyte_cdk.entrypoint", "import source_linear.command"
_SPEC, _DISCOVER = "spec", "discover"
_CONFIG = {"credentials": {"auth_type": "API Key", "api_key": "lin_api_benchmark"}}
_SHOWN = 10
_LARGE = 0.04  # of all importing
_MOST = 1.0  # seconds of CPU
_TIMES = 1.12  # the CPU of importing the CDK


def measure(sizes: Sizes) -> Section:
    """Run each command several times, in turns."""
    cpu: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump(_CONFIG, config)
        config.flush()
        commands = {
            _PYTHON: python("-c", "pass"),
            _CDK: python("-c", _CDK),
            _SOURCE: python("-c", _SOURCE),
            _SPEC: python("-m", "source_linear.run", _SPEC),
            _DISCOVER: python("-m", "source_linear.run", _DISCOVER, "--config", config.name),
        }
        for command in commands.values():
            run(command)  # writes the byte code
        for _ in range(sizes.start_runs):
            for name, command in commands.items():
                cpu[name].append(run(command).cpu)
    for name, seconds in cpu.items():
        say(f"  {name}: {statistics.median(seconds):.2f} s of CPU")
    told = subprocess.run(
        python("-X", "importtime", "-c", _SOURCE), cwd=ROOT, capture_output=True, text=True, check=True
    )
    return _section(sizes, cpu, import_times(told.stderr))


def import_times(text: str) -> dict[str, float]:
    """Seconds by package of what `-X importtime` says, most first; large modules stand for themselves.

    Each is without what it imports in turn.
    """
    found = re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", text, re.MULTILINE)
    total = sum(int(microseconds) for microseconds, _ in found)
    packages: defaultdict[str, float] = defaultdict(float)
    for microseconds, module in found:
        is_large = int(microseconds) >= _LARGE * total
        packages[module if is_large else module.partition(".")[0]] += int(microseconds) / 1e6
    return dict(sorted(packages.items(), key=lambda item: -item[1]))


def times_of(cpu: Mapping[str, Sequence[float]]) -> float:
    """How many times the CPU of importing the CDK `discover` takes: the median of the turns.

    The import is plain: what the connector does to make it faster is not done there.
    """
    return statistics.median(ours / plain for ours, plain in zip(cpu[_DISCOVER], cpu[_CDK], strict=True))


def _section(sizes: Sizes, cpu: Mapping[str, list[float]], imports: Mapping[str, float]) -> Section:
    median = {name: statistics.median(seconds) for name, seconds in cpu.items()}
    total = sum(imports.values())
    most = list(imports.items())[:_SHOWN]
    commands = [(f"`{name}`", median_and_range(seconds, 2)) for name, seconds in cpu.items()]
    packages = [(f"`{name}`", f"{seconds:.2f}", f"{100 * seconds / total:.0f} %") for name, seconds in most]
    cdk = f"{median[_CDK]:.2f} s"
    times = times_of(cpu)
    text = f"""\
Seconds of CPU (user and system), medians of {sizes.start_runs} runs in turns.

{table(("Command", "CPU seconds"), commands)}

`spec` is answered from the manifest, without the CDK. All other commands import it: `discover`, which asks
Linear nothing, is the least that they take: {times:.2f} times the CPU of the import, in the median of the
turns. The garbage collector is off until they begin, and no doc strings are parsed.
Where the importing goes (`python -X importtime`, which is slower itself: {total:.2f} s in all):

{table(("Package, or large module", "Seconds", "of all imports"), packages)}
"""
    targets = (
        Target(
            f"`spec` under {_MOST:.0f} s of CPU, where imports allow",
            f"{median[_SPEC]:.2f} s; importing the CDK alone takes {cdk}",
            median[_SPEC] < _MOST,
            f"{median[_SPEC] - _MOST:.2f} s",
        ),
        Target(
            f"`discover` at most {_TIMES} times the CPU of importing the CDK",
            f"{times:.2f} times",
            times <= _TIMES,
            f"{times - _TIMES:.2f} times",
        ),
    )

    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2)
        names = [_SPEC, _DISCOVER, _SOURCE, _CDK, _PYTHON]
        values = [median[name] for name in names]
        colors = [OURS, OURS, OTHERS, OTHERS, OTHERS]
        bars(left, values, colors, [f"{value:.2f} s" for value in values])
        shown = ["spec", "discover", "import source_linear", "import airbyte_cdk", "bare python"]
        left.set_yticks(range(len(shown)), shown)
        target_line(left, _MOST, f"target: {_MOST:.0f} s", vertical=True)
        left.set_xlim(0, max(_MOST, *values) * 1.25)
        left.set_xlabel("seconds of CPU")
        bars(right, [value for _, value in most], OTHERS, [f"{value:.2f}" for _, value in most])
        names = [re.sub(r"^(\w+)\..*\.", r"\1…", name) for name, _ in most]
        right.set_yticks(range(len(most)), names, fontsize=8)
        right.set_xlim(0, most[0][1] * 1.15)
        right.set_xlabel(f"seconds of importing, {total:.2f} in all")
        figure.suptitle(f"spec: {median[_SPEC]:.2f} s of CPU; importing the CDK alone: {cdk}")

    facts = {"spec": median[_SPEC], "discover": median[_DISCOVER], "cdk": median[_CDK]}
    return Section("startup", "Start-up", text, draw, targets, facts)
