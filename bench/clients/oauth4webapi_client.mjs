// npm oauth4webapi: its client-credentials grant, in the usual wrapper.
import * as oauth from "oauth4webapi";
import { loginUrl, makeCalls, wrapped } from "./calls.mjs";

const server = { issuer: loginUrl, token_endpoint: `${loginUrl}/oauth/token` };
const client = { client_id: process.env.GENESYS_CLOUD_CLIENT_ID };
const authentication = oauth.ClientSecretBasic(process.env.GENESYS_CLOUD_CLIENT_SECRET);

await makeCalls(
  wrapped(async () => {
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      authentication,
      new URLSearchParams(),
      { [oauth.allowInsecureRequests]: true },
    );
    const tokens = await oauth.processClientCredentialsResponse(server, client, response);
    return { value: tokens.access_token, expiresIn: tokens.expires_in };
  }),
);
