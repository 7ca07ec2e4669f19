import { Module, type DynamicModule, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthController } from './health.controller.js';
import { NestLogger } from './nest-logger.js';
import { PlatformErrorFilter } from './platform-error.filter.js';
import { Readiness } from './readiness.service.js';
import type { HttpFallback, ServiceOptions } from './service.types.js';

/** Gives every module of the app the one `Readiness`. */
@Module({})
class ServiceKitModule {
  static around(module: ServiceOptions['module']): DynamicModule {
    return {
      module: ServiceKitModule,
      global: true,
      imports: [module],
      controllers: [HealthController],
      providers: [Readiness],
      exports: [Readiness],
    };
  }
}

const BODY_LIMIT_BYTES = 1024 * 1024;

export async function createApp(options: ServiceOptions): Promise<INestApplication> {
  const factory = options.http.serverFactory;
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: true,
    ...(factory && { serverFactory: (fallback: HttpFallback) => factory(fallback) }),
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    ServiceKitModule.around(options.module),
    adapter,
    {
      logger: new NestLogger(options.logger),
      abortOnError: false,
    },
  );
  app.useGlobalFilters(new PlatformErrorFilter(options.logger));
  return app;
}
