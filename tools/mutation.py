"""Plants random faults in what decides about a sync, and tells which no fast test notices: `make mutation`.

    python -m tools.mutation [--faults 200]

Each fault is planted in a copy of the tree, and the fast tests run on it until one fails. The working tree is
left alone. What no test noticed is listed; the last line says how many were noticed.
"""

import argparse
import ast
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import count, islice, pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACES = ("sync/*.py", "components/*.py", "source.py", "state.py", "graphql.py")  # in source_linear/
SEEDS = (11, 22, 33)
AT_ONCE = 2
_SLOWER = 4  # times as long as the tests without a fault: then it has been noticed
_LEAST = 20.0  # seconds
_MEMORY = 4 << 30
_HISTORIES = "100"  # of those that unit_tests/test_histories.py plays
_TIMES = count(1)
_OTHER = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
    "is": ("is not",),
    "is not": ("is",),
    "in": ("not in",),
    "not in": ("in",),
}
_COMPARED = re.compile(r"is\s+not\b|not\s+in\b|is\b|in\b|<=|>=|==|!=|<|>")
_JOINED = {"and": "or", "or": "and"}
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_COUNTED = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "//"), ast.BitOr: ("|", "&")}


@dataclass(frozen=True)
class Fault:
    """A fault that can be planted.

    Attributes:
        path: the module, in the tree.
        line: where it is.
        start: the offset of what it replaces, in bytes.
        end: the offset behind that.
        text: what stands there instead.
        before: what stands there now.
    """

    path: str
    line: int
    start: int
    end: int
    text: str
    before: str

    def planted(self, source: bytes) -> bytes:
        """The module with the fault."""
        return source[: self.start] + self.text.encode() + source[self.end :]

    def __str__(self) -> str:
        before = " ".join(self.before.split())
        return f"{self.path}:{self.line}: {before[:90]} -> {self.text}"


def faults_in(path: str, source: bytes) -> list[Fault]:
    """All faults that are known for a module, in the order of their places."""
    found = set(_Finder(path, source).faults())
    return sorted(found, key=lambda fault: (fault.start, fault.end, fault.text))


def chosen(faults: Sequence[Fault], number: int) -> list[Fault]:
    """A random choice by the fixed seeds, each of which takes its share of those that leave a program."""
    taken: list[Fault] = []
    for position, seed in enumerate(SEEDS):
        share = number // len(SEEDS) + (position < number % len(SEEDS))
        left = [fault for fault in faults if fault not in set(taken)]
        random.Random(seed).shuffle(left)
        taken += islice((fault for fault in left if _compiles(fault)), share)
    return taken


def _compiles(fault: Fault) -> bool:
    try:
        compile(fault.planted((ROOT / fault.path).read_bytes()), "", "exec")
    except SyntaxError:
        return False
    return True


class _Finder:
    def __init__(self, path: str, source: bytes) -> None:
        self._path, self._source = path, source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._tree = ast.parse(source)
        self._skipped: set[ast.AST] = set()
        for node in ast.walk(self._tree):
            for part in self._without_effect(node):
                self._skipped.update(ast.walk(part))

    @staticmethod
    def _without_effect(node: ast.AST) -> Iterator[ast.AST]:
        """What decides nothing while the program runs, or only what it says in passing."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (node.returns,) if node.returns else ()
            yield from node.decorator_list
        if isinstance(node, ast.ClassDef):
            yield from (*node.decorator_list, *node.bases)
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        if isinstance(node, ast.Assert):
            yield node
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node
        if isinstance(node, ast.Expr) and re.match(r"_LOGGER\.(debug|info)\(", ast.unparse(node)):
            yield node
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and node.value.id == "Callable"
        ):
            yield node

    def faults(self) -> Iterator[Fault]:
        for node in ast.walk(self._tree):
            if node in self._skipped:
                continue
            if isinstance(node, ast.stmt):
                yield from self._of_statement(node)
            elif isinstance(node, ast.expr):
                yield from self._of_expression(node)
            for test in self._tests(node):
                yield from (self._instead(test, text) for text in ("True", "False"))

    @staticmethod
    def _tests(node: ast.AST) -> list[ast.expr]:
        if isinstance(node, ast.If | ast.IfExp):
            return [node.test]
        if isinstance(node, ast.comprehension):
            return node.ifs
        return []

    def _of_statement(self, node: ast.stmt) -> Iterator[Fault]:
        if isinstance(node, ast.Return) and node.value and not _is_none(node.value):
            yield self._instead(node.value, "None")
        removable = isinstance(node, ast.Expr | ast.AugAssign | ast.Continue | ast.Break | ast.Raise)
        if isinstance(node, ast.Assign):
            removable = not any(isinstance(target, ast.Name | ast.Tuple) for target in node.targets)
        if removable:
            yield self._instead(node, "pass")

    def _of_expression(self, node: ast.expr) -> Iterator[Fault]:
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            for left, right in pairwise(operands):
                yield from self._between(left, right, _COMPARED, _OTHER)
        elif isinstance(node, ast.BoolOp):
            joined = {word: (other,) for word, other in _JOINED.items()}
            for left, right in pairwise(node.values):
                yield from self._between(left, right, re.compile(r"\b(and|or)\b"), joined)
        elif isinstance(node, ast.BinOp) and type(node.op) in _COUNTED:
            sign, other = _COUNTED[type(node.op)]
            yield from self._between(node.left, node.right, re.compile(re.escape(sign)), {sign: (other,)})
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield self._instead(node, f"({self._text(node.operand)})")
        elif isinstance(node, ast.Constant):
            yield from self._of_constant(node)
        elif isinstance(node, ast.Call):
            yield from self._of_call(node)

    def _of_constant(self, node: ast.Constant) -> Iterator[Fault]:
        if isinstance(node.value, bool):
            yield self._instead(node, str(not node.value))
        elif isinstance(node.value, int | float):
            yield from (self._instead(node, repr(node.value + by)) for by in (1, -1))

    def _of_call(self, node: ast.Call) -> Iterator[Fault]:
        if isinstance(node.func, ast.Name) and node.func.id in _CALLED:
            yield self._instead(node.func, _CALLED[node.func.id])
        if len(node.args) > 1 and not any(isinstance(one, ast.Starred) for one in node.args[:2]):
            first, second = node.args[:2]
            (start, _), (_, end) = self._range(first), self._range(second)
            (_, middle), (behind, _) = self._range(first), self._range(second)
            between = self._source[middle:behind].decode()
            yield self._fault(node, start, end, f"{self._text(second)}{between}{self._text(first)}")

    def _between(
        self, left: ast.expr, right: ast.expr, wanted: re.Pattern[str], others: dict[str, tuple[str, ...]]
    ) -> Iterator[Fault]:
        """Faults of the operator between two operands."""
        (_, start), (end, _) = self._range(left), self._range(right)
        found = wanted.search(self._source[start:end].decode())
        if found is None:
            return
        word = " ".join(found[0].split())
        before = f"{self._text(left)} {word} {self._text(right)}"
        for other in others[word]:
            yield self._fault(left, start + found.start(), start + found.end(), other, before)

    def _instead(self, node: ast.expr | ast.stmt, text: str) -> Fault:
        return self._fault(node, *self._range(node), text)

    def _fault(
        self, node: ast.expr | ast.stmt, start: int, end: int, text: str, before: str | None = None
    ) -> Fault:
        before = self._source[start:end].decode() if before is None else before
        return Fault(self._path, node.lineno, start, end, text, before)

    def _text(self, node: ast.expr) -> str:
        start, end = self._range(node)
        return self._source[start:end].decode()

    def _range(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = self._lines[node.lineno - 1] + node.col_offset
        return start, self._lines[node.end_lineno - 1] + node.end_col_offset


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def modules() -> list[str]:
    """The modules in which faults are planted, as paths in the tree."""
    package = ROOT / "source_linear"
    found = sorted({path for place in PLACES for path in package.glob(place)})
    return [str(path.relative_to(ROOT)) for path in found if path.name != "__init__.py"]


def tests_of(paths: Sequence[str]) -> list[str]:
    """The fast tests: the modules' own, and the histories, which notice most and come last."""
    named = [(Path(path).parent.name, f"test_{Path(path).stem}.py") for path in paths]
    own = [f"unit_tests/{place}/{name}" for place, name in named]
    own += [f"unit_tests/{name}" for place, name in named if place != "components"]
    whole = ["unit_tests/test_manifest_is_honest.py", "unit_tests/test_histories.py"]
    others = ["unit_tests/sync", "unit_tests/components", *whole]
    return [one for one in dict.fromkeys([*own, *others]) if (ROOT / one).exists()]


def copy_of_tree(into: Path) -> Path:
    """A copy of what git knows of the working tree, or would take up."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)
    return into


class Run:
    """The fast tests on a copy of the tree, in a process of their own."""

    def __init__(self, tree: Path, fault: Fault | None, tests: Sequence[str]) -> None:
        """Plant the fault, and start."""
        self.fault, self.tree, self.started = fault, tree, time.monotonic()
        if fault:
            (tree / fault.path).write_bytes(fault.planted((ROOT / fault.path).read_bytes()))
            os.utime(
                tree / fault.path, (next(_TIMES),) * 2
            )  # else Python takes it for what it compiled before
            own = [one for one in tests if Path(one).stem == f"test_{Path(fault.path).stem}"]
            tests = list(dict.fromkeys([*own, *tests]))
        sys.stdout.flush()
        self.process = os.fork()
        if not self.process:
            self._be(tests)

    def _be(self, tests: Sequence[str]) -> None:
        """What the new process does: it shares what the first one has imported, which is none of the tree."""
        code = 2
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            os.chdir(self.tree)
            here = str(ROOT)
            sys.path[:] = [str(self.tree), *(one for one in sys.path if one not in ("", here))]
            for name in [name for name in sys.modules if name.split(".")[0] in ("tools", "source_linear")]:
                del sys.modules[name]
            with open(self.tree / "output.txt", "wb") as output:
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
            module = import_module("source_linear").__file__
            assert module and Path(module).is_relative_to(self.tree), f"{module} is not of the copy"
            code = int(
                import_module("pytest").main(["-x", "-q", "--tb=line", "-p", "no:cacheprovider", *tests])
            )
        finally:
            sys.stdout.flush()
            os._exit(code)

    def ended(self, limit: float) -> int | None:
        """Its exit code; -1 where it took longer than `limit`; None while it runs."""
        process, status = os.waitpid(self.process, os.WNOHANG)
        if not process and time.monotonic() - self.started <= limit:
            return None
        with suppress(ProcessLookupError):
            os.killpg(self.process, signal.SIGKILL)
        if not process:
            os.waitpid(self.process, 0)
        if self.fault:
            shutil.copy2(ROOT / self.fault.path, self.tree / self.fault.path)
        return os.waitstatus_to_exitcode(status) if process else -1


def play(faults: Sequence[Fault], tests: Sequence[str], trees: Sequence[Path]) -> list[Fault]:
    """Plant each fault; returns those that no test noticed.

    Raises:
        SystemExit: the tests fail without any.
    """
    alone = Run(trees[0], None, tests)
    while (code := alone.ended(600)) is None:
        time.sleep(0.05)
    seconds = time.monotonic() - alone.started
    if code:
        sys.exit(f"The tests fail without a fault:\n{(trees[0] / 'output.txt').read_text()[-3000:]}")
    limit = max(_LEAST, _SLOWER * seconds)
    print(f"{len(faults)} faults; the tests take {seconds:.1f} s without one", flush=True)
    waiting, running, free, survivors = list(faults), [], list(trees), []
    while waiting or running:
        while waiting and free:
            running.append(Run(free.pop(), waiting.pop(0), tests))
        for run in list(running):
            code = run.ended(limit)
            if code is None:
                continue
            running.remove(run)
            free.append(run.tree)
            if code == 0:
                survivors.append(run.fault)
                print(f"not noticed: {run.fault}", flush=True)
        time.sleep(0.02)
    return survivors


def main() -> None:
    """Plant faults, and tell what was noticed."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--faults", type=int, default=200, help="how many are planted")
    given = arguments.parse_args()
    paths = modules()
    known = [fault for path in paths for fault in faults_in(path, (ROOT / path).read_bytes())]
    planted, tests = chosen(known, given.faults), tests_of(paths)
    print(f"{len(paths)} modules, {len(known)} possible faults; tests: {' '.join(tests)}", flush=True)
    # Imported once for all: the processes that run the tests are forked.
    for name in ("airbyte_cdk.sources.declarative.concurrent_declarative_source", "pytest", "pendulum"):
        import_module(name)

    os.environ["HISTORIES"] = _HISTORIES
    with tempfile.TemporaryDirectory(prefix="mutation") as directory:
        trees = [copy_of_tree(Path(directory) / str(number)) for number in range(AT_ONCE)]
        survivors = play(planted, tests, trees)
    noticed = len(planted) - len(survivors)
    print(f"noticed {noticed} of {len(planted)} ({100 * noticed / len(planted):.0f} %)")


if __name__ == "__main__":
    main()
