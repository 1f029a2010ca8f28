// The official SDK through the sidecar, by its own gateway setting: two lines of a program change.
//
//   node with_gateway.mjs [URL [LOCAL-SECRET-FILE]]
//
// Prints the name of the organization.
import { readFileSync } from 'node:fs';
import platformClient from 'purecloud-platform-client-v2';

const [url = 'http://127.0.0.1:8484', secretFile] = process.argv.slice(2);
const sidecar = new URL(url);

const client = platformClient.ApiClient.instance;
// Otherwise the SDK drops the gateway as soon as ~/.genesyscloudjavascript/config changes.
client.config.live_reload_config = false;
client.setGateway({
  host: sidecar.hostname,
  protocol: 'http',
  port: Number(sidecar.port),
});

// The sidecar answers the login, once and for all. It looks at nothing but its local secret.
const secret = secretFile ? readFileSync(secretFile, 'utf8').trim() : 'any';
await client.loginClientCredentialsGrant('any', secret).catch(({ message }) => {
  throw new Error(message); // printed, the SDK's own error would show the secret
});

const organization = await new platformClient.OrganizationApi().getOrganizationsMe();
console.log(organization.name);
