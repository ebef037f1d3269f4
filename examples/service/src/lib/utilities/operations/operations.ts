export { Dashboard, Health, Lifecycle, lifecycle, type Metrics, metrics, Scaling } from 'keelson';
