'use strict';

const { Client } = require('minio');

const endpoint = new URL(process.env.S3_ENDPOINT);
const store = new Client({
  endPoint: endpoint.hostname,
  port: Number(endpoint.port),
  useSSL: endpoint.protocol === 'https:',
  accessKey: process.env.S3_ACCESS_KEY,
  secretKey: process.env.S3_SECRET_KEY,
  region: 'us-east-1',
});

exports.main_handler = async (event) => {
  const records = event.Records.map((record) => record.Ckafka);
  const { topic, partition, offset } = records[0];
  // Named after its first record: a batch that comes again writes the same object again.
  const key = `${topic}/${partition}/${String(offset).padStart(12, '0')}.jsonl`;
  const lines = records.map((record) => JSON.stringify(record)).join('\n');
  await store.putObject(process.env.TARGET_BUCKET, key, `${lines}\n`, undefined, {
    'Content-Type': 'application/jsonl',
  });
  console.log(`${records.length} records kept as ${process.env.TARGET_BUCKET}/${key}`);
  return { key, records: records.length };
};
