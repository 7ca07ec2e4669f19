import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Bus } from '@openscf/bus';
import {
  functionKey,
  topics,
  triggerKey,
  type AsyncEvent,
  type FunctionState,
  type InvokeCall,
  type TriggerState,
} from '@openscf/contracts';
import { DispatchServer, type DispatchResult } from '@openscf/dispatch';
import { Readiness } from '@openscf/service-kit';
import { silentLogger } from '@openscf/telemetry';
import { anInvokerState, sharedParts, uniqueName } from '@openscf/testing';
import { loadConfig } from '@openscf/config';
import { bridgeConfig } from './bridge.config.js';
import { BridgeModule } from './bridge.module.js';
import { BridgeService } from './bridge.service.js';

@Global()
@Module({ providers: [Readiness], exports: [Readiness] })
class ReadinessModule {}

export type Answer = (call: InvokeCall, event: string) => DispatchResult;

/** A bridge on real parts, beside a registry that publishes states, an invoker that answers calls, and a reader of the events. */
export class BridgeHarness {
  readonly events: AsyncEvent[] = [];
  private readonly bridges: TestingModule[] = [];

  private constructor(
    readonly bus: Bus,
    private readonly invoker: DispatchServer,
    private readonly invokerId: string,
  ) {}

  static async start(answer: Answer): Promise<BridgeHarness> {
    const { brokers } = sharedParts();
    const logger = silentLogger();
    const bus = new Bus({ brokers, clientId: 'bridge-test', logger });
    await bus.ensureTopics(Object.values(topics));
    const invoker = new DispatchServer({
      host: '127.0.0.1',
      port: 0,
      logger,
      handle: (call, event) => Promise.resolve(answer(call, event.toString())),
    });
    const state = anInvokerState({ address: `127.0.0.1:${await invoker.listen()}` });
    await bus.publish(topics.invokers, [{ key: state.invokerId, value: state }]);
    const harness = new BridgeHarness(bus, invoker, state.invokerId);
    bus.consume<AsyncEvent>({
      topic: topics.events,
      groupId: uniqueName('events-reader'),
      concurrency: 1,
      handle: ({ value }) => Promise.resolve(void harness.events.push(value)),
    });
    return harness;
  }

  async startBridge(): Promise<void> {
    const config = loadConfig(bridgeConfig, {
      ...sharedParts().environment,
      OPENSCF_KAFKA_RETRY_SECONDS: '1',
    });
    const bridge = await Test.createTestingModule({
      imports: [ReadinessModule, BridgeModule.forRoot(config, silentLogger())],
    }).compile();
    this.bridges.push(bridge);
    await bridge.init();
    await bridge.get(BridgeService, { strict: false }).start();
  }

  /** Stops the bridge that was started last. */
  async stopBridge(): Promise<void> {
    const bridge = this.bridges.pop();
    await bridge?.get(BridgeService, { strict: false }).drain(Date.now() + 5_000);
    await bridge?.close();
  }

  async stop(): Promise<void> {
    while (this.bridges.length > 0) await this.stopBridge();
    await this.bus.publish(topics.invokers, [{ key: this.invokerId, value: null }]);
    await this.bus.close();
    await this.invoker.close();
  }

  async setFunction(state: FunctionState): Promise<void> {
    await this.bus.publish(topics.functions, [{ key: functionKey(state), value: state }]);
  }

  async setTrigger(trigger: TriggerState): Promise<void> {
    await this.bus.publish(topics.triggers, [{ key: triggerKey(trigger), value: trigger }]);
  }

  async removeTrigger(trigger: TriggerState): Promise<void> {
    await this.bus.publish(topics.triggers, [{ key: triggerKey(trigger), value: null }]);
  }

  /** A user's topic, with one partition. */
  async makeTopic(name: string): Promise<void> {
    const topic = {
      name,
      partitions: 1,
      cleanup: 'delete',
      version: 1,
      schema: topics.events.schema,
    } as const;
    await this.bus.ensureTopics([topic]);
  }

  eventsOf(trigger: TriggerState): AsyncEvent[] {
    return this.events.filter((event) => event.functionName === trigger.functionName);
  }
}
