// An HTTP client for the official SDK that sends its requests to the sidecar (skewguard serve).
import platformClient from 'purecloud-platform-client-v2';

const { DefaultHttpClient } = platformClient;
const LONGEST_MS = 30_000; // the sidecar may hold a request for 12 s, until it has a good token

/**
 * For `ApiClient.setHttpClient`. All requests go to the sidecar, whatever environment the SDK is
 * set to, and past any `http_proxy`. No login is needed; one that is made all the same is answered
 * by the sidecar, and the client's id and secret do not leave the program.
 */
export class SidecarHttpClient extends DefaultHttpClient {
  #base;
  #socketPath;
  #secret;
  #onAnswer;

  /**
   * @param {object} [options]
   * @param {string} [options.address] as `serve` prints it: `http://HOST:PORT` or `unix:PATH`
   * @param {string} [options.secret] the local secret, if the sidecar has one
   * @param {(answer: {method: string, path: string, status: number, verdict: string,
   *   attempts: number}) => void} [options.onAnswer] called with each answer of the API. `verdict`
   *   is `ok` unless something was wrong on the way; `attempts`: how often the request was sent.
   */
  constructor({ address = 'http://127.0.0.1:8484', secret, onAnswer = () => {} } = {}) {
    super(LONGEST_MS);
    const onSocket = address.startsWith('unix:');
    this.#socketPath = onSocket ? address.slice('unix:'.length) : undefined;
    this.#base = onSocket ? 'http://localhost' : address;
    this.#secret = secret;
    this.#onAnswer = onAnswer;
  }

  /** Where and how axios, which the SDK uses, sends this request. */
  toAxiosConfig(options) {
    const { pathname, search } = new URL(options.url);
    const headers = { ...options.headers, ...this.#credentials(pathname) }; // the SDK's are logged
    const config = { ...super.toAxiosConfig(options), headers, proxy: false };
    config.url = new URL(pathname + search, this.#base).href;
    if (this.#socketPath) config.socketPath = this.#socketPath;
    return config;
  }

  async request(options) {
    try {
      const answer = await super.request(options);
      this.#tell(options, answer);
      return answer;
    } catch (error) {
      if (error.response) this.#tell(options, error.response);
      throw withoutRequest(error);
    }
  }

  /** The SDK's own are of no use to the sidecar. */
  #credentials(path) {
    if (path !== '/oauth/token') {
      return { Authorization: this.#secret ? `Bearer ${this.#secret}` : undefined };
    }
    const idAndSecret = `any:${this.#secret ?? 'any'}`;
    return { Authorization: `Basic ${Buffer.from(idAndSecret).toString('base64')}` };
  }

  #tell({ method, url }, { status, headers }) {
    const verdict = headers['skewguard-verdict'];
    if (!verdict) return; // the sidecar's own
    const attempts = Number(headers['skewguard-attempts']);
    this.#onAnswer({ method, path: new URL(url).pathname, status, verdict, attempts });
  }
}

/** What programs print of an axios error would show the local secret. */
function withoutRequest({ message, code, response }) {
  const error = Object.assign(new Error(message), { code });
  if (response) {
    const { status, statusText, headers, data } = response;
    error.response = { status, statusText, headers, data };
  }
  return error;
}
