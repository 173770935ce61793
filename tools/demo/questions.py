"""Questions that a team asks of its Linear workspace, as SQL over the tables of the streams."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question and the SQL that answers it."""

    title: str
    sql: str


QUESTIONS = (
    Question(
        "What is open, by team and kind of state?",
        """\
SELECT teams.name AS team,
       count(*) FILTER (states.type = 'triage') AS triage,
       count(*) FILTER (states.type = 'backlog') AS backlog,
       count(*) FILTER (states.type = 'unstarted') AS todo,
       count(*) FILTER (states.type = 'started') AS started,
       count(*) AS open
FROM issues
JOIN teams ON teams.id = issues.teamId
JOIN workflow_states AS states ON states.id = issues.stateId
WHERE NOT issues.isArchived
  AND states.type NOT IN ('completed', 'canceled', 'duplicate')
GROUP BY team ORDER BY open DESC LIMIT 8""",
    ),
    Question(
        "How long does an issue take, from started to completed?",
        """\
SELECT teams.name AS team,
       count(*) AS completed,
       round(
           median(epoch(completedAt - startedAt)) / 86400, 1
       ) AS median_days
FROM issues
JOIN teams ON teams.id = issues.teamId
WHERE NOT issues.isArchived AND completedAt >= startedAt
GROUP BY team ORDER BY completed DESC LIMIT 8""",
    ),
    Question(
        "Which open issues are discussed most?",
        """\
SELECT issues.identifier AS issue,
       issues.title[:32] AS title,
       states.name AS state,
       count(*) AS comments,
       count(DISTINCT comments.userId) AS people
FROM comments
JOIN issues ON issues.id = comments.issueId
JOIN workflow_states AS states ON states.id = issues.stateId
WHERE NOT issues.isArchived
  AND states.type NOT IN ('completed', 'canceled', 'duplicate')
  AND NOT comments.isArchived
GROUP BY ALL ORDER BY comments DESC, people DESC, issue LIMIT 5""",
    ),
)
