"""The contract tool: declarations become GraphQL, the streams' part of it, and what moved."""

from __future__ import annotations

import pytest
from graphql import build_schema, print_schema

from source_linear.streams import Stream
from tools.contract import (
    SHARED,
    Change,
    ContractError,
    Declarations,
    compare,
    contract,
    graphql_type,
    parts,
    read,
    report,
    unread_connections,
    unread_in,
    written,
)
from tools.schemas import CONTRACT, ROOT

DECLARATIONS = """\
import { DocumentTypeDecoration } from "somewhere";
type Maybe<T> = T | null;
/** All built-in and custom scalars, mapped to their actual values */
type Scalars = {
  ID: string;
  String: string;
  Boolean: boolean;
  Int: number;
  Float: number;
  /** A date. */
  DateTime: Date;
};
type Node = {
  /** The unique identifier of the entity. */
  id: Scalars["ID"];
};
type Query = {
  __typename?: "Query";
  /** One comment. */
  comment: Comment;
  comments: CommentConnection;
  issue: Issue;
  /** All issues. */
  issues: IssueConnection;
  rateLimitStatus: Scalars["Int"];
  roadmaps: RoadmapConnection;
  viewer: User;
};
type QueryCommentArgs = {
  hash?: InputMaybe<Scalars["String"]>;
};
type QueryIssueArgs = {
  id: Scalars["String"];
};
type QueryIssuesArgs = {
  filter?: InputMaybe<IssueFilter>;
  first?: InputMaybe<Scalars["Int"]>;
};
/** A piece of work. */
export declare type Issue = Node & {
  __typename?: "Issue";
  /** [Internal] What the machine thinks of it. */
  analysis?: Maybe<Analysis>;
  /** [Internal] How sure the machine is. */
  analysisScore?: Maybe<Scalars["Float"]>;
  comments: CommentConnection;
  /**
   * The time of the last change.
   * @deprecated Use something else.
   */
  changedAt?: Maybe<Scalars["DateTime"]>;
  /** [Internal] The comment that it came from. */
  origin?: Maybe<Comment>;
  id: Scalars["ID"];
  labelIds: Array<Scalars["String"]>;
  source?: Maybe<IssueSource>;
};
type IssueCommentsArgs = {
  orderBy?: InputMaybe<PaginationOrderBy>;
};
type IssueConnection = {
  __typename?: "IssueConnection";
  nodes: Array<Issue>;
};
type IssueFilter = {
  and?: InputMaybe<Array<IssueFilter>>;
  id?: InputMaybe<IssueIdComparator>;
};
type IssueIdComparator = {
  eq?: InputMaybe<Scalars["ID"]>;
};
type IssueSource = Email | Chat;
type Email = {
  __typename?: "Email";
  sender: Scalars["String"];
};
type Chat = {
  __typename?: "Chat";
  channel: Scalars["String"];
};
type Analysis = {
  __typename?: "Analysis";
  text: Scalars["String"];
};
type Comment = Node & {
  __typename?: "Comment";
  id: Scalars["ID"];
};
type CommentConnection = {
  __typename?: "CommentConnection";
  nodes: Array<Comment>;
};
type Roadmap = {
  __typename?: "Roadmap";
  unknown: NeverDeclared;
};
type RoadmapConnection = {
  __typename?: "RoadmapConnection";
  nodes: Array<Roadmap>;
};
type User = {
  __typename?: "User";
  name: Scalars["String"];
};
/** By which field to order. */
declare enum PaginationOrderBy {
  CreatedAt = "createdAt",
  /** @deprecated No more. */
  UpdatedAt = "updatedAt",
}
type Issue_CommentsQuery = {
  __typename?: "Query";
} & {
  issue: {
    __typename?: "Issue";
  } & Pick<Issue, "id">;
};
"""


def declared_stream(name, entity, kind, **more):
    """A stream as the manifest would declare it, with nothing but its dates."""
    return Stream.from_parameters({"name": name, "entity": entity, "kind": kind, "fields": "", **more})


ISSUES = declared_stream("issues", "Issue", "windowed")
COMMENTS = declared_stream("comments", "Comment", "windowed")


@pytest.fixture(scope="module")
def declared() -> Declarations:
    return read(DECLARATIONS)


def test_the_streams_part_of_the_declarations_is_written_as_graphql(declared: Declarations) -> None:
    assert print_schema(contract(declared, [ISSUES, COMMENTS])) == print_schema(
        build_schema(
            """
            type Chat {
              channel: String!
            }

            type Comment implements Node {
              id: ID!
            }

            type CommentConnection {
              nodes: [Comment!]!
            }

            scalar DateTime

            type Email {
              sender: String!
            }

            type Issue implements Node {
              analysisScore: Float
              changedAt: DateTime @deprecated
              comments(orderBy: PaginationOrderBy): CommentConnection!
              id: ID!
              labelIds: [String!]!
              origin: Comment
              source: IssueSource
            }

            type IssueConnection {
              nodes: [Issue!]!
            }

            input IssueFilter {
              and: [IssueFilter!]
              id: IssueIDComparator
            }

            input IssueIDComparator {
              eq: ID
            }

            union IssueSource = Chat | Email

            interface Node {
              id: ID!
            }

            enum PaginationOrderBy {
              createdAt
              updatedAt @deprecated
            }

            type Query {
              comments: CommentConnection!
              issue(id: String!): Issue!
              issues(filter: IssueFilter, first: Int): IssueConnection!
              rateLimitStatus: Int!
              viewer: User!
            }

            type User {
              name: String!
            }
            """
        )
    )


def test_an_internal_object_stays_only_where_the_manifest_uses_it(declared: Declarations) -> None:
    assert "Issue.analysis" not in parts(contract(declared, [ISSUES, COMMENTS]))
    assert "Issue.analysis" in parts(
        contract(declared, [declared_stream("issues", "Issue", "windowed", objects={"analysis": "text"})])
    )


def test_a_stream_without_a_root_at_linear_is_left_out(declared: Declarations) -> None:
    reduced = contract(declared, [ISSUES, declared_stream("fortunes", "Fortune", "swept")])
    assert "Query.issues" in parts(reduced)
    assert "Query.fortunes" not in parts(reduced)


def test_a_type_that_cannot_be_found_is_an_error_and_not_a_gap(declared: Declarations) -> None:
    with pytest.raises(ContractError, match="NeverDeclared"):
        contract(declared, [declared_stream("roadmaps", "Roadmap", "swept")])


def test_declarations_of_another_make_are_an_error() -> None:
    with pytest.raises(ContractError, match="missing"):
        read("export interface Query { issues: IssueConnection }")


@pytest.mark.parametrize(
    ("typescript", "graphql"),
    [
        ('Scalars["DateTime"]', "DateTime!"),
        ('Maybe<Scalars["ID"]["output"]>', "ID"),
        ("Array<Issue>", "[Issue!]!"),
        ("Maybe<Array<Maybe<Issue>>>", "[Issue]"),
        ("InputMaybe<Array<IssueFilter>>", "[IssueFilter!]"),
    ],
)
def test_a_type_reads_the_same_in_both_languages(typescript: str, graphql: str) -> None:
    assert graphql_type(typescript) == graphql


OLD = """
type Query { issues(first: Int, filter: IssueFilter): IssueConnection!, teams: TeamConnection! }
type IssueConnection { nodes: [Issue!]! }
type Issue { id: ID!, title: String!, estimate: Float!, kind: Kind!, page: Page, team: Team }
input IssueFilter { title: String }
enum Kind { bug, feature }
type TeamConnection { nodes: [Team!]! }
type Team { id: ID!, page: Page, motto: Motto }
type Page { size: Int }
type Motto { text: String }
"""
STREAMS = [ISSUES, declared_stream("teams", "Team", "swept")]


def changed(*replacements: tuple[str, str]) -> list[Change]:
    new = OLD
    for old_text, new_text in replacements:
        assert old_text in new
        new = new.replace(old_text, new_text)
    return compare(build_schema(OLD), build_schema(new), STREAMS)


def test_equal_contracts_have_nothing_to_report() -> None:
    assert changed() == []


def test_each_change_is_reported_with_its_stream() -> None:
    changes = changed(
        ("estimate: Float!", "estimate: Float"),
        ("title: String!", "title: String! @deprecated"),
        ("bug, feature", "bug, chore"),
        ("first: Int, filter", "first: Int!, filter"),
        (
            "input IssueFilter { title: String }",
            "input IssueFilter { title: String, dueAt: String }",
        ),
        ("size: Int", "size: Float"),
        ("motto: Motto", "motto: [Motto!]"),
    )
    assert list(report(changes)) == [
        "issues",
        "  added      IssueFilter.dueAt: String",
        "  added      Kind.chore",
        "  changed    Issue.estimate: Float! → Float",
        "  changed    Query.issues(first:): Int → Int!",
        "  deprecated Issue.title: String!",
        "  removed    Kind.feature",
        "several streams",
        "  changed    Page.size: Int → Float",
        "teams",
        "  changed    Team.motto: Motto → [Motto!]",
    ]


def test_a_type_that_came_or_went_speaks_for_what_is_inside_it() -> None:
    gone = changed((", motto: Motto", ""), ("type Motto { text: String }", ""))
    assert gone == [
        Change("teams", "removed", "Motto", " (Object)"),
        Change("teams", "removed", "Team.motto", ": Motto"),
    ]


def test_a_field_that_came_speaks_for_its_arguments() -> None:
    came = changed(("motto: Motto", "motto: Motto, issues(first: Int): IssueConnection!"))
    assert came == [Change("teams", "added", "Team.issues", ": IssueConnection!")]


def test_a_root_that_went_is_reported_under_its_stream() -> None:
    gone = changed((", teams: TeamConnection!", ""))
    assert gone == [Change("teams", "removed", "Query.teams", ": TeamConnection!")]


def test_rows_that_exist_inside_a_parent_are_reported_under_their_own_stream() -> None:
    spans = declared_stream("spans", "Span", "child", parents=("Issue.spans(first: 5)",))
    old = OLD.replace("page: Page, team: Team", "spans: SpanConnection") + (
        "type SpanConnection { nodes: [Span!]! } type Span { id: ID!, endedAt: String }"
    )
    new = old.replace("endedAt: String", "endedAt: Int")
    assert compare(build_schema(old), build_schema(new), [*STREAMS, spans]) == [
        Change("spans", "changed", "Span.endedAt", ": String → Int")
    ]


def test_what_no_single_stream_owns_is_reported_once() -> None:
    assert {change.stream for change in changed(("size: Int", "size: Int, more: Int"))} == {SHARED}


def test_the_head_of_the_file_names_the_root_connections_that_no_stream_reads(
    declared: Declarations,
) -> None:
    unread = unread_connections(declared, [ISSUES])
    assert unread == ["comments", "roadmaps"]
    text = written(contract(declared, [ISSUES]), "1.2.3", unread)
    assert unread_in(text) == {"comments", "roadmaps"}
    assert "1.2.3" in text.splitlines()[1]
    build_schema(text)


def test_the_committed_contract_is_part_of_the_whole_schema() -> None:
    whole = ROOT.parent / "shared" / "linear" / "schema.graphql"
    if not whole.exists():
        pytest.skip("the whole schema of Linear lies beside the repository only where it is developed")
    ours, theirs = parts(build_schema(CONTRACT.read_text())), parts(build_schema(whole.read_text()))
    differing = {where: part for where, part in ours.items() if theirs.get(where) != part}
    assert differing == {}
