// A server in a process of its own, so that who sends the requests takes no time from it: `serve.mjs <server>`.
// It tells its port, and what processor time it has taken whenever it is asked; it ends with who started it.
import { tables } from '../data/tables.mjs';
import { servers } from '../peers/servers.mjs';

const port = await servers[process.argv[2]](tables.service());

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ processor: user + system });
});
process.on('disconnect', () => process.exit());
process.send({ port });
