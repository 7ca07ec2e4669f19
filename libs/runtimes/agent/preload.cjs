'use strict';
/**
 * Loaded before a Node.js web program (NODE_OPTIONS=--require): lets it mark the lines that it prints with the request that they
 * belong to, `\u0001<request id>\u0001line`. The agent's web server sends the id in X-Scf-Request-Id. See ../README.md.
 *
 * It must not be noticed: a program that serves no HTTP pays for two modules that Node.js has loaded anyway, nothing is patched
 * before the first connection, and whatever fails leaves the program as it would be. Parses on Node.js 12.
 */
(function () {
  const MARK = '\u0001';
  const EVENTS = { request: true, upgrade: true, checkContinue: true, checkExpectation: true, connect: true };
  let storage;

  function begin() {
    if (storage !== undefined) return;
    const { AsyncLocalStorage } = require('async_hooks');
    if (AsyncLocalStorage === undefined) return;
    storage = new AsyncLocalStorage();
    const { Server } = require('http');
    const emit = Server.prototype.emit;
    Server.prototype.emit = function (event, request) {
      const id = EVENTS[event] === true && request && request.headers && request.headers['x-scf-request-id'];
      if (typeof id !== 'string' || id === '' || id.length > 128) return emit.apply(this, arguments);
      return storage.run(id, () => emit.apply(this, arguments));
    };
    markStream(process.stdout);
    markStream(process.stderr);
    markDescriptors(require('fs'));
  }

  /** Console and everything else that writes to the process's streams. */
  function markStream(stream) {
    const write = stream.write;
    let atLineStart = true;
    stream.write = function (chunk) {
      const id = storage.getStore();
      if (id === undefined || (typeof chunk !== 'string' && !(chunk instanceof Uint8Array))) {
        if (chunk && chunk.length > 0) atLineStart = endsLine(chunk);
        return write.apply(this, arguments);
      }
      if (chunk.length === 0) return write.apply(this, arguments);
      const args = Array.prototype.slice.call(arguments);
      if (typeof chunk === 'string' && isText(args[1])) args[0] = mark(chunk, id, atLineStart);
      else if (typeof chunk !== 'string')
        args[0] = Buffer.from(mark(latin1(chunk), id, atLineStart), 'latin1');
      atLineStart = endsLine(chunk);
      return write.apply(this, args);
    };
  }

  /**
   * Loggers that write whole lines to the descriptors themselves (pino). What is written in the turn of a request is written at
   * once, so that no line waits and leaves together with those of other requests.
   */
  function markDescriptors(fs) {
    const { write, writeSync } = fs;
    replace(fs, 'writeSync', function (descriptor, data, encoding) {
      const id = requestOf(descriptor, data);
      if (id === undefined || arguments.length > 3 || !isText(encoding))
        return writeSync.apply(fs, arguments);
      writeAll(writeSync, descriptor, Buffer.from(mark(data, id, true)));
      return Buffer.byteLength(data);
    });
    replace(fs, 'write', function (descriptor, data, encoding) {
      const id = requestOf(descriptor, data);
      const done = arguments[arguments.length - 1];
      const plain = arguments.length === 3 || (arguments.length === 4 && isText(encoding));
      if (id === undefined || typeof done !== 'function' || !plain) return write.apply(fs, arguments);
      try {
        writeAll(writeSync, descriptor, Buffer.from(mark(data, id, true)));
      } catch (_) {
        return write.apply(fs, arguments);
      }
      done(null, Buffer.byteLength(data), data);
    });
  }

  function requestOf(descriptor, data) {
    const isOutput = descriptor === 1 || descriptor === 2;
    return isOutput && typeof data === 'string' && endsLine(data) ? storage.getStore() : undefined;
  }

  /** With what Node.js keeps at its functions, for promisify. */
  function replace(holder, name, replacement) {
    Object.defineProperties(replacement, Object.getOwnPropertyDescriptors(holder[name]));
    holder[name] = replacement;
  }

  /** Once its first bytes are out, a line is finished, so that the caller need not know how much longer it has become. */
  function writeAll(writeSync, descriptor, bytes) {
    let written = writeSync(descriptor, bytes, 0, bytes.length);
    while (written < bytes.length) {
      try {
        written += writeSync(descriptor, bytes, written, bytes.length - written);
      } catch (error) {
        if (error.code !== 'EAGAIN') return;
      }
    }
  }

  function mark(text, id, atLineStart) {
    const prefix = MARK + id + MARK;
    const lineEnd = text.indexOf('\n');
    const marked =
      lineEnd < 0 || lineEnd === text.length - 1 ? text : text.replace(/\n(?!$)/g, () => `\n${prefix}`);
    return atLineStart && text.charCodeAt(0) !== 1 ? prefix + marked : marked;
  }

  function endsLine(chunk) {
    const last = chunk[chunk.length - 1];
    return last === '\n' || last === 10;
  }

  function isText(encoding) {
    return typeof encoding !== 'string' || /^(utf-?8|latin1|ascii|binary)$/i.test(encoding);
  }

  function latin1(chunk) {
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).latin1Slice();
  }

  function beginQuietly() {
    try {
      begin();
    } catch (_) {
      // Then its lines are told apart as those of any other program are.
    }
  }

  try {
    const [major] = process.versions.node.split('.').map(Number);
    if (major >= 20) {
      // Says when a server has its first connection: programs that serve nothing never load http for this.
      const channel = require('diagnostics_channel').channel('net.server.socket');
      const onSocket = () => {
        channel.unsubscribe(onSocket);
        beginQuietly();
      };
      channel.subscribe(onSocket);
    } else {
      const { Server } = require('net');
      const emit = Server.prototype.emit;
      Server.prototype.emit = function (event) {
        if (event === 'connection') {
          Server.prototype.emit = emit;
          beginQuietly();
        }
        return emit.apply(this, arguments);
      };
    }
  } catch (_) {
    // As above.
  }
})();
