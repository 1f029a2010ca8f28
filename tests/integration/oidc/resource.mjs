// The resource server: jose, tolerance 0. It refuses a token whose iat or nbf lies in its future or
// whose exp has come, by its own clock, with the challenges of RFC 6750. JWTs are verified against
// the issuer's keys; an opaque token is looked up at the issuer (RFC 7662).
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

import { createRemoteJWKSet, jwtVerify } from 'jose';

import { listen, log, options } from './log.mjs';

const { issuer } = options({ issuer: '' });
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));

async function verifyJwt(token) {
  const rules = {
    issuer,
    audience: 'urn:api',
    typ: 'at+jwt',
    clockTolerance: 0,
    maxTokenAge: '1h', // makes an iat in the future an error
  };
  const { payload } = await jwtVerify(token, keys, rules);
  return payload;
}

async function lookUp(token) {
  const answer = await fetch(`${issuer}/token/introspection`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa('resource-server:asks-about-tokens')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ token }),
  });
  if (!answer.ok) throw new Error(`introspection answered ${answer.status}`);
  const found = await answer.json();
  const now = Math.floor(Date.now() / 1000);
  if (!found.active) throw new Error('the token is not active');
  if (found.iat > now) throw new Error('iat lies in the future');
  if (found.exp <= now) throw new Error('exp has passed');
  return found;
}

// {claims} or {why}: why the token is refused, '' where there is none.
async function judge(authorization) {
  const bearer = /^Bearer ([\w.~+/-]+=*)$/i.exec(authorization ?? '');
  if (!bearer) return { why: '' };
  const token = bearer[1];
  const hash = createHash('sha256').update(token).digest('hex');
  try {
    return { hash, claims: await (token.includes('.') ? verifyJwt(token) : lookUp(token)) };
  } catch (error) {
    return { hash, why: error.message.replace(/["\\]/g, "'") };
  }
}

function challenge(error, why) {
  return `Bearer realm="api"${error && `, error="${error}", error_description="${why}"`}`;
}

function answer(response, status, headers, body) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body) + '\n');
}

async function readAll(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function handle(request, response) {
  const body = await readAll(request);
  const { hash, claims, why } = await judge(request.headers.authorization);
  const { method, url } = request;
  // Told before it is answered: who has the answer may end this party.
  const reply = (status, headers, content) => {
    log({ event: 'request', method, url, status, token: hash, why, body });
    answer(response, status, headers, content);
  };
  if (!claims) {
    const error = hash ? 'invalid_token' : '';
    reply(401, { 'www-authenticate': challenge(error, why) }, { error });
  } else if (url === '/forbidden') {
    const headers = { 'www-authenticate': challenge('insufficient_scope', 'ask for more') };
    reply(403, headers, { error: 'insufficient_scope' });
  } else {
    reply(200, {}, { client: claims.client_id, method, url, body });
  }
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    log({ event: 'broken', error: String(error.stack) });
    response.destroy();
  });
});
log({ event: 'ready', url: await listen(server) });
