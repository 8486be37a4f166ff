/**
 * What an RPC endpoint is used for. It names the endpoint in messages, events and the status, because its
 * address must never be shown; `rpc.<role>` is its key in the configuration. A `relay` is only handed
 * transactions (execution.paths).
 */
export type EndpointRole = 'primary' | 'backup' | 'archive' | 'relay';
