import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { RELAY_NAME, RELAY_PORT, type Bench } from './harness.conformance.js';

const fetchText = (url: string) => `curl -sS --max-time 3 ${url} 2>/dev/null || echo unreachable; echo`;
const PYTHON = '/usr/bin/python3.11';

function hostAddresses(): string[] {
  const entries = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return entries.filter(({ family }) => family === 'IPv4').map(({ address }) => address);
}

export function describeNetwork(bench: Bench): void {
  describe('network', () => {
    it.each(['relays', 'egress'] as const)('reaches a relay by its name (%s)', async (network) => {
      const { output } = await bench.shell(fetchText(`http://${RELAY_NAME}:${RELAY_PORT}/`), { network });
      expect(output).toBe('relayed\n');
    });

    it('reaches nothing without a network', async () => {
      const { output } = await bench.shell(
        `tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "; ${fetchText(`http://${RELAY_NAME}:${RELAY_PORT}/`)}`,
      );
      expect(output).toBe('lo\nunreachable\n\n');
    });

    it('does not reach the host: not its loopback, not its addresses, not through the gateway', async () => {
      const targets = [
        '127.0.0.1',
        'localhost',
        '198.18.0.2',
        '10.0.2.2',
        '169.254.169.254',
        ...hostAddresses(),
      ];
      const script = targets.map((target) => fetchText(`http://${target}:${bench.hostPort}/`)).join('; ');
      const { output } = await bench.shell(script, { network: 'egress' });
      expect(output.replaceAll(/\s+/g, ' ').trim()).toBe(targets.map(() => 'unreachable').join(' '));
    });

    it('does not reach services that listen on all addresses of the host', async () => {
      if (!bench.driver.capabilities().hostAddressesHidden) return;
      const server = createServer((_request, response) => response.end('the host'));
      await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
      const { port } = server.address() as AddressInfo;
      const targets = ['127.0.0.1', '198.18.0.1', '198.18.0.2', ...hostAddresses()];
      const script = targets.map((target) => fetchText(`http://${target}:${port}/`)).join('; ');
      const { output } = await bench.shell(script, { network: 'egress' });
      server.close();
      expect(output).not.toContain('the host');
    });

    it('does not reach another sandbox', async () => {
      const server = `import socket, time
s=socket.socket(); s.bind(("0.0.0.0",8080)); s.listen()
u=socket.socket(socket.AF_UNIX); u.bind("\\0openscf-test"); u.listen()
print(open("/proc/net/fib_trie").read(), flush=True)
time.sleep(1000)`;
      const other = await bench.create({ command: [PYTHON, '-c', server], network: 'egress' });
      const printed = await new Promise<Buffer>((resolve) => other.output.once('data', resolve));
      const found = [...new Set(printed.toString().match(/\d+\.\d+\.\d+\.\d+/g))];
      const addresses = found.filter((address) => !/^127\.|\.0$|\.255$|^0\./.test(address));
      expect(addresses.length).toBeGreaterThan(0);
      const script = `import socket
for a in ${JSON.stringify(addresses)}:
  try: socket.create_connection((a,8080),2); print("reached",a)
  except OSError: print("unreachable")
try: u=socket.socket(socket.AF_UNIX); u.connect("\\0openscf-test"); print("reached")
except OSError: print("unreachable")`;
      const { output } = await bench.python(script, { network: 'egress' });
      await other.destroy();
      expect(output).toBe('unreachable\n'.repeat(addresses.length + 1));
    });

    it('has a way to the public network only with egress', async () => {
      // A gateway that answers to its address is a way out; the request itself goes nowhere.
      const script = `import socket
routes=[line.split() for line in open("/proc/net/route")][1:]
gateways=[socket.inet_ntoa(bytes.fromhex(r[2])[::-1]) for r in routes if r[1]=="00000000" and r[7]=="00000000"]
for gateway in gateways:
  s=socket.socket(); s.settimeout(3); s.connect_ex((gateway,1))
neighbours=[line.split() for line in open("/proc/net/arp")][1:]
print(sum(n[0] in gateways and n[2]!="0x0" for n in neighbours))`;
      const outcomes = await Promise.all([
        bench.python(script, { network: 'relays' }),
        bench.python(script, { network: 'egress' }),
      ]);
      const withEgress = bench.driver.capabilities().publicEgress ? '1\n' : '0\n';
      expect(outcomes.map(({ output }) => output)).toEqual(['0\n', withEgress]);
    });
  });
}
