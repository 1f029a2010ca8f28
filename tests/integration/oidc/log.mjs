// One JSON line on stdout for each thing that a test may want to count. Never a token or a secret.
export function log(event) {
  process.stdout.write(JSON.stringify(event) + '\n');
}

// --name value, for each name in `defaults`.
export function options(defaults) {
  const found = { ...defaults };
  const words = process.argv.slice(2);
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i].replace(/^--/, '');
    if (!(name in defaults) || i + 1 >= words.length) throw new Error(`unknown option ${words[i]}`);
    found[name] = words[i + 1];
  }
  return found;
}

// Listens on a free port of the loopback; resolves to http://127.0.0.1:PORT.
export function listen(server) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}
