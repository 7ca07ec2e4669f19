import { defineConfig, hostPorts } from '@openscf/config';

export const kafkaConfig = defineConfig({
  kafkaBrokers: {
    variable: 'OPENSCF_KAFKA_BROKERS',
    schema: hostPorts,
    default: '127.0.0.1:9092',
    accepts: 'host:port, several separated by commas',
  },
});
