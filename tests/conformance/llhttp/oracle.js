// SPDX-License-Identifier: BSD-3-Clause
// What llhttp, as Node has it and strict, makes of a client's bytes: inputs and output as of judge.c.
'use strict';

const { HTTPParser } = process.binding('http_parser');
const { methods } = process.binding('http_parser');

function judge(input) {
  const parser = new HTTPParser();
  const messages = [];
  let current = null;
  let body = [];
  let fields = [];
  let url = '';

  parser.initialize(HTTPParser.REQUEST, {}, 65536, 0);
  parser[HTTPParser.kOnHeaders] = (headers, part) => {
    fields.push(...headers);
    url += part;
  };
  parser[HTTPParser.kOnHeadersComplete] = (major, minor, headers, method, target, status, reason, upgrade, keepAlive) => {
    const all = headers === undefined ? fields : headers;
    const pairs = [];
    for (let i = 0; i < all.length; i += 2)
      pairs.push([all[i], all[i + 1]]);
    current = { method: methods[method], target: target === undefined ? url : target,
                version: `${major}.${minor}`, fields: pairs, upgrade, body: '', whole: false };
    current.keepAlive = keepAlive;
    messages.push(current);
    fields = [];
    url = '';
    body = [];
    return 0;
  };
  parser[HTTPParser.kOnBody] = (data, offset, length) => {
    body.push(offset === undefined ? data : data.subarray(offset, offset + length));
    current.body = Buffer.concat(body).toString('latin1');
  };
  // Trailers come by kOnHeaders too, with the target once more.
  parser[HTTPParser.kOnMessageComplete] = () => {
    fields = [];
    url = '';
    if (current)
      current.whole = true;
  };

  const result = parser.execute(input);
  let end = 'more';
  if (result instanceof Error)
    end = result.code;
  else if (messages.length && messages[messages.length - 1].upgrade)
    end = 'upgrade';
  return { messages, end };
}

const chunks = [];
process.stdin.on('data', (chunk) => chunks.push(chunk));
process.stdin.on('end', () => {
  const all = Buffer.concat(chunks);
  const out = [];
  for (let at = 0; at < all.length;) {
    const len = all.readUInt32LE(at);
    out.push(JSON.stringify(judge(all.subarray(at + 4, at + 4 + len))));
    at += 4 + len;
  }
  process.stdout.write(out.join('\n') + '\n');
});
