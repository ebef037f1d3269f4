// One contestant of one benchmark, in a process of its own: `child.mjs <suite module> <benchmark> <contestant> <given>`.
// It samples when told to and is idle otherwise, so that the runner can take the contestants in turn.
const [suite, name, contestant, given] = process.argv.slice(2);

const { benchmarks } = await import(suite);
const benchmark = benchmarks.find((candidate) => candidate.name === name);
const { sample } = await benchmark.contestants[contestant](JSON.parse(given));

process.on('message', async (round) => process.send(await sample(round)));
process.send('ready');
