import { describe, expect, it } from 'vitest';
import { parseCredentialsFile } from './credentials-file.policy.js';

describe('parseCredentialsFile', () => {
  it('reads the two lines among others', () => {
    const content =
      '# keys\nTENCENTCLOUD_SECRET_ID=AKIDx\r\nTENCENTCLOUD_SECRET_KEY="s3cr=et/+0"\nMINIO_ACCESS_KEY=m\n';
    expect(parseCredentialsFile('f', content)).toEqual({ secretId: 'AKIDx', secretKey: 's3cr=et/+0' });
  });

  it('names what is missing or wrong, never the secret', () => {
    expect(() => parseCredentialsFile('/x/credentials', '')).toThrow(
      /TENCENTCLOUD_SECRET_ID is missing in \/x\/credentials/,
    );
    const wrong = () =>
      parseCredentialsFile('f', 'TENCENTCLOUD_SECRET_ID=a\nTENCENTCLOUD_SECRET_KEY=with space');
    expect(wrong).toThrow(/TENCENTCLOUD_SECRET_KEY is not accepted/);
    expect(wrong).not.toThrow(/with space/);
  });
});
