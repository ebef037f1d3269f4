// What the types of Scaling and LoadForecast accept, and what they refuse.
import { createServer } from 'node:http';
import {
  LoadForecast,
  type LoadForecastOptions,
  type LoadForecastParameters,
  type LoadOutlook,
  lifecycle,
  Scaling,
  type ScalingMetrics,
  type ScalingOptions,
  type ScalingRecommendation,
  type ScalingSource,
} from 'keelson';

export async function scale(client: { eval(...args: any[]): any }): Promise<void> {
  const options: ScalingOptions = { name: 'web', capacity: 100, max: 5, season: 86_400_000, redis: client };
  const scaling = new Scaling({ ...options, redis: 'redis://x', min: 0, quantile: 0.9, prefix: 'p:' });
  scaling.record();
  scaling.record(2);
  scaling.gauge(() => 5);
  scaling.on('redis-error', (error) => error);
  lifecycle.register('scaling', scaling);
  createServer(scaling.handler());
  const found: ScalingRecommendation | undefined = scaling.recommendation();
  const source: ScalingSource | undefined = found?.source;
  const metrics: ScalingMetrics = scaling.metrics();
  const replicas: number | undefined = metrics.replicas;
  await scaling.close();

  const settings: LoadForecastOptions = { season: 7, alpha: 0.5 };
  const forecast: LoadForecast = LoadForecast.fit(new Float64Array(5), { season: 7 });
  const parameters: Readonly<LoadForecastParameters> = new LoadForecast(settings).parameters;
  const outlook: LoadOutlook | undefined = forecast.forecast(3);
  const quantile: number | undefined = forecast.clone().quantile(3, 0.95);
  void [source, replicas, parameters, outlook, quantile];

  // @ts-expect-error without a capacity there is no number of replicas
  new Scaling({ name: 'web', max: 5 });
  // @ts-expect-error without a most there is no end
  new Scaling({ name: 'web', capacity: 5 });
  // @ts-expect-error no load
  scaling.gauge(() => 'high');
  // @ts-expect-error no number
  forecast.add('5');
}
