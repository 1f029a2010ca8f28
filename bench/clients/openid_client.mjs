// npm openid-client: its client-credentials grant, in the usual wrapper.
import * as client from "openid-client";
import { loginUrl, makeCalls, wrapped } from "./calls.mjs";

const config = new client.Configuration(
  { issuer: loginUrl, token_endpoint: `${loginUrl}/oauth/token` },
  process.env.GENESYS_CLOUD_CLIENT_ID,
  undefined,
  client.ClientSecretBasic(process.env.GENESYS_CLOUD_CLIENT_SECRET),
);
client.allowInsecureRequests(config);

await makeCalls(
  wrapped(async () => {
    const tokens = await client.clientCredentialsGrant(config);
    return { value: tokens.access_token, expiresIn: tokens.expiresIn() };
  }),
);
