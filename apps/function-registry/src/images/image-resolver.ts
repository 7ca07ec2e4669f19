/** What an image's name means at this moment. */
export interface ResolvedImage {
  /** `sha256:<hex>` of the manifest for this platform; what the instances pull. */
  digest: string;
  /** Compressed size of its layers. */
  sizeBytes: number;
}

/**
 * Asks a registry what an image is, once for each deployment. The injection token of the adapter.
 * `imageUri` is `{domain}/{namespace}/{name}` with `:{tag}`, `@{digest}` or both; a digest wins over a tag.
 */
export abstract class ImageResolver {
  /**
   * Answers within 25 s.
   * @throws CallerError when there is no such image, the registry refuses the credentials, or the image is over the limit
   * @throws UnavailableError when the registry does not answer
   */
  abstract resolve(imageUri: string): Promise<ResolvedImage>;
}
