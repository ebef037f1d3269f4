// What a user's TypeScript module does. Prints what it found; see package.spec.ts.
import { KeelsonError } from 'keelson';

console.log(JSON.stringify({ error: new KeelsonError('ERR_KEELSON_DESTROYED', 'x').code }));
