'use strict';

const path = require('node:path');
const { buffer } = require('node:stream/consumers');
const { Client } = require('minio');
const sharp = require('sharp');

const endpoint = new URL(process.env.S3_ENDPOINT);
const store = new Client({
  endPoint: endpoint.hostname,
  port: Number(endpoint.port),
  useSSL: endpoint.protocol === 'https:',
  accessKey: process.env.S3_ACCESS_KEY,
  secretKey: process.env.S3_SECRET_KEY,
  region: 'us-east-1',
});
const width = Number(process.env.WIDTH || 200);

exports.main_handler = async (event) => {
  const made = [];
  for (const { cos } of event.Records) {
    const bucket = cos.cosBucket.name;
    // The event's key is /<appid>/<bucket>/<key>.
    const key = cos.cosObject.key.split('/').slice(3).join('/');
    const target = `${path.posix.join(path.posix.dirname(key), path.posix.parse(key).name)}.webp`;
    const original = await buffer(await store.getObject(bucket, key));
    const thumbnail = await sharp(original)
      .rotate()
      .resize({ width, withoutEnlargement: true })
      .webp()
      .toBuffer();
    await store.putObject(process.env.TARGET_BUCKET, target, thumbnail, thumbnail.length, {
      'Content-Type': 'image/webp',
    });
    console.log(`${bucket}/${key} became ${process.env.TARGET_BUCKET}/${target}, ${thumbnail.length} bytes`);
    made.push(target);
  }
  return made;
};
