// Run by `nx run <app>:bundle` in the folder of an app: makes one file of its code and nearly all of its libraries, bundle/main.js.
// A service loads a thousand small files otherwise, which is half of the processor time of its start.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { rolldown } from 'rolldown';

const WORKSPACE = join(import.meta.dirname, '..');
const app = basename(process.cwd());

/** Programs that a service starts as processes of their own, beside its own file, as in the folder of the library that starts them. */
const PROGRAMS = {
  invoker: {
    relay: 'libs/sandbox/runc/dist/relay.js',
    'host-relay': 'libs/sandbox/docker/dist/host-relay.js',
  },
};

/** dockerode has a binary addon; the others are what Nest can use and is not asked to. */
const OUTSIDE =
  /^(dockerode|class-validator|class-transformer|@grpc\/.*|nats|mqtt|amqplib|amqp-connection-manager|ioredis|@nestjs\/websockets|@fastify\/(static|view)|pg-native)(\/.*)?$/;

const programs = Object.entries(PROGRAMS[app] ?? {}).filter(([, file]) => existsSync(join(WORKSPACE, file)));
const input = {
  main: 'dist/main.js',
  ...Object.fromEntries(programs.map(([name, file]) => [name, join(WORKSPACE, file)])),
};
// Warnings are about what Nest can use and is not asked to; an error ends it all the same.
const bundle = await rolldown({ input, platform: 'node', external: OUTSIDE, logLevel: 'silent' });
// Without source maps: Node.js reads all of one for the first error, 40 MB for each service. In the order of the sources: reflect-metadata must be there before Nest. Names, because Nest tells providers and errors apart by them.
await bundle.write({
  dir: 'bundle',
  format: 'esm',
  entryFileNames: '[name].js',
  keepNames: true,
  strictExecutionOrder: true,
  cleanDir: true,
});
await bundle.close();
