import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Bus, type BusOptions } from './bus.js';

/** Closes the bus when the application ends. */
class BusLifetime implements OnApplicationShutdown {
  constructor(private readonly bus: Bus) {}

  async onApplicationShutdown(): Promise<void> {
    await this.bus.close();
  }
}

/** Gives every module of an app the one `Bus`. */
@Module({})
export class BusModule {
  static forRoot(options: BusOptions): DynamicModule {
    return {
      module: BusModule,
      global: true,
      providers: [
        { provide: Bus, useFactory: () => new Bus(options) },
        { provide: BusLifetime, useFactory: (bus: Bus) => new BusLifetime(bus), inject: [Bus] },
      ],
      exports: [Bus],
    };
  }
}
