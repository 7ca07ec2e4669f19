export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly lastModifiedMs: number;
  readonly contentType?: string;
}

export interface PutOptions {
  /** Bytes of a stream, when they are known: spares the client from buffering parts. */
  readonly sizeBytes?: number;
  readonly contentType?: string;
}

/** One notification of a bucket to one of MinIO's queue targets. */
export interface NotificationRule {
  /** Names the rule in the bucket; rules that are not ours keep theirs. */
  readonly id: string;
  /** ARN of the target, for example `arn:minio:sqs::IMMEDIATE:kafka`. */
  readonly arn: string;
  /** S3 names, for example `s3:ObjectCreated:*`. */
  readonly events: readonly string[];
  readonly prefix?: string;
  readonly suffix?: string;
}

export interface ObjectStoreOptions {
  /** `http://host:port` */
  readonly url: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region?: string;
}
