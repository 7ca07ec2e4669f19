/** SCF's name of each change that S3's notifications report. Other changes (tags, retention, …) start no function. */
const COS_EVENT: Readonly<Record<string, string>> = {
  'ObjectCreated:Put': 'cos:ObjectCreated:Put',
  'ObjectCreated:Post': 'cos:ObjectCreated:Post',
  'ObjectCreated:Copy': 'cos:ObjectCreated:Copy',
  'ObjectCreated:CompleteMultipartUpload': 'cos:ObjectCreated:CompleteMultipartUpload',
  'ObjectRemoved:Delete': 'cos:ObjectRemove:Delete',
  'ObjectRemoved:DeleteMarkerCreated': 'cos:ObjectRemove:DeleteMarkerCreated',
};

/** `s3:ObjectCreated:Put` (or without `s3:`) to `cos:ObjectCreated:Put`; undefined for a change that SCF does not know. */
export function cosEventName(s3Name: string): string | undefined {
  return COS_EVENT[s3Name.replace(/^s3:/, '')];
}
