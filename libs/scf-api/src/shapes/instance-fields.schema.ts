import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { instanceConcurrency, LAYERS_PER_FUNCTION, webSocketIdleSeconds } from '../limits.js';
import { defaulted, integer, oneOf, optional, refuse, required, text } from './rule.js';
import { layerNameRule, layerVersionRule } from './layer-fields.schema.js';

/** Fields of a function's configuration that say what its instances have and serve. Each reads its own output as it is. */

function absentWhenNull<S extends z.ZodType>(shape: S) {
  return z.preprocess((value) => value ?? undefined, shape.optional()).optional();
}

/** `[{"LayerName":"","LayerVersion":0}]` is SCF's way to say "no layers". */
function unbinds(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 1) return false;
  const only: unknown = value[0];
  return typeof only === 'object' && only !== null && 'LayerName' in only && only.LayerName === '';
}

const layerSchema = z.object(
  { LayerName: required(layerNameRule), LayerVersion: required(layerVersionRule) },
  { error: 'must be {"LayerName": …, "LayerVersion": …}' },
);

/** In the order in which they are laid over each other. Absent: nothing is said; an empty list: none. */
export const layersSchema = z
  .preprocess(
    (value) => (unbinds(value) ? [] : (value ?? undefined)),
    z
      .array(layerSchema, { error: 'must be a list of {LayerName, LayerVersion}' })
      .superRefine((layers, context) => {
        const refuseLayers = (message: string) =>
          context.addIssue({ code: 'custom', params: { code: errorCodes.badLayers }, message });
        if (layers.length > LAYERS_PER_FUNCTION) {
          refuseLayers(`has ${layers.length} layers: it must have at most ${LAYERS_PER_FUNCTION}`);
        }
        const names = layers.map(({ LayerName }) => LayerName);
        const twice = names.find((name, index) => names.indexOf(name) !== index);
        if (twice !== undefined) refuseLayers(`has the layer "${twice}" twice`);
      })
      .optional(),
  )
  .optional();

/** Linux: half of PATH_MAX, as for packages. No `.`, `..` or empty part. */
function isCleanPath(value: string): boolean {
  const parts = value.split('/').slice(1);
  return (
    value.length <= 1024 && parts.every((part) => /^[\w.@+-]+$/.test(part) && part !== '.' && part !== '..')
  );
}

const cfsText = (accepts: string, test: (value: string) => boolean) =>
  text({ accepts, code: errorCodes.badValue, test });

const localDirRule = cfsText(
  'a folder below /mnt, for example /mnt/data',
  (value) => value.startsWith('/mnt/') && isCleanPath(value),
);
const remoteDirRule = cfsText(
  'an absolute folder of the file system, for example / or /models',
  (value) => value === '/' || (value.startsWith('/') && isCleanPath(value)),
);
const cfsIdRule = cfsText('the id of a shared file system', (value) => value !== '' && value.length <= 128);
const plainIdRule = cfsText('at most 64 letters, digits, _ and -', (value) => /^[\w-]{0,64}$/.test(value));

/** Root would be root of every host that has the file system; the number after the last means no user. */
const numericIdRule = cfsText(
  'the number of a user or group of the file system, 1 to 4294967294 (not root), for example 10000',
  (value) => /^[1-9]\d{0,9}$/.test(value) && Number(value) < 0xffffffff,
);

/** For their files, instances are the user UserId of the group UserGroupId. */
const cfsMountSchema = z.object({
  CfsId: required(cfsIdRule),
  LocalMountDir: required(localDirRule),
  RemoteMountDir: defaulted(remoteDirRule, '/'),
  MountInsId: defaulted(plainIdRule, ''),
  UserId: defaulted(numericIdRule, '10000'),
  UserGroupId: defaulted(numericIdRule, '10000'),
});

/** Ours: as many as there can be layers. */
const CFS_MOUNTS = 5;

export const cfsSchema = absentWhenNull(
  z
    .object(
      {
        CfsInsList: z
          .array(cfsMountSchema, { error: 'must be a list of {CfsId, LocalMountDir, RemoteMountDir}' })
          .nullish()
          .transform((list) => list ?? []),
      },
      { error: 'must be {"CfsInsList": […]}' },
    )
    .superRefine(({ CfsInsList: list }, context) => {
      if (list.length > CFS_MOUNTS) {
        refuse(
          context,
          errorCodes.badValue,
          'CfsInsList',
          `has ${list.length} entries: it must have at most ${CFS_MOUNTS}`,
        );
      }
      for (const [index, { LocalMountDir: directory }] of list.entries()) {
        const nested = list.findIndex(
          (other, at) => at !== index && `${directory}/`.startsWith(`${other.LocalMountDir}/`),
        );
        if (nested < 0) continue;
        const message = `has LocalMountDir "${directory}" inside or equal to another one: each must be a folder of its own`;
        refuse(context, errorCodes.badValue, 'CfsInsList', message);
        return;
      }
    }),
);

const concurrencyRule = integer({
  accepts: `a whole number from ${instanceConcurrency.min} to ${instanceConcurrency.max}`,
  code: errorCodes.badMaxConcurrency,
  test: (value) => value >= instanceConcurrency.min && value <= instanceConcurrency.max,
});

/** SCF: DynamicEnabled "FALSE" is a fixed number, "" takes multi-concurrency away. */
export const instanceConcurrencySchema = absentWhenNull(
  z
    .object(
      {
        DynamicEnabled: optional(oneOf(['FALSE', ''], errorCodes.badDynamicEnabled)),
        MaxConcurrency: optional(concurrencyRule),
        Type: optional(oneOf(['Request-Based'], errorCodes.badInstanceConcurrency, 'Request-Based')),
      },
      { error: 'must be {"DynamicEnabled": "FALSE", "MaxConcurrency": …}' },
    )
    .transform(({ DynamicEnabled, MaxConcurrency = 1 }) => ({
      DynamicEnabled: DynamicEnabled ?? ('FALSE' as const),
      MaxConcurrency: DynamicEnabled === '' ? 1 : MaxConcurrency,
    })),
);

export const protocolTypeRule = {
  ...oneOf(['', 'WS'], errorCodes.badProtocolType),
  accepts: 'WS (web functions with WebSocket), or left out',
};

const idleRule = integer({
  accepts: `a whole number of seconds from ${webSocketIdleSeconds.min} to ${webSocketIdleSeconds.max}`,
  code: errorCodes.badIdleTimeOut,
  test: (value) => value >= webSocketIdleSeconds.min && value <= webSocketIdleSeconds.max,
});

export const protocolParamsSchema = absentWhenNull(
  z.object(
    {
      WSParams: absentWhenNull(
        z.object({ IdleTimeOut: optional(idleRule) }, { error: 'must be {"IdleTimeOut": …}' }),
      ),
    },
    { error: 'must be {"WSParams": {"IdleTimeOut": …}}' },
  ),
);
