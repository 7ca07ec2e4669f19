import { expect, it } from 'vitest';
import { actions } from './actions/action.table.js';
import { acceptedResult, errorText, responseText, resultText } from './envelope.js';

it('writes a result that says the same as JSON.stringify would, with whole numbers', () => {
  const retMsg = '{"text":"Grüße \\"\\n\u2028"}';
  const written: unknown = JSON.parse(
    resultText(
      {
        log: 'a\n',
        retMsg,
        errMsg: '"',
        memoryBytes: 1.5,
        durationMs: 0.826,
        billedMs: 0.826,
        functionRequestId: 'f',
        invokeResult: 1,
      },
      'r',
    ),
  );
  expect(written).toEqual({
    Response: {
      Result: {
        MemUsage: 2,
        Log: 'a\n',
        RetMsg: retMsg,
        BillDuration: 1,
        FunctionRequestId: 'f',
        Duration: 0.826,
        ErrMsg: '"',
        InvokeResult: 1,
      },
      RequestId: 'r',
    },
  });
  const { Response } = JSON.parse(resultText(acceptedResult('f'), 'r')) as { Response: unknown };
  expect(actions.Invoke.response.parse(Response).Result.FunctionRequestId).toBe('f');
});

it('puts the request id into answers and errors', () => {
  expect(JSON.parse(responseText({ TotalCount: 0 }, 'r'))).toEqual({
    Response: { TotalCount: 0, RequestId: 'r' },
  });
  expect(JSON.parse(errorText('InvalidAction', 'no "x"', 'r'))).toEqual({
    Response: { Error: { Code: 'InvalidAction', Message: 'no "x"' }, RequestId: 'r' },
  });
});
