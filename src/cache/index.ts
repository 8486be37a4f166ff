export { CacheModule } from './cache.module.js';
export { Cache } from './cache.js';
export { MemoryCache } from './memory-cache.js';
