export { TimerManager, timerManager } from 'keelson';
