/** Requests to the operator API that an operator may have to look into. */
export type ApiEvent =
  | {
      /** A request came without a valid API key. */
      readonly event: 'api-key-refused';
      /** The client's address, as the socket has it. */
      readonly from: string;
    }
  | {
      /** The key is valid, but its role may not call this route. */
      readonly event: 'api-role-refused';
      readonly from: string;
      /** The name of the key in the configuration. */
      readonly key: string;
      readonly role: string;
      readonly needed: string;
      /** Method and path. */
      readonly request: string;
    };
