'use strict';
/**
 * Runs a function inside an instance: loads its handler and calls it for each invocation. See ../README.md for the protocol.
 * Depends on nothing but Node.js (12 or newer) and is written in what version 12 can parse: it lives in the same process as
 * the user's code, of whatever version.
 */
const fs = require('fs');
const net = require('net');
const path = require('path');

const CHANNEL = process.argv[2] || '/run/openscf/channel.sock';
const KIND = { hello: 1, init: 2, ready: 3, initFailed: 4, invoke: 5, result: 6, error: 7, compiled: 14 };
/** What was compiled is collected when a first call has been answered; so often it is looked for that, then no longer. */
const LOOK_FOR_ANSWER_MS = 50;
const LOOKS_FOR_ANSWER = 20;
const PREAMBLE_BYTES = 13;
const MAX_RESULT_BYTES = 6 * 1024 * 1024;
/** Longest text of a message or a trace that is sent. */
const MAX_TEXT = 64 * 1024;

// The user's code may replace globals; what the bootstrap needs is taken before.
const encodeJson = JSON.stringify;
const decodeJson = JSON.parse;
const { setImmediate, setTimeout } = global;

/** The invocation that runs, or undefined: { streamId, requestId }. An instance runs one at a time. */
let running;
let wasCalled = false;
let handler;
let staticContext;

/** Read into again and again: memory of its own for each read costs more than the call. */
const READ_BYTES = 64 * 1024;
const channel = net.connect(
  {
    path: CHANNEL,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback(bytes, buffer) {
        receive(Buffer.from(buffer.slice(0, bytes)));
        return true;
      },
    },
  },
  () => send(KIND.hello, 0, { protocol: 1, runtime: 'nodejs', version: process.version }),
);
// Without its channel an instance is of no use; the invoker is gone or has given it up.
channel.on('error', () => process.exit(0));
channel.on('close', () => process.exit(0));

// ---- frames: u32 length of the rest | u8 kind | u32 stream id | u32 head length | head (JSON) | body ----

/** Chunks that do not make up a frame yet: a large frame is joined once, when all of it is here. */
let pending = [];
let pendingBytes = 0;
let wantedBytes = 4;

function receive(chunk) {
  pending.push(chunk);
  pendingBytes += chunk.length;
  if (pendingBytes < wantedBytes) return;
  let bytes = pending.length === 1 ? chunk : Buffer.concat(pending);
  while (bytes.length >= frameBytes(bytes)) {
    const end = frameBytes(bytes);
    receiveFrame(bytes.slice(0, end));
    bytes = bytes.slice(end);
  }
  pending = bytes.length === 0 ? [] : [bytes];
  pendingBytes = bytes.length;
  wantedBytes = frameBytes(bytes);
}

function frameBytes(bytes) {
  return bytes.length < 4 ? 4 : 4 + bytes.readUInt32BE(0);
}

function receiveFrame(frame) {
  const headEnd = PREAMBLE_BYTES + frame.readUInt32BE(9);
  const head = decodeJson(frame.toString('utf8', PREAMBLE_BYTES, headEnd));
  if (frame[4] === KIND.invoke) invoke(frame.readUInt32BE(5), head, frame.slice(headEnd));
  else if (frame[4] === KIND.init) init(head);
}

function send(kind, streamId, head, body) {
  const headBytes = Buffer.from(head === undefined ? '{}' : encodeJson(head));
  const bodyBytes = body === undefined ? 0 : body.length;
  const frame = Buffer.allocUnsafe(PREAMBLE_BYTES + headBytes.length + bodyBytes);
  frame.writeUInt32BE(frame.length - 4, 0);
  frame[4] = kind;
  frame.writeUInt32BE(streamId, 5);
  frame.writeUInt32BE(headBytes.length, 9);
  headBytes.copy(frame, PREAMBLE_BYTES);
  if (bodyBytes > 0) body.copy(frame, PREAMBLE_BYTES + headBytes.length);
  channel.write(frame);
}

// ---- initialization ----

function init(head) {
  staticContext = head.context;
  enter(head.codeRoot, head.environment || {});
  const collected = openCompileCache(head);
  load(head.handler, head.codeRoot).then(
    (loaded) => {
      handler = loaded;
      send(KIND.ready, 0);
      if (collected !== undefined) collectLater(collected, LOOKS_FOR_ANSWER);
    },
    (error) => send(KIND.initFailed, 0, describeLoadError(error)),
  );
}

/** @returns what gives the files of a new cache; undefined when none is wanted */
function openCompileCache({ compileCache, codeRoot }) {
  if (compileCache === undefined) return undefined;
  return require('./compile-cache.cjs').open(compileCache.read, [`${codeRoot}/`, '/opt/']);
}

/** Behind the first call, so that what it loads is there too; without it where none comes soon, or it takes long. */
function collectLater(collected, looks) {
  const look = () => {
    if (looks === 0 || (wasCalled && running === undefined)) sendCompiled(collected());
    else collectLater(collected, looks - 1);
  };
  setTimeout(look, LOOK_FOR_ANSWER_MS).unref();
}

/**
 * One file in a turn, so that a call that comes meanwhile waits for no more than that.
 * Nothing depends on it: whatever goes wrong, later instances compile for themselves.
 */
function sendCompiled(files) {
  try {
    const { done, value } = files.next();
    if (done) {
      send(KIND.compiled, 0, {});
      return;
    }
    send(KIND.compiled, 0, { name: value[0] }, value[1]);
    setImmediate(sendCompiled, files);
  } catch (_) {
    // The function has its own way with the folder, or with V8.
  }
}

/** The code may have been mounted after the start: only a fresh look sees it. */
function enter(codeRoot, environment) {
  process.chdir(codeRoot);
  Object.assign(process.env, environment);
  // Node.js reads it at the start only.
  if (environment.NODE_PATH !== undefined) require('module')._initPaths();
}

class HandlerNotFound extends Error {}

/** `folder/file.method`: the method is what follows the last dot. */
async function load(name, codeRoot) {
  const dot = name.lastIndexOf('.');
  if (dot <= 0 || dot === name.length - 1) {
    throw new HandlerNotFound(`the handler is "${name}"; accepted is file.method`);
  }
  const method = name.slice(dot + 1);
  const file = findFile(path.resolve(codeRoot, name.slice(0, dot)));
  if (file === undefined) {
    throw new HandlerNotFound(`the file of the handler "${name}" does not exist: ${name.slice(0, dot)}.js`);
  }
  process.argv = [process.argv[0], file];
  const exported = isModule(file, codeRoot) ? await importModule(file) : require(file);
  const holder = exported !== null && exported !== undefined ? exported : {};
  const found = holder[method] !== undefined ? holder[method] : (holder.default || {})[method];
  if (typeof found !== 'function') {
    const is = found === undefined ? 'is not exported by' : `is not a function in`;
    throw new HandlerNotFound(
      `the method "${method}" of the handler "${name}" ${is} ${path.relative(codeRoot, file)}`,
    );
  }
  return found;
}

function findFile(base) {
  const candidates = ['', '.js', '.cjs', '.mjs', '/index.js', '/index.cjs', '/index.mjs'];
  return candidates
    .map((ending) => base + ending)
    .find((file) => {
      try {
        return fs.statSync(file).isFile();
      } catch (_) {
        return false;
      }
    });
}

/** As Node.js decides: by the ending, else by the nearest package.json. */
function isModule(file, codeRoot) {
  if (!file.endsWith('.js')) return file.endsWith('.mjs');
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    try {
      return decodeJson(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).type === 'module';
    } catch (_) {
      if (folder === codeRoot || folder === path.dirname(folder)) return false;
    }
  }
}

function importModule(file) {
  return import(require('url').pathToFileURL(file).href);
}

function describeLoadError(error) {
  if (error instanceof HandlerNotFound)
    return { reason: 'handler-not-found', message: error.message, stackTrace: '' };
  return { reason: 'load-failed', ...describe(error) };
}

// ---- invocations ----

function invoke(streamId, head, body) {
  const invocation = { streamId, requestId: head.request_id };
  running = invocation;
  wasCalled = true;
  let event;
  try {
    event = decodeJson(body.toString('utf8'));
  } catch (error) {
    fail(invocation, { reason: 'event-not-json', message: error.message, stackTrace: '' });
    return;
  }
  const context = Object.assign({ callbackWaitsForEmptyEventLoop: true }, staticContext, head);
  const callback = (error, data) => {
    if (error === null || error === undefined) succeed(invocation, data);
    else throwInto(invocation, error);
  };
  try {
    const returned = handler(event, context, callback);
    if (returned !== null && returned !== undefined && typeof returned.then === 'function') {
      returned.then(
        (value) => succeed(invocation, value),
        (error) => throwInto(invocation, error),
      );
    } else if (returned !== undefined || handler.length < 3) {
      // A handler that takes a callback and returns nothing answers through it.
      succeed(invocation, returned);
    }
  } catch (error) {
    throwInto(invocation, error);
  }
}

/** The first answer of an invocation counts; whatever comes later is dropped. */
function succeed(invocation, value) {
  if (running !== invocation) return;
  let text;
  try {
    text = encodeJson(value === undefined ? null : value);
  } catch (error) {
    const message = `the return value of the handler cannot be encoded as JSON: ${firstLine(error && error.message)}`;
    fail(invocation, { reason: 'result-not-json', message, stackTrace: '' });
    return;
  }
  // A function or a symbol has no JSON text either.
  if (text === undefined) {
    const message = `the return value of the handler cannot be encoded as JSON: it is a ${typeof value}`;
    fail(invocation, { reason: 'result-not-json', message, stackTrace: '' });
    return;
  }
  const body = Buffer.from(text);
  if (body.length > MAX_RESULT_BYTES) {
    fail(invocation, { reason: 'result-too-large', message: `${body.length} bytes`, stackTrace: '' });
    return;
  }
  running = undefined;
  send(KIND.result, invocation.streamId, undefined, body);
}

function throwInto(invocation, error, recycle) {
  fail(invocation, { reason: 'exception', recycle: recycle === true, ...describe(error) });
}

function fail(invocation, head) {
  if (running !== invocation) return;
  running = undefined;
  send(KIND.error, invocation.streamId, head);
}

// What nobody caught is the error of the invocation during which it came; the state of the process is not trusted after it.
function onUncaught(error) {
  if (running !== undefined) {
    throwInto(running, error, true);
    return;
  }
  if (handler === undefined && staticContext !== undefined) {
    send(KIND.initFailed, 0, describeLoadError(error));
    return;
  }
  write(`${describe(error).stackTrace}\n`);
  process.exit(1);
}
process.on('uncaughtException', onUncaught);
process.on('unhandledRejection', onUncaught);

// ---- errors, as the user's own code caused them ----

function describe(error) {
  const isError = error !== null && typeof error === 'object' && typeof error.stack === 'string';
  const shown = () => (typeof error === 'string' ? error : require('util').inspect(error, { depth: 2 }));
  const message = isError ? ownFrames(String(error.message)) : shown();
  const stackTrace = isError ? ownFrames(error.stack) : message;
  return { message: message.slice(0, MAX_TEXT), stackTrace: stackTrace.slice(0, MAX_TEXT) };
}

function ownFrames(stack) {
  const isForeign = (line) =>
    line.includes(`${__dirname}/`) ||
    (/^\s+at /.test(line) && /\(?(node:|internal\/)|\([^/\\]*\.js:\d+:\d+\)$/.test(line));
  return stack
    .split('\n')
    .filter((line) => !isForeign(line))
    .join('\n');
}

function firstLine(text) {
  return String(text).split('\n', 1)[0];
}

// ---- output: each console line begins with the time and the request id ----

function write(text) {
  process.stdout.write(text);
}

function prefixed() {
  const stream = {
    write(text, done) {
      const requestId = running === undefined ? '' : `${running.requestId} `;
      const more = process.stdout.write(`${new Date().toISOString()} ${requestId}${text}`);
      if (typeof done === 'function') done(null);
      return more;
    },
    on: () => stream,
    once: () => stream,
    removeListener: () => stream,
    listenerCount: () => 0,
  };
  return stream;
}

// What was printed must be out before the result is: a pipe that is full holds up the function, not the order.
if (process.stdout._handle && process.stdout._handle.setBlocking) process.stdout._handle.setBlocking(true);
const replacement = new console.Console({ stdout: prefixed(), stderr: prefixed() });
for (const name of Object.keys(replacement)) {
  if (typeof replacement[name] === 'function' && typeof console[name] === 'function')
    console[name] = replacement[name];
}
