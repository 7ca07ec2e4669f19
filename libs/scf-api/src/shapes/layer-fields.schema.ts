import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { nameLength, RUNTIMES_PER_LAYER } from '../limits.js';
import { isRuntimeName, RUNTIMES } from '../runtimes.js';
import { integer, required, text } from './rule.js';

/** Fields that name a layer and say what it is for. */

const LAYER_NAME = /^[A-Za-z]([\w-]{0,62}[A-Za-z0-9])?$/;

export const layerNameRule = text({
  accepts: `${nameLength.layer.min} to ${nameLength.layer.max} characters: a letter first, then letters, digits, _ and -, a letter or a digit last`,
  code: errorCodes.badLayerName,
  test: (value) => LAYER_NAME.test(value),
});
export const layerNameField = required(layerNameRule);

export const layerVersionRule = integer({
  accepts: 'the number of a version, from 1',
  code: errorCodes.badLayers,
  test: (value) => value >= 1 && value < 2 ** 31,
});
export const layerVersionField = required(layerVersionRule);

export const runtimeNameRule = text({
  accepts: `one of ${RUNTIMES.join(', ')}`,
  code: errorCodes.badCompatibleRuntimes,
  test: isRuntimeName,
});

export const compatibleRuntimesField = z
  .array(required(runtimeNameRule), { error: 'must be a list of runtimes' })
  .superRefine((runtimes, context) => {
    if (runtimes.length >= 1 && runtimes.length <= RUNTIMES_PER_LAYER) return;
    const message = `names ${runtimes.length} runtimes: it must name 1 to ${RUNTIMES_PER_LAYER}`;
    context.addIssue({ code: 'custom', params: { code: errorCodes.badCompatibleRuntimes }, message });
  });
