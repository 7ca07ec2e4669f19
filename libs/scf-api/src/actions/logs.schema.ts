import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { LOG_QUERY_MS, LOG_QUERY_ROWS } from '../limits.js';
import { functionNameField, namespaceField, qualifierField } from '../shapes/identity-fields.schema.js';
import { dateTimeField, limitField, offsetField, orderField } from '../shapes/list-fields.schema.js';
import { defaulted, oneOf, refuse, required, text } from '../shapes/rule.js';

/** GetFunctionLogs and GetRequestStatus. Times are read as milliseconds since the epoch. */

const requestIdRule = text({
  accepts: 'the request id of an invocation',
  code: errorCodes.badFunctionRequestId,
  test: (value) => value.length <= 128,
});

interface Window {
  StartTime?: number | undefined;
  EndTime?: number | undefined;
}

function checkWindow(window: Window, context: Parameters<typeof refuse>[0]): void {
  const { StartTime, EndTime } = window;
  if (StartTime === undefined || EndTime === undefined || EndTime >= StartTime) return;
  refuse(context, errorCodes.badTimeRange, 'EndTime', 'is before StartTime: it must be after it');
}

const RET_CODES = [
  '',
  'not0',
  'is0',
  'TimeLimitExceeded',
  'ResourceLimitExceeded',
  'UserCodeException',
] as const;

export const getFunctionLogsRequest = z
  .object({
    FunctionName: functionNameField.optional(),
    Namespace: namespaceField,
    Qualifier: qualifierField(''),
    FunctionRequestId: defaulted(requestIdRule, ''),
    Offset: offsetField,
    Limit: limitField(LOG_QUERY_ROWS),
    Order: orderField('DESC'),
    OrderBy: defaulted(
      oneOf(['function_name', 'duration', 'mem_usage', 'start_time'], errorCodes.badOrderBy, 'start_time'),
      'start_time',
    ),
    Filter: z
      .object(
        { RetCode: defaulted(oneOf(RET_CODES, errorCodes.badRetCode), '') },
        { error: 'must be {"RetCode": …}' },
      )
      .nullish()
      .transform((value) => value ?? { RetCode: '' as const }),
    StartTime: dateTimeField,
    EndTime: dateTimeField,
    SearchContext: z
      .object(
        {
          Keyword: defaulted(text({ accepts: 'a text', code: 'InvalidParameterValue' }), ''),
          /** Which lines the keyword is looked for in; every line when it is empty. */
          Type: defaulted(oneOf(['', 'Application', 'Platform'], 'InvalidParameterValue'), ''),
        },
        { error: 'must be an object' },
      )
      .nullish()
      .transform((value) => value ?? undefined),
  })
  .superRefine((request, context) => {
    checkWindow(request, context);
    const rows = request.Offset + request.Limit;
    if (rows > LOG_QUERY_ROWS) {
      const message = `and Limit make ${rows}: together they must be at most ${LOG_QUERY_ROWS}`;
      refuse(context, errorCodes.offsetLimit, 'Offset', message);
    }
    const { StartTime, EndTime } = request;
    if (StartTime !== undefined && EndTime !== undefined && EndTime - StartTime > LOG_QUERY_MS) {
      refuse(
        context,
        errorCodes.badTimeRange,
        'EndTime',
        'is more than a day after StartTime: it must be within a day',
      );
    }
  });

export const getRequestStatusRequest = z
  .object({
    FunctionName: functionNameField,
    FunctionRequestId: required(requestIdRule),
    Namespace: namespaceField,
    StartTime: dateTimeField,
    EndTime: dateTimeField,
  })
  .superRefine(checkWindow);

export const functionLogSchema = z.object({
  FunctionName: z.string(),
  RetMsg: z.string(),
  RequestId: z.string(),
  StartTime: z.string(),
  /** 0 done, 2 running, 3 aborted, anything else failed. */
  RetCode: z.number().int(),
  InvokeFinished: z.number().int(),
  Duration: z.number(),
  BillDuration: z.number().int(),
  /** Bytes. */
  MemUsage: z.number().int(),
  Log: z.string(),
  Level: z.string(),
  Source: z.string(),
  RetryNum: z.number().int(),
});
export type FunctionLog = z.infer<typeof functionLogSchema>;

export const getFunctionLogsResponse = z.object({
  TotalCount: z.number().int(),
  Data: z.array(functionLogSchema),
  SearchContext: z
    .object({ Offset: z.string(), Limit: z.number().int(), Keyword: z.string(), Type: z.string() })
    .optional(),
});

export const requestStatusSchema = z.object({
  FunctionName: z.string(),
  RetMsg: z.string(),
  RequestId: z.string(),
  StartTime: z.string(),
  /** 0 done, 1 running, -1 failed. */
  RetCode: z.number().int(),
  Duration: z.number(),
  /** MB. */
  MemUsage: z.number(),
  RetryNum: z.number().int(),
});
export type RequestStatus = z.infer<typeof requestStatusSchema>;

export const getRequestStatusResponse = z.object({
  TotalCount: z.number().int(),
  Data: z.array(requestStatusSchema),
});
