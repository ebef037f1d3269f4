// Runs use.js in a worker thread.
const { join } = require('node:path');
const { Worker } = require('node:worker_threads');

new Worker(join(__dirname, 'use.js'));
