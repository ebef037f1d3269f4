// What a service cannot be faster than: servers that answer every request with the same text. `floor.mjs <name>`
import { createServer } from 'node:http';

const ANSWER = {
  id: 'lamp',
  name: 'Desk lamp',
  category: 'Desk',
  price: 7900,
  stock: 15,
  description: 'CRI 97',
};
const TEXT = JSON.stringify(ANSWER);
const HEADERS = { 'content-type': 'application/json; charset=utf-8', 'content-length': TEXT.length };

const LISTENERS = {
  'node:http': async () => (_req, res) => res.writeHead(200, HEADERS).end(TEXT),
  'Express 5': async () => {
    const { default: express } = await import('express');
    const app = express();
    app.use((_req, res) => {
      res.json(ANSWER);
    });
    return app;
  },
};

const server = createServer(await LISTENERS[process.argv[2]]());
server.keepAliveTimeout = 75_000;
server.listen(0, '127.0.0.1', () => console.log(`Floor at http://127.0.0.1:${server.address().port}`));
