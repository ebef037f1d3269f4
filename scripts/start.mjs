// npm start: builds keelson and the example service from a fresh clone on, and starts the service, which prints
// its address. Ctrl+C or SIGTERM lets it finish what is in flight.
import { spawn } from 'node:child_process';
import { service, setUpService } from './service.mjs';
import { setUp } from './setup.mjs';
import { runSteps } from './steps.mjs';

const steps = [
  ...setUp(),
  ...setUpService(),
  { name: 'build the example service', command: ['npm', 'run', 'build'], cwd: service, essential: true },
];
const { broken } = await runSteps(steps);
if (broken.length > 0) process.exit(1);

const child = spawn(process.execPath, ['dist/main.js'], { cwd: service, stdio: 'inherit' });
// A terminal sends Ctrl+C to both processes, a supervisor its signal to this one only: pass it on, and wait.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 1 : 0);
});
