// A program that uses the official SDK as its guide says, and nothing else of ours.
// calls.mjs '{"login":PORT,"api":PORT,"secret":"...","workers":4,"calls":75,"every_ms":400}'
// Each worker makes so many calls, one every so often. Prints "ready" once it has logged in, and at
// the end {"calls":N,"errors":[...]}. `at_ms` of an error: when its call began, Unix time.
import sdk from 'purecloud-platform-client-v2';

const order = JSON.parse(process.argv[2]);
const client = sdk.ApiClient.instance;
const through = port => client.setGateway({ host: '127.0.0.1', protocol: 'http', port });

const tokens = new sdk.TokensApi();
const organization = new sdk.OrganizationApi();
const users = new sdk.UsersApi();
const conversations = new sdk.ConversationsApi();
const kinds = [
  async () => (await tokens.getTokensMe()).organization.id,
  async () => (await organization.getOrganizationsMe()).id,
  async n => (await users.getUsers({ pageSize: 25, pageNumber: 1 + n % 3 })).entities.length > 0,
  async () => (await conversations.postAnalyticsConversationsDetailsQuery({
    interval: '2026-01-01T00:00:00.000Z/2026-01-02T00:00:00.000Z',
    paging: { pageSize: 25, pageNumber: 1 },
  })).conversations.length === 0,
];

const errors = [];
let calls = 0;
const sleep = ms => new Promise(done => setTimeout(done, ms));

async function work(worker) {
  const start = Date.now();
  for (let i = 0; i < order.calls; ++i) {
    const due = start + i * order.every_ms - Date.now();
    if (due > 0) await sleep(due);
    const kind = (worker + i) % kinds.length;
    ++calls;
    const at_ms = Date.now();
    try {
      const good = await kinds[kind](Math.floor(i / kinds.length));
      if (!good) errors.push({ kind, at_ms, text: 'an empty answer' });
    } catch (error) {
      const text = String(error.code ?? error.message);
      errors.push({ kind, at_ms, status: error.status, text });
    }
  }
}

through(order.login);
try {
  await client.loginClientCredentialsGrant('any', order.secret);
  through(order.api);
  console.log('ready');
  await Promise.all(Array.from({ length: order.workers }, (_, worker) => work(worker)));
} catch (error) {
  errors.push({ kind: 'login', status: error.status, text: String(error.message) });
}
process.stdout.write(JSON.stringify({ calls, errors }), () => process.exit(0));
