// The official Genesys Cloud SDK for JavaScript, through its gateway setting. It keeps the token
// and its end but renews neither with client credentials, so the program logs in again when the end
// has come, and after a 401, once.
import platformClient from "purecloud-platform-client-v2";
import { gatewayUrl, makeCalls } from "./calls.mjs";

const gateway = new URL(gatewayUrl);
const client = platformClient.ApiClient.instance;
client.setGateway({
  protocol: "http",
  host: gateway.hostname,
  port: Number(gateway.port),
  path_params_login: "login",
  path_params_api: "api",
});
const tokens = new platformClient.TokensApi();
const login = () =>
  client.loginClientCredentialsGrant(
    process.env.GENESYS_CLOUD_CLIENT_ID,
    process.env.GENESYS_CLOUD_CLIENT_SECRET,
  );

await makeCalls(async () => {
  if (!client.authData.accessToken || Date.now() >= client.authData.tokenExpiryTime) await login();
  try {
    await tokens.getTokensMe();
  } catch (problem) {
    if (problem?.status !== 401) throw problem;
    await login();
    await tokens.getTokensMe();
  }
  return 200;
});
