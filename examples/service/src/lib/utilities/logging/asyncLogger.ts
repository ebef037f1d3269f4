export { WorkerAsyncLogger } from 'keelson';
