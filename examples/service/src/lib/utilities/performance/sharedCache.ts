export { SharedCache } from 'keelson';
