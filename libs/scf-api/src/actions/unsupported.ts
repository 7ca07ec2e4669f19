import { z } from 'zod';
import { errorCodes } from '../error-codes.js';

/**
 * Settings that would change what a function does and that this version does not have. Tools send their empty forms all the time,
 * so only a value that asks for something is refused: running without it would be a lie.
 */
function refusedWhen(asksForSomething: (value: unknown) => boolean) {
  return z
    .unknown()
    .superRefine((value, context) => {
      if (value === undefined || value === null || !asksForSomething(value)) return;
      const message = 'is not supported by this version: leave it out';
      context.addIssue({ code: 'custom', params: { code: errorCodes.unsupported }, message });
    })
    .optional();
}

const isTrue = (value: unknown) => value === true || value === 'TRUE' || value === 'true';

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export const unsupportedSettings = {
  DeadLetterConfig: refusedWhen((value) => isObject(value) && Boolean(value['Name'])),
  InstallDependency: refusedWhen(isTrue),
};

export const unsupportedOnCreate = {
  ...unsupportedSettings,
  AsyncRunEnable: refusedWhen(isTrue),
};
