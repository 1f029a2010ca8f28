// Makes the calls of one run at their times and prints one JSON line for each. What a client does
// about tokens is its own; what is here is the program around it, the same for all.
import { once } from "node:events";
import { performance } from "node:perf_hooks"; // monotonic, whatever the wall clock does
import { createInterface } from "node:readline";

// Once this is imported, after the client, the program is ready, and is told where the servers are.
console.log("ready");
const input = createInterface({ input: process.stdin });
const [line] = await once(input, "line");
input.close();
export const [loginUrl, apiUrl, gatewayUrl] = line.split(" ");

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/// `call` makes one API request and resolves to its status; it may throw.
export async function makeCalls(call) {
  const calls = Number(process.env.BENCH_CALLS);
  const every = Number(process.env.BENCH_EVERY_MS);
  const start = performance.now();
  for (let i = 0; i < calls; i++) {
    await sleep(Math.max(0, start + i * every - performance.now()));
    let status = 0;
    let error = null;
    try {
      status = await call();
    } catch (problem) {
      status = problem?.status ?? 0;
      error = String(problem?.message ?? problem).slice(0, 200);
    }
    console.log(JSON.stringify({ status, error }));
  }
}

/// The usual wrapper for libraries that keep no token: cache it until it expires by the wall
/// clock, and answer a 401 with one new token and one retry. `fetchToken` resolves to
/// {value, expiresIn} (seconds).
export function wrapped(fetchToken) {
  const url = `${apiUrl}/api/v2/tokens/me`;
  let token = null;
  let expires = 0;
  const renew = async () => {
    const { value, expiresIn } = await fetchToken();
    token = value;
    expires = Date.now() + expiresIn * 1000;
  };
  const send = async () => {
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    await answer.arrayBuffer();
    return answer.status;
  };
  return async () => {
    if (token === null || Date.now() >= expires) await renew();
    let status = await send();
    if (status === 401) {
      await renew();
      status = await send();
    }
    return status;
  };
}
