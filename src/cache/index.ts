export { CacheModule } from './cache.module.js';
export { Cache, type Json } from './cache.js';
export { MemoryCache } from './memory-cache.js';
