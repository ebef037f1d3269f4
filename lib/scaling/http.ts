import type { ScalingRecommendation } from '../scaling.js';

/** A listener of node:http, or a handler of a framework on top of it. */
export type ScalingHandler = (req: any, res: any) => void;

export function handlerOf(recommendation: () => ScalingRecommendation | undefined): ScalingHandler {
  return (req, res) => {
    res.setHeader('Cache-Control', 'no-store');
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.statusCode = 405;
      res.setHeader('Allow', 'GET, HEAD');
      res.end();
      return;
    }
    const found = recommendation();
    // Without `replicas` the scaler fails rather than to scale by nothing.
    const body = Buffer.from(JSON.stringify(found ?? { error: 'No load is known yet' }));
    res.statusCode = found === undefined ? 503 : 200;
    res.setHeader('Content-Type', 'application/json');
    res.setHeader('Content-Length', body.length);
    // Of an answer to HEAD Node sends no more than the headers.
    res.end(body);
  };
}
