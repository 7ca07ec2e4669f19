// Run by port-relay.ts in the namespace that it leads to.
import { connect, type Server } from 'node:net';

process.on('message', (port: number, server: Server) => {
  server.on('connection', (outside) => {
    const inside = connect({ host: '127.0.0.1', port });
    outside.on('error', () => inside.destroy());
    inside.on('error', () => outside.destroy());
    outside.pipe(inside).pipe(outside);
  });
});
process.on('disconnect', () => process.exit());
