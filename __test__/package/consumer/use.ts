// What a user's TypeScript module does, whatever it is compiled to.
import {
  BoundedLRUCache,
  CircularBuffer,
  InvalidArgumentError,
  OptimizedRouter,
  parseJSONAsync,
  type RouteHandler,
  TimerManager,
  timerManager,
} from 'keelson';

interface Product {
  name: string;
}

const cache = new BoundedLRUCache<string, Product>(2);
const buffer: CircularBuffer<number> = new CircularBuffer(2);
const manager: TimerManager = new TimerManager();
const idle: NodeJS.Timeout = timerManager.setInterval(() => {}, 1000);
idle.unref();

const answers: string[] = [];
const route: RouteHandler = {
  id: 'product',
  method: 'GET',
  handler: (req: { params: { name: string } }) => answers.push(req.params.name),
};
const router = new OptimizedRouter();
router.addRoute('/products/:name', route);
router.handle({ path: '/products/lamp', method: 'GET' }, {});

cache.set('lamp', { name: 'Lamp' });
for (const number of [1, 2, 3]) buffer.push(number);

function refusal(): string | undefined {
  try {
    new CircularBuffer(0);
  } catch (error) {
    if (error instanceof InvalidArgumentError) return error.code;
  }
  return undefined;
}

manager.setTimeout(
  async (name: string) => {
    const product: Product | undefined = cache.get(name);
    const { hits } = cache.getStats();
    const parsed: Product = await parseJSONAsync<Product>('{"name":"Desk"}');
    const found = { product, hits, buffered: buffer.getAll(), answers, refusal: refusal(), parsed };
    console.log(JSON.stringify(found));
  },
  1,
  'lamp',
);
