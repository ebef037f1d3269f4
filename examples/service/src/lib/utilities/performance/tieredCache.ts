export { TieredCache } from 'keelson';
