/**
 * OCI images: references, what a registry says of them, pulling by digest, unpacking to one root file system, and the errors,
 * each of which names the image and the reason. Behind it are the programs skopeo (registries) and umoci (layers).
 */
export * from './image-reference.js';
export * from './image-registry.client.js';
export * from './image.unpacker.js';
export * from './oci.config.js';
export * from './oci.errors.js';
export * from './oci.types.js';
export * from './required-tools.js';
