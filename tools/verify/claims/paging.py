"""Pages: how large, in which order, and where the next one begins."""

from itertools import pairwise

from tools.verify.asking import Linear
from tools.verify.claim import Findings, claim, found, unseen
from tools.verify.evidence import fresh, is_refused, listed, longest, nodes, nodes_of, unless_changed

_PAGES = 4  # of a list that is read in pages
_TIES = 3  # of groups of rows with one date, into which a page is cut


@claim(
    "PAGING-2",
    "`first` is 50 if it is not given; 250 are accepted, in nested lists as well",
    "Pages would be smaller than asked for, or refused: report it, and do not rely on a copy made meanwhile.",
)
def sizes(linear: Linear) -> Findings:
    root, _ = longest(linear)
    rows = listed(linear, root)
    asked = linear.ask(f"query size {{ {root}(includeArchived: true) {{ nodes {{ id }} }} }}")
    nested = linear.ask("query size { users(first: 1) { nodes { teams(first: 250) { nodes { id } } } } }")
    given, wanted = len(asked.nodes(root)), min(50, len(rows))
    differing = (given != wanted) + bool(nested.failure)
    seen = f"{len(rows)} rows of {root} with first: 250, {given} without; a nested list of 250 "
    seen += nested.refusal or "accepted"
    if len(rows) <= 50 and given == len(rows) and not nested.failure:
        return unseen(f"the longest list, {root}, has no more than 50 rows")
    return found(2, differing, seen, rows=len(rows), by_default=given)


@claim(
    "PAGING-3",
    "`first: 251` is refused, with INVALID_INPUT at HTTP 200",
    "Larger pages might be possible. The connector never asks for more than 250: no row is lost.",
)
def too_many(linear: Linear) -> Findings:
    reply = linear.ask("query size { users(first: 251) { nodes { id } } }")
    as_said = reply.exchange.code == "INVALID_INPUT" and reply.exchange.status == 200
    rows = "" if reply.failure else f"accepted, {len(reply.nodes('users'))} rows"
    return found(
        1, not as_said, reply.refusal or rows, code=reply.exchange.code, status=reply.exchange.status
    )


@claim(
    "PAGING-4",
    "`endCursor` is the id of the last row",
    "The change probe goes on after the id of the last row: it would fail, and streams be read without it.",
)
def end_cursor(linear: Linear) -> Findings:
    compared = differing = 0
    for stream in linear.streams.values():
        for root, reply, rows in nodes_of(linear, stream) if stream.connection else ():
            if rows:
                compared += 1
                differing += reply.data[root.name]["pageInfo"]["endCursor"] != rows[-1]["id"]
    return found(compared, differing, f"{compared} pages, {differing} with another cursor")


@claim(
    "PAGING-5",
    "a nested list brings its own first page only, and the rest after its `endCursor`",
    "Lists of ids, histories and links would be cut: report it, and do not rely on them.",
)
def nested_lists(linear: Linear) -> Findings:
    inner = "nodes { id } pageInfo { hasNextPage endCursor }"
    reply = linear.ask(
        "query nested { teams(first: 50, includeArchived: true) { nodes { id "
        f"short: memberships(first: 1, includeArchived: true) {{ {inner} }} "
        f"long: memberships(first: 3, includeArchived: true) {{ {inner} }} }} }} }}"
    )
    teams = [team for team in reply.nodes("teams") if len(team["long"]["nodes"]) > 1]
    if not teams:
        return unseen("no team has two members")
    wrong = sum(
        len(team["short"]["nodes"]) != 1 or not team["short"]["pageInfo"]["hasNextPage"] for team in teams
    )
    team = teams[0]
    following = linear.ask(
        "query nested($id: String!, $after: String) { team(id: $id) { "
        "memberships(first: 1, after: $after, includeArchived: true) { nodes { id } } } }",
        {"id": team["id"], "after": team["short"]["pageInfo"]["endCursor"]},
    )
    rest = following.data["team"]["memberships"]["nodes"] if not following.failure else []
    goes_on = [row["id"] for row in rest] == [team["long"]["nodes"][1]["id"]]
    seen = f"{len(teams)} lists of one row of more, {wrong} otherwise; "
    seen += "the next row came" if goes_on else "the next row did not come"
    return found(len(teams) + 1, wrong + (not goes_on), seen)


@claim(
    "PAGING-10",
    "the pages of a list are together the list, also where a page ends between rows of one date",
    "Rows between two pages would be lost or come twice: report it, and do not rely on the copy.",
)
def pages(linear: Linear) -> Findings:
    root, _ = longest(linear)
    whole = listed(linear, root)
    size, read, after, more = max(1, -(-len(whole) // _PAGES)), [], None, True
    while more and len(read) < len(whole):
        reply = linear.ask(
            f"query pages($first: Int!, $after: String) {{ {root}(first: $first, after: $after, "
            "orderBy: createdAt, includeArchived: true) "
            "{ nodes { id } pageInfo { hasNextPage endCursor } } }",
            {"after": after} if after else {},
            size,
        )
        read += reply.ids(root)
        info = reply.data[root]["pageInfo"]
        more, after = info["hasNextPage"] and bool(reply.ids(root)), info["endCursor"]
    wanted = [row["id"] for row in whole]
    differing = sum(one != other for one, other in zip(read, wanted, strict=False))
    differing += max(0, len(wanted) - len(read))
    if differing:
        unless_changed(linear, whole, root, "createdAt")
    ties, wrong = _tied(linear)
    seen = f"{len(wanted)} rows of {root} in pages of {size}, {differing} not in their place; "
    seen += f"{ties} pages that begin between rows of one date, {wrong} with other rows"
    if not ties:
        seen += " (no list has such rows)"
    return found(len(wanted) + ties, min(len(wanted), differing) + wrong, seen, ties=ties)


def _tied(linear: Linear) -> tuple[int, int]:
    """How many pages were asked for that begin between rows of one date, and how many are wrong."""
    asked = wrong = 0
    for name, stream in linear.streams.items():
        if not stream.connection or stream.parents or asked >= _TIES:
            continue
        stamps = [node["updatedAt"] for node in nodes(linear, name)]
        if len(stamps) == len(set(stamps)):
            continue
        root = stream.roots[0].name
        rows = listed(linear, root, "updatedAt")
        for number in range(len(rows) - 1):
            if rows[number]["updatedAt"] != rows[number + 1]["updatedAt"]:
                continue
            reply = linear.ask(
                f"query ties($after: String) {{ {root}(first: 50, after: $after, orderBy: updatedAt, "
                "includeArchived: true) { nodes { id } } }",
                {"after": rows[number]["id"]},
            )
            asked += 1
            wanted = [row["id"] for row in rows[number + 1 : number + 51]]
            if reply.ids(root)[: len(wanted)] != wanted:
                unless_changed(linear, rows, root, "updatedAt")
                wrong += 1
            break
    return asked, wrong


@claim(
    "FILTER-7",
    "rows come newest first, under `orderBy: createdAt` and `orderBy: updatedAt`",
    "Feeds stop at the first row that is too old, and would lose rows: report it, do not rely on the copy.",
)
def order(linear: Linear) -> Findings:
    root, _ = longest(linear)
    compared, seen = 0, []
    differing = 0
    for field in ("createdAt", "updatedAt"):
        stamps = [row[field] for row in listed(linear, root, field)]
        wrong = sum(one < other for one, other in pairwise(stamps))
        compared += max(0, len(set(stamps)) - 1)
        differing += min(wrong, max(0, len(set(stamps)) - 1))
        seen.append(f"{field}: {len(stamps)} rows of {root}, {wrong} older than the next")
    return found(compared, differing, "; ".join(seen))


@claim(
    "FILTER-6",
    "without `orderBy` rows are ordered by `createdAt`",
    "Nested lists without an order would come in another one. Their rows are read to the end all the same.",
)
def default_order(linear: Linear) -> Findings:
    root, _ = longest(linear)
    by_creation, by_change = (
        [row["id"] for row in listed(linear, root, field)] for field in ("createdAt", "updatedAt")
    )
    if by_creation == by_change:
        return unseen(f"{root} have the same order by both dates")
    rows = fresh(linear, root, "")
    if [row["id"] for row in rows] != by_creation:
        unless_changed(linear, listed(linear, root), root, "createdAt")
        return found(1, 1, f"{len(rows)} rows of {root}, in another order")
    return found(1, 0, f"{len(rows)} rows of {root}, in the order of createdAt")


def readable(linear: Linear, name: str) -> bool:
    """Whether a stream may be read with these credentials."""
    return not is_refused(linear, linear.streams[name])
