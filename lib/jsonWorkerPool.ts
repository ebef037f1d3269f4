import { URL } from 'node:url';
import { dispose } from './dispose.js';
