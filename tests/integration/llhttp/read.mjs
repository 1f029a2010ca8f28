// How Node's own HTTP parser, llhttp, reads messages: the same lines as read_messages.cpp, without
// `size`, and a list of all messages that came. First the methods that it knows. No sockets: each
// message is the input of a stream.
import { createServer, METHODS, request } from "node:http";
import { createInterface } from "node:readline";
import { Duplex } from "node:stream";

const STRICT = { insecureHTTPParser: false, maxHeaderSize: 64 * 1024 };
const hex = (text) => Buffer.from(text, "latin1").toString("hex");

function streamOf(bytes, resolve) {
  const stream = new Duplex({ read() {}, write(_chunk, _encoding, done) { done(); } });
  stream.messages = [];
  stream.finish = () => {
    stream.finish = () => {};
    resolve(stream.messages);
    stream.destroy();
  };
  stream.on("close", () => stream.finish());
  stream.on("error", () => stream.finish());
  stream.push(bytes);
  stream.push(null);
  return stream;
}

/// Adds the message to what was read of its stream once its body is complete.
function take(message, start, stream) {
  const fields = [];
  for (let n = 0; n < message.rawHeaders.length; n += 2)
    fields.push(hex(`${message.rawHeaders[n]}:${message.rawHeaders[n + 1]}`));
  const body = [];
  message.on("data", (piece) => body.push(piece));
  message.on("error", () => {});
  message.on("end", () => {
    if (message.complete)
      stream.messages.push({
        start: hex(start), fields, body: Buffer.concat(body).toString("hex"),
      });
  });
}

const server = createServer({ ...STRICT, requireHostHeader: false, keepAliveTimeout: 0 });
server.maxHeadersCount = 0;
for (const event of ["request", "checkContinue", "checkExpectation"]) {
  server.on(event, (message, answer) => {
    take(message, `${message.method} ${message.url}`, message.socket);
    answer.end();
  });
}
server.on("clientError", (_error, stream) => stream.finish());

function readRequest(bytes) {
  return new Promise((resolve) => server.emit("connection", streamOf(bytes, resolve)));
}

function readAnswer(bytes) {
  return new Promise((resolve) => {
    const stream = streamOf(bytes, resolve);
    const call = request({ ...STRICT, host: "localhost", createConnection: () => stream });
    call.maxHeadersCount = 0;
    call.on("response", (message) => {
      take(message, `${message.statusCode}`, stream);
      message.on("close", () => stream.finish());
    });
    call.on("information", (message) => {
      const { rawHeaders, statusCode } = message;
      take({ rawHeaders, complete: true, on: (name, use) => name === "end" && use() },
           `${statusCode}`, stream);
      stream.finish();
    });
    call.on("error", () => stream.finish());
    call.end();
  });
}

process.stdout.write(`${JSON.stringify(METHODS)}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const [kind, text] = line.split(" ");
  const bytes = Buffer.from(text, "hex");
  const read = await (kind === "request" ? readRequest(bytes) : readAnswer(bytes));
  process.stdout.write(`${JSON.stringify(read)}\n`);
}
process.stdout.end(() => process.exit(0));  // what is still to be written would be lost
