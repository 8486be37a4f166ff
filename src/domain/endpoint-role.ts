/**
 * What an RPC endpoint is used for. It names the endpoint in messages, events and the status, because its
 * address must never be shown; `rpc.<role>` is its key in the configuration.
 */
export type EndpointRole = 'primary' | 'backup' | 'archive';
