"""The contract with Linear: the part of its GraphQL schema that the streams rely on.

    @linear/sdk on npm  →  type declarations  →  GraphQL, the streams' part  →  what moved

Linear publishes its whole schema as TypeScript, inside its own client. `make contract` reads that,
rewrites integration_tests/linear_api/schema.graphql (names, arguments, types and deprecations, no
prose) and prints what Linear added, changed, deprecated and removed, stream by stream.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    NamedTypeNode,
    Visitor,
    assert_valid_schema,
    build_schema,
    get_named_type,
    is_introspection_type,
    lexicographic_sort_schema,
    parse,
    print_schema,
    specified_scalar_types,
    visit,
)

from source_linear.streams import Stream
from tools.schemas import CONTRACT, ROOT, streams

PACKAGE = ROOT / "integration_tests" / "sdk" / "package.json"  # pins the client's version

SDK = "@linear/sdk"
HEAD = """\
Linear's GraphQL API as far as the streams rely on it, from the type declarations of
{sdk} {version} (MIT, Linear Orbit, Inc.). Written by `make contract`, not by hand.
"""
UNREAD = "Root connections that no stream reads:"
ALSO_READ = {"viewer", "rateLimitStatus"}  # for the connection check, and for people
SHARED = "several streams"


class ContractError(Exception):
    """The declarations can't be had, or are not written the way this tool knows."""


# --- From npm to the declarations -----------------------------------------------------------------


def download(version: str) -> tuple[str, str]:
    """Fetches Linear's client from npm: its exact version and its type declarations."""
    if not shutil.which("npm"):
        raise ContractError(f"npm is needed to fetch {SDK}")
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{SDK}@{version}", "--pack-destination", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as package:
            exact = json.loads(_member(package, "package/package.json"))["version"]
            for name in sorted(package.getnames()):
                if re.search(r"\.d\.[mc]?ts$", name):
                    text = _member(package, name)
                    if re.search(r"\btype QueryIssuesArgs = ", text):
                        return exact, text
    raise ContractError(f"{SDK} {exact} declares no GraphQL types")


def _member(package: tarfile.TarFile, name: str) -> str:
    file = package.extractfile(name)
    if file is None:
        raise ContractError(f"{name} is not a file")
    return file.read().decode()


# --- From the declarations to GraphQL -------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """A property of a declared type; `type` is as GraphQL writes it."""

    name: str
    type: str
    deprecated: bool = False
    internal: bool = False

    @property
    def named(self) -> str:
        """The type without lists and exclamation marks."""
        return self.type.strip("[]!")


@dataclass(frozen=True)
class Record:
    """A declared object, interface or input, with the interfaces that it implements."""

    parents: list[str]
    fields: list[Field]
    is_output: bool


@dataclass
class Declarations:
    """What GraphQL's code generator declared in TypeScript, sorted by what it is in GraphQL."""

    scalars: set[str] = field(default_factory=set)
    enums: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)
    unions: dict[str, list[str]] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    interfaces: set[str] = field(default_factory=set)
    arguments: dict[str, list[Field]] = field(default_factory=dict)

    def arguments_of(self, owner: str, name: str) -> list[Field]:
        """The arguments of a field."""
        return self.arguments.get(_folded(owner + name), [])

    def define(self, name: str, keep: Callable[[Field], bool]) -> str:
        """Writes one type in GraphQL's own language; of an object, the fields that `keep` wants."""
        if name in self.scalars:
            return f"scalar {name}"
        if name in self.unions:
            return f"union {name} = " + " | ".join(self.unions[name])
        if name in self.enums:
            lines = [value + _mark(deprecated) for value, deprecated in self.enums[name]]
            return f"enum {name} {{\n  " + "\n  ".join(lines) + "\n}"
        if name not in self.records:
            raise ContractError(f"{name} is used, but its declaration was not found")
        record = self.records[name]
        kind = "interface" if name in self.interfaces else "type" if record.is_output else "input"
        implements = " implements " + " & ".join(record.parents) if record.parents else ""
        lines = []
        for each in filter(keep if record.is_output else None, record.fields):
            given = ", ".join(f"{a.name}: {a.type}" for a in self.arguments_of(name, each.name))
            arguments = f"({given})" if given else ""
            lines.append(f"{each.name}{arguments}: {each.type}{_mark(each.deprecated)}")
        return f"{kind} {name}{implements} {{\n  " + "\n  ".join(lines) + "\n}"


_START = r"^(?:@\w+ )*(?:export )?(?:declare )?"
_RECORD = re.compile(_START + r"type (\w+) = ((?:\w+ & )*)\{\n((?:[ \t][^\n]*;\n)*)\};?$", re.M)
_UNION = re.compile(_START + r"type (\w+) =([\s\w|]+);$", re.M)
_ENUM = re.compile(_START + r"(?:const )?enum (\w+) \{\n(.*?)^\}", re.M | re.S)
_PROPERTY = re.compile(r"^\s+((?:@\w+ )*)(\w+)\??: (.+);$", re.M)
_ENUM_VALUE = re.compile(r'^\s+((?:@\w+ )*)\w+ = "(\w+)"', re.M)
_COMMENT = re.compile(r"^([ \t]*)/\*\*.*?\*/\s*", re.M | re.S)


def read(text: str) -> Declarations:
    """Reads the declarations of GraphQL types; whatever else is declared stays unread."""
    text = _COMMENT.sub(_facts, text)
    # The generator writes an ID inside a name as Id; these two are all that Linear has.
    text = re.sub(r"\b(Issue)?IdComparator\b", r"\1IDComparator", text)
    declared = Declarations()
    for name, parents, body in _RECORD.findall(text):
        properties = _PROPERTY.findall(body)
        names = [each for _, each, _ in properties]
        if name == "Scalars":
            declared.scalars.update(names)
            continue
        try:
            fields = [
                Field(each, graphql_type(typed), "@deprecated" in facts, "@internal" in facts)
                for facts, each, typed in properties
                if each != "__typename"
            ]
        except ContractError:
            continue  # a result of one of the client's own queries, or a helper of TypeScript's
        is_output = "__typename" in names
        if name.endswith("Args") and not is_output:
            # The arguments of a field, `<Type><Field>Args` in the generator's own letter case.
            declared.arguments[_folded(name.removesuffix("Args"))] = fields
        else:
            declared.records[name] = Record(re.findall(r"\w+", parents), fields, is_output)
            declared.interfaces.update(declared.records[name].parents)
    for name, members in _UNION.findall(text):
        declared.unions[name] = re.findall(r"\w+", members)
    for name, body in _ENUM.findall(text):
        values = _ENUM_VALUE.findall(body)
        declared.enums[name] = [(value, "@deprecated" in facts) for facts, value in values]
    if "Query" not in declared.records or not declared.scalars:
        raise ContractError("`type Query` or `type Scalars` is missing among the declarations")
    return declared


def graphql_type(typescript: str) -> str:
    """Writes a TypeScript type as GraphQL does: `Maybe<Array<Issue>>` is `[Issue!]`."""
    if match := re.fullmatch(r"(?:Input)?Maybe<(.+)>", typescript):
        return graphql_type(match[1]).removesuffix("!")
    if match := re.fullmatch(r"Array<(.+)>", typescript):
        return f"[{graphql_type(match[1])}]!"
    if match := re.fullmatch(r'Scalars\["(\w+)"\](?:\["\w+"\])?|([A-Z]\w*)', typescript):
        return f"{match[1] or match[2]}!"
    raise ContractError(f"not a GraphQL type: {typescript}")


def _facts(comment: re.Match[str]) -> str:
    signs = {"@deprecated": "@deprecated ", "[internal]": "@internal "}
    return comment[1] + "".join(fact for sign, fact in signs.items() if sign in comment[0].lower())


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def _mark(deprecated: bool) -> str:
    return " @deprecated" if deprecated else ""


# --- The streams' part ----------------------------------------------------------------------------


def contract(declared: Declarations, streams: Collection[Stream]) -> GraphQLSchema:
    """What the streams read from, single rows of the same entities by id, and all that both lead to.

    Fields that Linear marks as internal may go any day. Of those, plain values stay, relations to what
    is a stream itself, and what a stream queries; the others would make up a quarter of the contract.
    A root that Linear no longer has is left out, and `compare` tells of it.
    """
    entities = {root.entity for stream in streams for root in stream.roots}
    entities |= {stream.entity for stream in streams}
    queried = set(re.findall(r"\w+", " ".join(stream.query for stream in streams)))
    roots = _roots(streams) | ALSO_READ

    def keep(each: Field) -> bool:
        if not each.internal or each.name in queried:
            return True
        plain = each.named in declared.scalars or each.named in declared.enums
        return plain or each.named.removesuffix("Connection") in entities

    def keep_root(each: Field) -> bool:
        by_id = each.named in entities and each.name == each.named[0].lower() + each.named[1:]
        takes = {argument.name for argument in declared.arguments_of("Query", each.name)}
        return each.name in roots or (by_id and "id" in takes)

    definitions: dict[str, str] = {}
    ahead = {"Query"}
    while ahead:
        name = ahead.pop()
        definitions[name] = declared.define(name, keep_root if name == "Query" else keep)
        ahead |= _types_named_in(definitions[name])
        ahead -= definitions.keys() | specified_scalar_types.keys()
    schema = build_schema("\n\n".join(definitions.values()))
    assert_valid_schema(schema)
    return lexicographic_sort_schema(schema)


def unread_connections(declared: Declarations, streams: Iterable[Stream]) -> list[str]:
    """The root connections that no stream reads: each new one may be a stream to come."""
    fields = declared.records["Query"].fields
    connections = {each.name for each in fields if each.named.endswith("Connection")}
    return sorted(connections - _roots(streams))


def _roots(streams: Iterable[Stream]) -> set[str]:
    return {root.name for stream in streams for root in stream.roots}


def _types_named_in(definition: str) -> set[str]:
    found: set[str] = set()

    class Names(Visitor):
        def enter_named_type(self, node: NamedTypeNode, *_: Any) -> None:
            found.add(node.name.value)

    visit(parse(definition), Names())
    return found


# --- What moved -----------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Change:
    """One thing that Linear changed, and the stream that it touches."""

    stream: str
    what: str
    where: str
    detail: str = ""


@dataclass(frozen=True)
class Part:
    """What a schema says at one place, for example `: String!` at `Issue.title`."""

    says: str
    about: str  # the type whose stream is touched when this part changes
    deprecated: bool = False


def compare(old: GraphQLSchema, new: GraphQLSchema, streams: Collection[Stream]) -> list[Change]:
    """Everything that differs between two contracts, sorted by the stream that it touches."""
    before, after = parts(old), parts(new)
    changes = []
    for where in before.keys() | after.keys():
        holders = {where.partition(".")[0], where.partition("(")[0]} - {where}
        if any((holder in before) != (holder in after) for holder in holders):
            continue  # a type or field that came or went speaks for everything inside it
        was, now = before.get(where), after.get(where)
        differences = []
        if was and now:
            if was.says != now.says:
                differences.append(("changed", f"{was.says} →{now.says.removeprefix(':')}"))
            if was.deprecated != now.deprecated:
                differences.append(("deprecated" if now.deprecated else "restored", now.says))
        elif now:
            differences.append(("added", now.says))
        elif was:
            differences.append(("removed", was.says))
        about = (now or before[where]).about
        changes += [(about, what, where, detail) for what, detail in differences]
    if not changes:
        return []
    owners = stream_of_types(old, streams) | stream_of_types(new, streams)
    return sorted(Change(owners.get(about, SHARED), *change) for about, *change in changes)


def parts(schema: GraphQLSchema) -> dict[str, Part]:
    """Every place of a schema that can change, by its coordinate: `Issue.comments(first:)`."""
    found: dict[str, Part] = {}
    for name, each in schema.type_map.items():
        if is_introspection_type(each) or name in specified_scalar_types:
            continue
        kind = type(each).__name__.removeprefix("GraphQL").removesuffix("Type")
        found[name] = Part(f" ({kind})", name)
        if isinstance(each, GraphQLEnumType):
            for value, member in each.values.items():
                found[f"{name}.{value}"] = Part("", name, member.deprecation_reason is not None)
        if isinstance(each, GraphQLUnionType):
            found |= {f"{name}.{member.name}": Part("", name) for member in each.types}
        if isinstance(each, (GraphQLObjectType, GraphQLInterfaceType)):
            found |= {f"{name}.({face.name})": Part("", name) for face in each.interfaces}
        for inner_name, inner in _fields(each).items():
            where = f"{name}.{inner_name}"
            about = get_named_type(inner.type).name if name == "Query" else name
            found[where] = Part(f": {inner.type}", about, inner.deprecation_reason is not None)
            for argument, taken in getattr(inner, "args", {}).items():
                deprecated = taken.deprecation_reason is not None
                found[f"{where}({argument}:)"] = Part(f": {taken.type}", about, deprecated)
    return found


def stream_of_types(schema: GraphQLSchema, streams: Iterable[Stream]) -> dict[str, str]:
    """The stream behind each type.

    A stream's own types are its rows, their connections and what its root takes as arguments. What
    can be reached from there without entering another stream's own is the stream's too, unless
    another stream reaches it as well.
    """
    own: dict[str, str] = {}
    for stream in streams:
        for name in _own_types(schema, stream):
            own[name] = stream.name if name not in own else SHARED
    reached_by = {name: {stream} for name, stream in own.items()}
    for start, stream_name in own.items():
        ahead, seen = {start}, set(own)
        while ahead:
            name = ahead.pop()
            reached_by.setdefault(name, set()).add(stream_name)
            seen.add(name)
            ahead |= set(_refers(schema.type_map[name])) - seen
    return {name: by.pop() if len(by) == 1 else SHARED for name, by in reached_by.items()}


def _own_types(schema: GraphQLSchema, stream: Stream) -> set[str]:
    own = {stream.entity} & schema.type_map.keys()
    for name, each in schema.type_map.items():
        inside = {key: get_named_type(inner.type).name for key, inner in _fields(each).items()}
        if inside.get("nodes") == stream.entity:
            own |= {name, inside.get("edges", name)}
    root = _fields(schema.query_type).get(stream.roots[0].name)
    if root and not stream.parents:
        taken = [get_named_type(argument.type) for argument in root.args.values()]
        own |= {each.name for each in taken if _fields(each)}
    return own


def _refers(each: GraphQLNamedType) -> Iterator[str]:
    if isinstance(each, GraphQLUnionType):
        yield from (member.name for member in each.types)
    for inner in _fields(each).values():
        yield get_named_type(inner.type).name
        for argument in getattr(inner, "args", {}).values():
            yield get_named_type(argument.type).name


def _fields(each: GraphQLNamedType | None) -> dict[str, Any]:
    has = (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)
    return dict(each.fields) if isinstance(each, has) else {}


# --- The command ----------------------------------------------------------------------------------


def written(schema: GraphQLSchema, version: str, unread: Iterable[str]) -> str:
    """The contract as a file; its head names the root connections that no stream reads."""
    head = [*HEAD.format(sdk=SDK, version=version).splitlines(), UNREAD]
    head += textwrap.wrap(" ".join(unread), width=98)
    return "\n".join(f"# {line}" for line in head) + "\n\n" + print_schema(schema) + "\n"


def unread_in(text: str) -> set[str]:
    """The root connections that a written contract names as read by no stream."""
    head = " ".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
    return set(head.partition(UNREAD)[2].split())


def report(changes: Iterable[Change]) -> Iterator[str]:
    """The lines that a maintainer reads: a stream, then what moved in it."""
    for stream, moved in groupby(changes, key=lambda change: change.stream):
        yield stream
        yield from (f"  {change.what:10} {change.where}{change.detail}" for change in moved)


def main(arguments: Sequence[str] | None = None) -> int:
    """Refreshes the contract and prints what moved."""
    pinned = json.loads(PACKAGE.read_text())["dependencies"][SDK]
    parser = argparse.ArgumentParser(
        prog="python -m tools.contract",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sdk", default=pinned, help=f"version of {SDK} (default: {pinned})")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it differs")
    options = parser.parse_args(arguments)

    version, text = download(options.sdk)
    declared = read(text)
    schema = contract(declared, streams())
    unread = unread_connections(declared, streams())

    committed = CONTRACT.read_text()
    news = [*report(compare(build_schema(committed), schema, streams()))]
    if fresh := sorted(set(unread) - unread_in(committed)):
        news += ["read by no stream yet", *(f"  added      Query.{root}" for root in fresh)]
    print(f"{SDK} {version} against {CONTRACT.relative_to(ROOT)}")
    print(*(news or ["nothing moved"]), sep="\n")
    if not options.check:
        CONTRACT.write_text(written(schema, version, unread))
    return 1 if options.check and news else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ContractError as error:
        sys.exit(f"tools.contract: {error}")
