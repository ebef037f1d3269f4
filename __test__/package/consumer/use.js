// What a user's CommonJS module does. Prints what it found; see package.spec.ts.
const { KeelsonError } = require('keelson');
console.log(JSON.stringify({ error: new KeelsonError('ERR_KEELSON_DESTROYED', 'x').code }));
