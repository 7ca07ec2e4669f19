import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { RELAY_NAME, RELAY_PORT, type Bench } from './harness.conformance.js';

/** Python: tries to reach `targets` on `port`, over routes and bound to the device, which asks no route; prints what it reached. */
const REACH = `import socket, concurrent.futures
def tcp(target, port, device):
  s=socket.socket(); s.settimeout(2)
  try:
    if device: s.setsockopt(socket.SOL_SOCKET,25,b"eth0")
    s.connect((target,port)); print("reached",target,port,device)
  except OSError: pass
def udp(target, port, device):
  s=socket.socket(type=socket.SOCK_DGRAM); s.settimeout(1)
  try:
    if device: s.setsockopt(socket.SOL_SOCKET,25,b"eth0")
    s.setsockopt(socket.SOL_SOCKET,socket.SO_BROADCAST,1)
    s.sendto(b"\\x12\\x34\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\7example\\3com\\0\\0\\1\\0\\1",(target,port)); print("answered",target,port,s.recv(512)[:2])
  except OSError: pass
def reach(kind, targets, ports):
  with concurrent.futures.ThreadPoolExecutor(64) as pool:
    for target in targets:
      for port in ports:
        for device in (False,True): pool.submit(kind,target,port,device)
`;

const own = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
const hostAddresses = own.filter(({ family }) => family === 'IPv4').map(({ address }) => address);

/** The host as seen from inside: its addresses, the router's, those of common user-space networks, and metadata services. */
const HOST_TARGETS = [
  ...hostAddresses,
  ...[
    '198.18.0.1',
    '198.18.0.2',
    '198.18.0.3',
    '198.19.0.1',
    '198.19.0.2',
    '10.0.2.2',
    '10.0.2.3',
    '172.17.0.1',
  ],
  ...['169.254.169.254', '100.100.100.200', '0.0.0.0', '198.18.255.255', '255.255.255.255'],
];

async function hostListeners() {
  let heard = 0;
  const servers = await Promise.all(
    ['127.0.0.1', '0.0.0.0'].map(async (host) => {
      const server = createServer((socket) => {
        heard += 1;
        socket.on('error', () => undefined).end('the host');
      }).listen(0, host);
      await once(server, 'listening');
      return server;
    }),
  );
  const datagrams = createSocket('udp4').bind(0);
  await once(datagrams, 'listening');
  datagrams.on('message', () => (heard += 1));
  const ports = [
    ...servers.map((server) => (server.address() as AddressInfo).port),
    datagrams.address().port,
  ];
  const close = () => {
    servers.forEach((server) => server.close());
    datagrams.close();
  };
  return { ports, heard: () => heard, close };
}

export function describeAttacksOnNetwork(bench: Bench): void {
  describe('a function that attacks over the network', () => {
    it.each(['relays', 'egress'] as const)(
      'reaches no port of the host but the relay (%s)',
      async (network) => {
        if (network === 'egress' && !bench.driver.capabilities().hostAddressesHidden) return;
        const host = await hostListeners();
        const targets = JSON.stringify(HOST_TARGETS);
        const ports = JSON.stringify([...host.ports, bench.hostPort]);
        const script = `${REACH}
reach(tcp, ${targets}, ${ports}); reach(udp, ${targets}, ${ports})
tcp("${RELAY_NAME}", ${RELAY_PORT}, False)`;
        const { output } = await bench.python(script, { network });
        host.close();
        expect(output).toBe(`reached ${RELAY_NAME} ${RELAY_PORT} False\n`);
        expect(host.heard()).toBe(0);
      },
    );

    it('has no way out without egress: not even names are resolved', async () => {
      const script = `${REACH}
reach(udp, ["198.18.0.3","198.19.0.3","198.18.0.2","8.8.8.8","1.1.1.1"], [53])
reach(tcp, ["198.18.0.3","198.19.0.3","8.8.8.8","1.1.1.1"], [53, 443])
try: print(socket.getaddrinfo("example.com",80))
except OSError: pass`;
      const { output } = await bench.python(script, { network: 'relays' });
      expect(output).toBe('');
    });

    it('is told at once that private networks cannot be reached', async () => {
      if (!bench.driver.capabilities().hostAddressesHidden) return;
      const script = `import socket, errno
for target in ("10.1.2.3","172.16.9.9","192.168.77.7","100.64.1.1","169.254.169.254","198.19.0.1"):
  s=socket.socket(); s.settimeout(2)
  print(errno.errorcode.get(s.connect_ex((target,80))))`;
      const { output } = await bench.python(script, { network: 'egress' });
      expect([...new Set(output.trim().split('\n'))]).toEqual(['EHOSTUNREACH']);
    });

    it('is not heard by other sandboxes, whatever address it sends to', async () => {
      const listen = `import socket, time
s=socket.socket(type=socket.SOCK_DGRAM); s.bind(("0.0.0.0",7777)); print("listening", flush=True)
s.settimeout(3)
try: print("heard", s.recv(64))
except OSError: print("silence")`;
      const other = await bench.create({
        command: ['/usr/bin/python3.11', '-I', '-c', listen],
        network: 'egress',
      });
      let output = '';
      const listening = new Promise((resolve) => other.output.once('data', resolve));
      other.output.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await listening;
      const targets =
        '["255.255.255.255","198.18.255.255","224.0.0.1","198.18.1.0","198.18.1.1","198.18.1.2"]';
      await bench.python(`${REACH}\nreach(udp, ${targets}, [7777])`, { network: 'egress' });
      await other.exited;
      await other.destroy();
      expect(output).toBe('listening\nsilence\n');
    });
  });
}
