'use strict';
// An app that does what the path of a request says.
const http = require('http');
const { createHash } = require('crypto');
const server = http.createServer((request, response) => {
  const path = request.url.split('?')[0];
  const routes = {
    '/hello': () => response.end('hello'),
    '/echo': () => {
      const { method, url, headers, rawHeaders } = request;
      const chunks = [];
      request
        .on('data', (c) => chunks.push(c))
        .on('end', () =>
          response.end(
            JSON.stringify({ method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString() }),
          ),
        );
    },
    '/status': () => {
      response.writeHead(Number(request.url.split('?')[1]));
      response.end();
    },
    '/lines': () => {
      response.writeHead(
        201,
        [
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
          ['X-Latin', 'caf\u00e9 "q"'],
          ['Connection', 'keep-alive'],
          ['Keep-Alive', 'timeout=5'],
          ['Content-Length', '2'],
        ].flat(),
      );
      response.end(Buffer.from('ok'));
    },
    '/head': () => {
      response.setHeader('Content-Length', '1000');
      response.end();
    },
    '/large-head': () => {
      response.setHeader('X-Large', 'x'.repeat(5000));
      response.end('no');
    },
    '/huge-head': () => {
      response.setHeader('X-Large', 'x'.repeat(50000));
      response.end('no');
    },
    '/down': async () => {
      const hash = createHash('md5');
      for (let i = 0; i < 160; i++) {
        const piece = Buffer.alloc(65536, i);
        hash.update(piece);
        server.pushed = (i + 1) * 65536;
        if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
      }
      response.addTrailers({ 'X-Md5': hash.digest('hex') });
      response.end();
    },
    '/pushed': () => response.end(String(server.pushed)),
    '/up': () => {
      const hash = createHash('md5');
      let size = 0;
      request
        .on('data', (c) => {
          hash.update(c);
          size += c.length;
        })
        .on('end', () => response.end(size + ' ' + hash.digest('hex')));
    },
    '/slow-up': () => {
      server.held = request;
      response.flushHeaders();
    },
    '/release': () => {
      server.held.resume();
      response.end();
    },
    '/duplex': () => {
      response.flushHeaders();
      request.on('data', (c) => response.write(c)).on('end', () => response.end());
    },
    '/refuse': () => {
      response.writeHead(413, { Connection: 'close' });
      response.end('too much');
    },
    '/events': () => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 1\n\n');
      server.stream = response;
      request.on('close', () => {
        server.closed = true;
        console.log('client gone');
      });
    },
    '/next-event': () => {
      server.stream.write('data: 2\n\n');
      response.end();
    },
    '/cut': () => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('part', () => request.socket.destroy());
    },
    '/drop': () => request.socket.destroy(),
    '/kill': () => process.kill(process.pid, 'SIGKILL'),
    '/die': () => process.exit(9),
    '/die-midway': () => {
      response.write('part', () => process.exit(0));
    },
    '/no-length': () => {
      response.writeHead(200, { Connection: 'close' });
      response.useChunkedEncodingByDefault = false;
      response.end('to the end');
    },
    '/once': () => {
      response.shouldKeepAlive = false;
      response.end('closed');
    },
    '/interim': () => {
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      response.writeContinue();
      response.end('final');
    },
    '/connections': () => response.end(String(server.total)),
    '/print': async () => {
      console.log('begin ' + path);
      await new Promise((resolve) => {
        (server.waiting ??= []).push(resolve);
        if (server.waiting.length === 2) server.waiting.forEach((go) => go());
      });
      console.log('end of', request.url);
      response.end();
    },
    '/raw': () => request.socket.end('SSH-2.0-no-http\r\n'),
  };
  routes[path]();
});
server.total = 0;
server.on('connection', () => server.total++);
server.on('upgrade', (request, socket, head) => {
  if (request.url === '/no') {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    return;
  }
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello',
  );
  console.log('upgraded');
  if (head.length) socket.write(head);
  socket.on('data', (c) => socket.write(c));
  socket.on('end', () => {
    console.log('client closed');
    socket.end();
  });
  socket.on('close', () => console.log('socket closed'));
  socket.on('error', () => {});
});
server.listen(Number(process.env.AT));
