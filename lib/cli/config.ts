import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sources } from '../config/current.js';
import { type ConfigurationEntry, entriesOf } from '../config/entries.js';
import { PROFILE_VARIABLE } from '../config/lookup.js';
import { describeUnknown, unknownVariables } from '../config/unknown.js';
import { describeProblem } from '../errors.js';
import { type Command, Stop } from './command.js';
import { configOptions, HELP } from './config/options.js';
import { tableOf } from './config/table.js';

/** Tells what keelson's settings are, and where each comes from. */
export const config: Command = {
  summary: 'print the settings and where each comes from',
  help: HELP,
  async run(args, terminal) {
    const options = configOptions(args);
    if (options.profile !== undefined) process.env[PROFILE_VARIABLE] = options.profile;
    if (options.module !== undefined) await load(options.module);
    const { entries, problems } = entriesOf(sources());
    const unknown = unknownVariables(process.env);
    const shown = options.changed ? entries.filter(({ source }) => source !== 'default') : entries;
    if (options.json)
      terminal.out(JSON.stringify({ settings: shown.map(plain), problems, unknown }, null, 2));
    else for (const line of tableOf(shown)) terminal.out(line);
    for (const problem of problems) terminal.err(`keelson: ${describeProblem(problem)}`);
    for (const one of unknown) terminal.err(`keelson: ${describeUnknown(one)}`);
    return problems.length > 0 || (options.check && unknown.length > 0) ? 1 : 0;
  },
};

/** What a module of the service configures is configured here too, where both have the same keelson. */
async function load(module: string): Promise<void> {
  try {
    await import(pathToFileURL(resolve(module)).href);
  } catch (error) {
    throw new Stop(1, `'${module}' did not load: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** As JSON has it, which has no Infinity. */
function plain({ path, value, ...entry }: ConfigurationEntry): object {
  return { path, value: value === Number.POSITIVE_INFINITY ? 'Infinity' : (value ?? null), ...entry };
}
