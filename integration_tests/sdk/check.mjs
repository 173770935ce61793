// Linear's own client against the API at LINEAR_API_URL, with LINEAR_API_KEY. Prints one JSON document.
//
//   node check.mjs read             the ids of all issues, comments and teams, by the client's own paging
//   node check.mjs fail ROOT FIRST  the error that a page of FIRST rows ends in, as the client parses it
//   node check.mjs queries          the text of every query that the client can send
import { LinearClient, LinearDocument } from "@linear/sdk";

const client = new LinearClient({
  apiKey: process.env.LINEAR_API_KEY,
  apiUrl: process.env.LINEAR_API_URL,
});

async function ids(connection) {
  while (connection.pageInfo.hasNextPage) await connection.fetchNext();
  return connection.nodes.map((node) => node.id);
}

async function read() {
  const page = { first: 100, includeArchived: true };
  return {
    issues: await ids(await client.issues(page)),
    comments: await ids(await client.comments(page)),
    teams: await ids(await client.teams(page)),
  };
}

async function fail(root, first) {
  try {
    const page = await client[root]({ first });
    return { error: null, nodes: page.nodes.length };
  } catch (error) {
    const { raw, stack, query, variables, ...parsed } = error;
    return { error: error.constructor.name, message: error.message, ...parsed };
  }
}

function queries() {
  const texts = Object.entries(LinearDocument).filter(([name]) => name.endsWith("Document"));
  return Object.fromEntries(texts.map(([name, text]) => [name, text.toString()]));
}

const [command, root, first] = process.argv.slice(2);
const commands = { read, queries, fail: () => fail(root, Number(first)) };
console.log(JSON.stringify(await commands[command]()));
