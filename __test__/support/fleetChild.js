// A process of its own with one breaker, which does as it is told: { id, do, with } comes, { id, answer } goes. It tells
// of each call that reaches the action as { called }, a time on the clock that the processes of a machine share.
const { CircuitBreaker } = require('../..');

const now = () => Number(process.hrtime.bigint()) / 1e6;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let breaker;
let isDown = false;
let takes = 0;
let pours = false;
const events = [];

async function action() {
  process.send({ called: now() });
  await sleep(takes);
  if (isDown) throw new Error('down');
  return 'answer';
}

const fire = () =>
  breaker.fire().then(
    () => 'answer',
    (error) => error.code ?? error.message,
  );

const DEEDS = {
  make(options) {
    breaker = new CircuitBreaker(action, options);
    for (const event of ['open', 'halfOpen', 'close', 'redis-error', 'recovered'])
      breaker.on(event, () => events.push(event));
  },
  dependency(state) {
    ({ isDown, takes = 0 } = state);
  },
  fire,
  async pour(whether) {
    pours = whether;
    const stream = async () => {
      while (pours) {
        await fire();
        await sleep(1);
      }
    };
    void stream();
  },
  look: () => ({ state: breaker.state, fleet: breaker.fleet, fires: breaker.metrics().fires, events }),
  shutdown: () => breaker.shutdown(),
};

process.on('message', async ({ id, do: deed, with: what }) => {
  process.send({ id, answer: (await DEEDS[deed](what)) ?? null });
});
// Whoever is left alone has nothing more to do.
process.on('disconnect', () => process.exit());
