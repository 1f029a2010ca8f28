// calls.mjs BASE KEY COUNT: POSTs with Node's fetch. Prints one status and body a line.
const [base, key, count] = process.argv.slice(2);
for (let i = 0; i < Number(count); ++i) {
  const answer = await fetch(`${base}/api/v2/emulator/upload`, {
    method: 'POST',
    headers: { Authorization: 'Bearer handle', 'Idempotency-Key': key + i },
    body: 'a body',
  });
  console.log(answer.status, await answer.text());
}
