import { z } from 'zod';

/**
 * A key pair of an account (topic `openscf.credentials`, key the secret id). Checking an HMAC needs the secret itself, so it
 * travels encrypted with the operator's master key (AES-256-GCM; see `encryptSecret` in @openscf/scf-api).
 */
export const credentialStateSchema = z.object({
  secretId: z.string(),
  encryptedSecretKey: z.string(),
  appId: z.string(),
  uin: z.string(),
  enabled: z.boolean(),
});
export type CredentialState = z.infer<typeof credentialStateSchema>;
