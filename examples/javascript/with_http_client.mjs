// The official SDK through the sidecar, by an HTTP client made for it: no login is needed, Unix
// sockets work, and the program hears what was wrong on the way.
//
//   node with_http_client.mjs [URL|unix:PATH [LOCAL-SECRET-FILE]]
//
// Prints the name of the organization, and on standard error what went wrong and was cured.
import { readFileSync } from 'node:fs';
import platformClient from 'purecloud-platform-client-v2';
import { SidecarHttpClient } from './sidecar_http_client.mjs';

const [address = 'http://127.0.0.1:8484', secretFile] = process.argv.slice(2);

platformClient.ApiClient.instance.setHttpClient(new SidecarHttpClient({
  address,
  secret: secretFile && readFileSync(secretFile, 'utf8').trim(),
  onAnswer({ method, path, verdict, attempts }) {
    if (verdict !== 'ok') console.error(`${method} ${path}: ${verdict}, sent ${attempts} times`);
  },
}));

const organization = await new platformClient.OrganizationApi().getOrganizationsMe();
console.log(organization.name);
