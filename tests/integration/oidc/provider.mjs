// The issuer: oidc-provider, a certified OpenID Connect server, as it comes. Client credentials
// alone: with resource=urn:api a JWT access token (RFC 9068), without one an opaque token.
import { generateKeyPair } from 'node:crypto';
import { createServer } from 'node:http';
import { promisify } from 'node:util';

import Provider from 'oidc-provider';

import { listen, log, options } from './log.mjs';

const { client, secret, lifetime } = options({ client: '', secret: '', lifetime: '300' });

const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
const signingKey = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' };

const machine = {
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: 'client_secret_basic',
};

const configuration = {
  clients: [
    { ...machine, client_id: client, client_secret: secret },
    { ...machine, client_id: 'resource-server', client_secret: 'asks-about-tokens' },
  ],
  jwks: { keys: [signingKey] },
  ttl: { ClientCredentials: (ctx, token) => token.resourceServer?.accessTokenTTL ?? +lifetime },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: {
      enabled: true,
      allowedPolicy: (ctx, asker) => asker.clientId === 'resource-server',
    },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        audience: 'urn:api',
        scope: '',
        accessTokenTTL: +lifetime,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
};

const server = createServer();
const url = await listen(server);
const provider = new Provider(url, configuration);
provider.on('grant.success', () => log({ event: 'token' }));
provider.on('grant.error', (ctx, error) => log({ event: 'refused', error: error.error }));
provider.on('server_error', (ctx, error) => log({ event: 'broken', error: String(error.stack) }));
server.on('request', provider.callback());
log({ event: 'ready', url });
